import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/views.css";
import { App } from "./app.tsx";
import { fromHash } from "./base/route.ts";
import { ask } from "./state/session.ts";
import { go } from "./state/url.ts";

const linked = fromHash(window.location.hash);
if (linked !== null) go(linked, { replace: true });

void ask();
render(<App />, document.getElementById("app")!);
