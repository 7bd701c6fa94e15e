import { useEffect } from "preact/hooks";
import { Shell, Toasts } from "./parts/shell.tsx";
import { Failed, Notice } from "./parts/states.tsx";
import { Link } from "./parts/link.tsx";
import { useTitle } from "./parts/title.ts";
import { ask, session } from "./state/session.ts";
import { safeNext, type Route } from "./base/route.ts";
import { go, query, route } from "./state/url.ts";
import { AccountView } from "./views/account.tsx";
import { CompareView } from "./views/compare.tsx";
import { ExperimentsView } from "./views/experiments.tsx";
import { ModelView } from "./views/model.tsx";
import { ModelsView } from "./views/models.tsx";
import { RunView } from "./views/run.tsx";
import { RunsView } from "./views/runs.tsx";
import { SignInView } from "./views/signin.tsx";
import { VersionView } from "./views/version.tsx";

export function App() {
	return (
		<>
			<Page />
			<Toasts />
		</>
	);
}

function Page() {
	const s = session.value;
	if (s.state === "unreachable")
		return (
			<Shell>
				<Failed error={s.error} what="Cairn" retry={() => void ask()} />
			</Shell>
		);
	if (s.state === "asking") return <Shell>{null}</Shell>;
	if (s.state === "out") return <SignInView />;
	return (
		<Shell>
			<View route={route.value} />
		</Shell>
	);
}

function View({ route: r }: { route: Route }) {
	switch (r.page) {
		case "experiments":
			return <ExperimentsView />;
		case "runs":
			return <RunsView key={r.experimentId} experimentId={r.experimentId} />;
		case "run":
			return <RunView key={r.runId} runId={r.runId} />;
		case "compare":
			return <CompareView />;
		case "models":
			return <ModelsView />;
		case "model":
			return <ModelView key={r.name} name={r.name} />;
		case "version":
			return <VersionView key={`${r.name}/${r.version}`} name={r.name} version={r.version} />;
		case "account":
			return <AccountView />;
		case "signin":
			return <AlreadyIn />;
		case "missing":
			return <Missing />;
	}
}

function AlreadyIn() {
	useEffect(() => go(safeNext(query.value.get("next")), { replace: true }), []);
	return null;
}

function Missing() {
	useTitle("Not found");
	return (
		<Notice icon="search" title="There is no page here">
			<p>The address may be mistyped, or from another version.</p>
			<Link class="button" href="/">
				To the experiments
			</Link>
		</Notice>
	);
}
