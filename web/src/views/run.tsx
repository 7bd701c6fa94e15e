import { useMemo, useState } from "preact/hooks";
import * as api from "../api.ts";
import { group } from "../base/format.ts";
import { path } from "../base/route.ts";
import { Artifacts } from "../parts/artifacts.tsx";
import { Spark } from "../parts/chart.tsx";
import { Ask } from "../parts/dialog.tsx";
import { Facts, type Fact } from "../parts/facts.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Menu } from "../parts/menu.tsx";
import { ChartGrid, Charts, ChartSettings, useCharts, Zoom } from "../parts/metrics.tsx";
import { Search } from "../parts/search.tsx";
import { Head } from "../parts/shell.tsx";
import { Failed, Loading, Notice, Stale } from "../parts/states.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Code, Copy, Duration, Num, Status, Swatch, Time } from "../parts/text.tsx";
import { useTitle } from "../parts/title.ts";
import { usePoll, useResource } from "../state/resource.ts";
import type { Series } from "../state/series.ts";
import { notify } from "../state/toast.ts";
import { query } from "../state/url.ts";
import { byName } from "../base/order.ts";

const overviewKeys = 60;
const overviewCharts = 4;

export function RunView({ runId }: { runId: string }) {
	const run = useResource(`run ${runId}`, (signal) => api.getRun(runId, signal));
	useTitle(run.data?.name ?? "Run");
	usePoll(2000, run.data?.status === "RUNNING", async (signal) => run.set(await api.getRun(runId, signal)));
	if (run.data === undefined)
		return run.error === null ? <Loading rows={10} /> : <Failed error={run.error} what="this run" retry={run.reload} />;
	return <Loaded run={run.data} error={run.error} reload={run.reload} />;
}

function Loaded({ run, error, reload }: { run: api.Run; error: unknown; reload: () => void }) {
	const experiment = useResource(`experiment ${run.experimentId}`, (signal) => api.getExperiment(run.experimentId, signal));
	const tab = query.value.get("tab") ?? "overview";
	const here = path("runs", run.id);
	const runs = useMemo(() => new Map([[run.id, { id: run.id, name: run.name, startMs: run.startMs }]]), [run.id, run.name, run.startMs]);
	const keys = useMemo(() => [...run.metrics.keys()].sort(byName), [[...run.metrics.keys()].join("\n")]);
	const live = run.status === "RUNNING" ? [run.id] : [];
	return (
		<>
			<Head
				crumbs={[
					{ label: "Experiments", href: "/experiments" },
					{ label: experiment.data?.name ?? `Experiment ${run.experimentId}`, href: path("experiments", run.experimentId) },
				]}
				title={
					<span class="run-title">
						<Swatch runId={run.id} /> {run.name}
					</span>
				}
				after={
					<>
						<Status status={run.status} />
						{run.deleted && <span class="status status-archived">Archived</span>}
					</>
				}
				actions={<Actions run={run} reload={reload} />}
			/>
			<Tabs
				label="Parts of this run"
				current={tab}
				tabs={[
					{ id: "overview", label: "Overview", href: here },
					{ id: "charts", label: "Charts", count: keys.length, href: `${here}?tab=charts` },
					{ id: "artifacts", label: "Artifacts", href: `${here}?tab=artifacts` },
				]}
			/>
			<Stale error={error} retry={reload} />
			{tab === "charts" ? (
				<Charts runs={runs} keys={keys} live={live} empty={<NoMetrics />} />
			) : tab === "artifacts" ? (
				<Artifacts run={run} />
			) : (
				<Overview run={run} runs={runs} keys={keys} live={live} />
			)}
		</>
	);
}

function NoMetrics() {
	return (
		<Notice icon="compare" title="No metrics yet">
			<p>A run logs one with:</p>
			<Code text={`mlflow.log_metric("loss", 0.42, step=1)`} />
		</Notice>
	);
}

interface OverviewProps {
	run: api.Run;
	runs: ReadonlyMap<string, { id: string; name: string; startMs: number }>;
	keys: string[];
	live: string[];
}

