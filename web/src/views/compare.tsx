import { useMemo } from "preact/hooks";
import * as api from "../api.ts";
import { dashes } from "../base/colour.ts";
import { plural } from "../base/format.ts";
import { path, queryText, changedQuery } from "../base/route.ts";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Charts } from "../parts/metrics.tsx";
import { Head } from "../parts/shell.tsx";
import { Failed, Loading, Notice, Stale } from "../parts/states.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Duration, Num, Status, Swatch, Time } from "../parts/text.tsx";
import { useTitle } from "../parts/title.ts";
import { usePoll, useResource } from "../state/resource.ts";
import { query, setQuery } from "../state/url.ts";
import { byName } from "../base/order.ts";

const most = 100;

async function getAll(ids: string[], signal: AbortSignal): Promise<api.Run[]> {
	const runs: api.Run[] = [];
	for (let i = 0; i < ids.length; i += 6)
		runs.push(...(await Promise.all(ids.slice(i, i + 6).map((id) => api.getRun(id, signal)))));
	return runs;
}

export function CompareView() {
	useTitle("Compare runs");
	const ids = [...new Set((query.value.get("runs") ?? "").split(",").filter((id) => id !== ""))].slice(0, most);
	const key = ids.join();
	const list = useResource(`compare ${key}`, (signal) => getAll(ids, signal));
	const live = (list.data ?? []).filter((r) => r.status === "RUNNING").map((r) => r.id);
	usePoll(5000, live.length > 0, async (signal) => list.set(await getAll(ids, signal)));
	if (ids.length === 0)
		return (
			<Notice icon="compare" title="Nothing to compare yet">
				<p>Open an experiment, select two or more runs, and press Compare.</p>
				<Link class="button" href="/experiments">
					To the experiments
				</Link>
			</Notice>
		);
	if (list.data === undefined)
		return list.error === null ? <Loading rows={10} /> : <Failed error={list.error} what="these runs" retry={list.reload} />;
	return <Comparison runs={list.data} live={live} error={list.error} reload={list.reload} />;
}

interface Props {
	runs: api.Run[];
	live: string[];
	error: unknown;
	reload: () => void;
}

function Comparison({ runs, live, error, reload }: Props) {
	const tab = query.value.get("tab") ?? "charts";
	const byId = useMemo(() => new Map(runs.map((r) => [r.id, { id: r.id, name: r.name, startMs: r.startMs }])), [runs.map((r) => r.id + r.name).join()]);
	const keys = useMemo(() => [...new Set(runs.flatMap((r) => [...r.metrics.keys()]))].sort(byName), [runs]);
	const dash = useMemo(() => dashes(byId.keys()), [byId]);
	const to = (change: Record<string, string | null>) => "/compare" + queryText(changedQuery(query.value, change));
	const experiments = new Set(runs.map((r) => r.experimentId));
	const home = runs[0]!.experimentId;
	const experiment = useResource(`experiment ${home}`, (signal) => api.getExperiment(home, signal));
	return (
		<>
			<Head
				crumbs={[
					{ label: "Experiments", href: "/experiments" },
					...(experiments.size === 1 ? [{ label: experiment.data?.name ?? `Experiment ${home}`, href: path("experiments", home) + `?sel=${runs.map((r) => r.id).join()}` }] : []),
				]}
				title={`Compare ${plural(runs.length, "run")}`}
			>
				<ul class="compare-runs" aria-label="Runs compared">
					{runs.map((r) => (
						<li key={r.id}>
							<Swatch runId={r.id} dash={dash.get(r.id)} />
							<Link href={path("runs", r.id)} title={r.name}>
								{r.name}
							</Link>
							<button
								type="button"
								class="icon-button"
								aria-label={`Leave out ${r.name}`}
								title="Leave out"
								onClick={() => setQuery({ runs: runs.filter((o) => o !== r).map((o) => o.id).join() })}
							>
								<Icon name="close" size={11} />
							</button>
						</li>
					))}
				</ul>
			</Head>
			<Tabs
				label="Ways to compare"
				current={tab}
				tabs={[
					{ id: "charts", label: "Charts", count: keys.length, href: to({ tab: null }) },
					{ id: "values", label: "Side by side", href: to({ tab: "values" }) },
				]}
			/>
			<Stale error={error} retry={reload} />
			{tab === "values" ? (
				<SideBySide runs={runs} metrics={keys} />
			) : (
				<Charts
					runs={byId}
					keys={keys}
					live={live}
					empty={
						<Notice icon="compare" title="These runs have no metrics">
							<p>Their parameters stand side by side.</p>
							<Link class="button" href={to({ tab: "values" })}>
								Side by side
							</Link>
						</Notice>
					}
				/>
			)}
		</>
	);
}

