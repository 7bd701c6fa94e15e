import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/views.css";
import { App } from "./app.tsx";
import { ask } from "./state/session.ts";

void ask();
render(<App />, document.getElementById("app")!);