function Overview({ run, runs, keys, live }: OverviewProps) {
	const series = useCharts(runs, keys.slice(0, overviewKeys), live);
	const curves = keys.filter((k) => (series.byKey.get(k)?.[0]?.n ?? 0) > 1);
	const params: Fact[] = [...run.params].sort(byKey).map(([name, text]) => ({ name, text }));
	const tags: Fact[] = [...run.tags].filter(([k]) => !k.startsWith("mlflow.")).sort(byKey).map(([name, text]) => ({ name, text }));
	const note = run.tags.get("mlflow.note.content");
	return (
		<div class="run-overview">
			<div class="run-facts">
				<Details run={run} />
				{note !== undefined && note !== "" && (
					<section class="panel">
						<header>
							<h2>Note</h2>
						</header>
						<p class="panel-body note">{note}</p>
					</section>
				)}
				<Facts title="Parameters" facts={params} empty="No parameters logged" />
				<Facts title="Tags" facts={tags} empty="No tags" />
				{run.datasets.length > 0 && (
					<Facts
						title="Datasets"
						empty=""
						facts={run.datasets.map((d) => ({ name: d.context || "input", text: `${d.name} · ${d.digest}` }))}
					/>
				)}
			</div>
			<div class="run-main">
				{keys.length === 0 ? (
					<section class="panel panel-body">
						<NoMetrics />
					</section>
				) : (
					<>
						<MetricTable run={run} keys={keys} series={series} />
						{curves.length > 0 && (
							<>
								<div class="toolbar">
									<h2>Charts</h2>
									{curves.length > overviewCharts && <Link href={path("runs", run.id) + "?tab=charts"}>All charts</Link>}
									<Zoom />
									<ChartSettings />
								</div>
								<ChartGrid runs={runs} keys={curves.slice(0, overviewCharts)} series={series} />
							</>
						)}
					</>
				)}
			</div>
		</div>
	);
}

function byKey(a: [string, string], b: [string, string]): number {
	return byName(a[0], b[0]);
}

const rowsAtFirst = 100;

function MetricTable({ run, keys, series }: { run: api.Run; keys: string[]; series: Series }) {
	const [words, setWords] = useState("");
	const [all, setAll] = useState(false);
	const summaries = useResource(`summaries ${run.id} ${keys.length} ${run.status}`, (signal) => api.metricSummaries(run.id, signal));
	usePoll(2000, run.status === "RUNNING", async (signal) => summaries.set(await api.metricSummaries(run.id, signal)));
	const found = keys.filter((k) => k.toLowerCase().includes(words.trim().toLowerCase()));
	const shown = all ? found : found.slice(0, rowsAtFirst);
	return (
		<section class="panel">
			<header>
				<h2>Metrics</h2>
				<span class="count">{keys.length}</span>
				{keys.length > 12 && (
					<div class="end">
						<Search label="Find a metric" value={words} quiet={0} onChange={setWords} />
					</div>
				)}
			</header>
			<Stale error={summaries.error} retry={summaries.reload} />
			<div class="table-scroll metric-table">
				<table class="table dense">
					<thead>
						<tr>
							<th>Metric</th>
							<th class="right">Last</th>
							<th class="right wide-only">First</th>
							<th class="right">Min</th>
							<th class="right">Max</th>
							<th class="right">Mean</th>
							<th class="right">Step</th>
							<th class="right">Points</th>
							<th class="spark-cell">Course</th>
						</tr>
					</thead>
					<tbody>
						{shown.map((key) => (
							<MetricRow key={key} run={run} metric={run.metrics.get(key)!} summary={summaries.data?.get(key)} series={series.byKey.get(key)?.[0]} />
						))}
					</tbody>
				</table>
			</div>
			{shown.length < found.length && (
				<p class="panel-body more-rows">
					{group(shown.length)} of {group(found.length)} metrics{" "}
					<button type="button" class="button small" onClick={() => setAll(true)}>
						Show all
					</button>
				</p>
			)}
		</section>
	);
}

interface MetricRowProps {
	run: api.Run;
	metric: api.Metric;
	summary: api.MetricSummary | undefined;
	series: api.MetricSeries | undefined;
}

/** The chart may know more than the run did when it was last asked for. */
function newest(metric: api.Metric, series: api.MetricSeries | undefined): { value: number; step: number } {
	const end = (series?.points.step.length ?? 0) - 1;
	const value = series?.points.last[end];
	return typeof value === "number" && series!.points.step[end]! > metric.step ? { value, step: series!.points.step[end]! } : metric;
}