interface Line {
	name: string;
	values: (string | number | undefined)[];
}

function differ(line: Line): boolean {
	return line.values.some((v) => !Object.is(v, line.values[0]));
}

function SideBySide({ runs, metrics }: { runs: api.Run[]; metrics: string[] }) {
	const only = query.value.get("only") === "differences";
	const keysOf = (pick: (r: api.Run) => Map<string, string>) =>
		[...new Set(runs.flatMap((r) => [...pick(r).keys()]))].filter((k) => !k.startsWith("mlflow.")).sort(byName);
	const groups: { title: string; lines: Line[] }[] = [
		{ title: "Metrics (last)", lines: metrics.map((name) => ({ name, values: runs.map((r) => r.metrics.get(name)?.value) })) },
		{ title: "Parameters", lines: keysOf((r) => r.params).map((name) => ({ name, values: runs.map((r) => r.params.get(name)) })) },
		{ title: "Tags", lines: keysOf((r) => r.tags).map((name) => ({ name, values: runs.map((r) => r.tags.get(name)) })) },
	];
	const hidden = groups.reduce((n, g) => n + g.lines.filter((l) => !differ(l)).length, 0);
	return (
		<>
			<div class="toolbar">
				<label class="check">
					<input type="checkbox" checked={only} onChange={() => setQuery({ only: only ? null : "differences" }, { replace: true })} />
					Only differences
				</label>
				{only && hidden > 0 && <span class="faint">{plural(hidden, "row")} equal in all runs hidden</span>}
			</div>
			<div class="table-box table-scroll">
				<table class="table dense side">
					<thead>
						<tr>
							<th scope="col">Run</th>
							{runs.map((r) => (
								<th key={r.id} scope="col" class="right">
									<span class="run-title">
										<Swatch runId={r.id} />
										<Link href={path("runs", r.id)} title={r.name}>
											{r.name}
										</Link>
									</span>
								</th>
							))}
						</tr>
					</thead>
					<tbody>
						<tr>
							<th scope="row">Status</th>
							{runs.map((r) => (
								<td key={r.id} class="right">
									<Status status={r.status} />
								</td>
							))}
						</tr>
						<tr>
							<th scope="row">Started</th>
							{runs.map((r) => (
								<td key={r.id} class="right">
									<Time at={r.startMs} />
								</td>
							))}
						</tr>
						<tr>
							<th scope="row">Duration</th>
							{runs.map((r) => (
								<td key={r.id} class="right">
									<Duration run={r} />
								</td>
							))}
						</tr>
						{groups.map((g) => {
							const lines = only ? g.lines.filter(differ) : g.lines;
							if (g.lines.length === 0) return null;
							return [
								<tr key={g.title} class="side-group">
									<th scope="rowgroup" colSpan={runs.length + 1}>
										{g.title}
									</th>
								</tr>,
								...lines.map((l) => (
									<tr key={`${g.title} ${l.name}`} class={differ(l) ? "differs" : ""}>
										<th scope="row" title={l.name}>
											{l.name}
										</th>
										{l.values.map((v, i) => (
											<td key={runs[i]!.id} class="num right">
												{typeof v === "number" ? <Num value={v} /> : v === undefined ? <span class="faint">–</span> : v}
											</td>
										))}
									</tr>
								)),
								lines.length === 0 && (
									<tr key={`${g.title} equal`}>
										<td colSpan={runs.length + 1} class="faint">
											all equal
										</td>
									</tr>
								),
							];
						})}
					</tbody>
				</table>
			</div>
		</>
	);
}