function MetricRow({ run, metric, summary, series }: MetricRowProps) {
	const last = newest(metric, series);
	const at = (m: api.MetricMoment | undefined) => (m === undefined ? undefined : `at step ${group(m.step)}`);
	return (
		<tr>
			<td class="key">
				<Link href={`${path("runs", run.id)}?tab=charts&metric=${encodeURIComponent(metric.key)}`}>{metric.key}</Link>
			</td>
			<td class="right strong">
				<Num value={last.value} />
			</td>
			<td class="right wide-only">
				<Num value={summary?.first.value} after={at(summary?.first)} />
			</td>
			<td class="right">
				<Num value={summary?.min.value} after={at(summary?.min)} />
			</td>
			<td class="right">
				<Num value={summary?.max.value} after={at(summary?.max)} />
			</td>
			<td class="right">
				<Num value={summary?.mean} />
			</td>
			<td class="right num muted">{group(last.step)}</td>
			<td class="right num muted">{summary === undefined ? "" : group(Math.max(summary.count, series?.n ?? 0))}</td>
			<td class="spark-cell">{series !== undefined && <Spark series={series} />}</td>
		</tr>
	);
}

function Details({ run }: { run: api.Run }) {
	const source = run.tags.get("mlflow.source.name");
	const commit = run.tags.get("mlflow.source.git.commit");
	const parent = run.tags.get("mlflow.parentRunId");
	return (
		<section class="panel">
			<header>
				<h2>Details</h2>
			</header>
			<dl class="facts">
				<div>
					<dt>Run id</dt>
					<dd class="with-copy">
						<code>{run.id}</code>
						<Copy text={run.id} label="Copy the run id" />
					</dd>
				</div>
				<div>
					<dt>Started</dt>
					<dd>
						<Time at={run.startMs} />
					</dd>
				</div>
				<div>
					<dt>Duration</dt>
					<dd>
						<Duration run={run} />
					</dd>
				</div>
				{run.user !== "" && <Plain name="User" value={run.user} />}
				<MadeBy runId={run.id} />
				{source !== undefined && source !== "" && <Plain name="Source" value={source} />}
				{commit !== undefined && commit !== "" && <Plain name="Commit" value={commit.slice(0, 12)} />}
				{parent !== undefined && parent !== "" && (
					<div>
						<dt>Parent run</dt>
						<dd>
							<Link href={path("runs", parent)}>{parent.slice(0, 12)}…</Link>
						</dd>
					</div>
				)}
			</dl>
		</section>
	);
}

function Plain({ name, value }: { name: string; value: string }) {
	return (
		<div>
			<dt>{name}</dt>
			<dd>{value}</dd>
		</div>
	);
}

function Actions({ run, reload }: { run: api.Run; reload: () => void }) {
	const [asking, setAsking] = useState<"rename" | "archive" | null>(null);
	const restore = () =>
		api.restoreRun(run.id).then(
			() => (notify("The run is active again."), reload()),
			(e: Error) => notify(e.message, "failed"),
		);
	return (
		<>
			<Menu
				label="Actions"
				class="button"
				button={
					<>
						Actions <Icon name="down" size={12} />
					</>
				}
				items={
					run.deleted
						? [{ label: "Restore", run: restore }]
						: [
								{ label: "Rename…", run: () => setAsking("rename") },
								{ label: "Archive…", run: () => setAsking("archive"), danger: true },
							]
				}
			/>
			{asking === "rename" && (
				<Ask title="Rename run" action="Rename" onClose={() => setAsking(null)} run={async (f) => (await api.renameRun(run.id, String(f.get("name")).trim()), reload())}>
					<label class="field">
						<span>Name</span>
						<input name="name" type="text" required autofocus autocomplete="off" value={run.name} onFocus={(e) => e.currentTarget.select()} />
					</label>
				</Ask>
			)}
			{asking === "archive" && (
				<Ask title={`Archive “${run.name}”?`} action="Archive" danger onClose={() => setAsking(null)} run={async () => (await api.archiveRun(run.id), reload())}>
					<p>It leaves the table of runs and takes no more data. Nothing is deleted: it can be restored.</p>
				</Ask>
			)}
		</>
	);
}

/** Who it really was, beside the name that the client gave. */
function MadeBy({ runId }: { runId: string }) {
	const origin = useResource(`origin ${runId}`, (signal) => api.getRunOrigin(runId, signal)).data;
	if (origin?.created_by === undefined) return null;
	const how = origin.created_token === undefined ? "" : `, token ${origin.created_token}`;
	return <Plain name="Made by" value={origin.created_by + how} />;
}
