import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import * as api from "../api.ts";
import {
	automaticColumns, columnId, columnsText, knownColumns, orderBy, parseColumns, parseSort, sortText, type Column,
} from "../base/columns.ts";
import { group, plural } from "../base/format.ts";
import { ColumnChooser } from "../parts/columns.tsx";
import { Ask } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { RunTable } from "../parts/runtable.tsx";
import { Search } from "../parts/search.tsx";
import { Head } from "../parts/shell.tsx";
import { Failed, Loading, Notice } from "../parts/states.tsx";
import { Choice } from "../parts/tabs.tsx";
import { Code } from "../parts/text.tsx";
import { useTitle } from "../parts/title.ts";
import { useResource } from "../state/resource.ts";
import { useRuns, type RunList } from "../state/runs.ts";
import { notify } from "../state/toast.ts";
import { go, query, setQuery } from "../state/url.ts";

const fixed: Column[] = [
	{ kind: "attributes", key: "status" },
	{ kind: "attributes", key: "start_time" },
	{ kind: "attributes", key: "duration" },
	{ kind: "attributes", key: "user_id" },
];

export function RunsView({ experimentId }: { experimentId: string }) {
	const q = query.value;
	const filter = q.get("q") ?? "";
	const sort = parseSort(q.get("sort"));
	const archived = q.get("view") === "archived";
	const experiment = useResource(`experiment ${experimentId}`, (signal) => api.getExperiment(experimentId, signal));
	const counts = useResource(`experiment rows ${experimentId}`, (signal) => api.listExperiments("all", signal));
	const list = useRuns({
		experimentIds: [experimentId],
		filter,
		view: archived ? "DELETED_ONLY" : "ACTIVE_ONLY",
		orderBy: [orderBy(sort.column, sort.descending)],
	});
	const name = experiment.data?.name ?? `Experiment ${experimentId}`;
	useTitle(name);
	const [choosing, setChoosing] = useState(false);
	const known = useMemo(() => knownColumns(list.runs), [list.runs]);
	const automatic = useMemo(() => automaticColumns(list.runs), [list.key, list.runs.length > 0, list.loading]);
	const chosenText = q.get("cols");
	const chosen = useMemo(() => (chosenText === null ? automatic : parseColumns(chosenText)), [chosenText, automatic]);
	const columns = useMemo(() => [...fixed, ...chosen], [chosen]);
	const selectedText = q.get("sel") ?? "";
	const selected = useMemo(() => new Set(selectedText === "" ? [] : selectedText.split(",")), [selectedText]);

	if (experiment.error !== null && experiment.data === undefined)
		return <Failed error={experiment.error} what="this experiment" retry={experiment.reload} />;
	const total = counts.data?.find((r) => r.experiment_id === experimentId)?.runs;
	const select = (ids: ReadonlySet<string>) => setQuery({ sel: ids.size > 100 ? [...ids].slice(0, 100).join() : [...ids].join() }, { replace: true });
	const onSort = (column: Column) => {
		const same = columnId(column) === columnId(sort.column);
		setQuery({ sort: sortText({ column, descending: same ? !sort.descending : true }) }, { replace: true });
	};
	const onRefresh = () => {
		list.reload();
		counts.reload();
	};
	return (
		<>
			<Head
				crumbs={[{ label: "Experiments", href: "/experiments" }]}
				title={name}
				after={experiment.data?.lifecycle_stage === "deleted" && <span class="status status-archived">Archived</span>}
				actions={<Selection ids={selected} runs={list.runs} archived={archived} clear={() => select(new Set())} reload={list.reload} />}
			/>
			<div class="toolbar runs-bar">
				<Search
					main
					mono
					label="Filter runs"
					placeholder="metrics.loss < 0.5 and params.model = 'tree'"
					value={filter}
					quiet={-1}
					invalid={list.error !== null && filter !== ""}
					describedBy="filter-note"
					onChange={(t) => setQuery({ q: t.trim() })}
				/>
				<Choice
					label="Which runs"
					options={[
						{ id: "active", label: "Active" },
						{ id: "archived", label: "Archived" },
					]}
					value={archived ? "archived" : "active"}
					onChange={(v) => setQuery({ view: v === "active" ? null : v, sel: null })}
				/>
				<button type="button" class="button" disabled={list.runs.length === 0} onClick={() => setChoosing(true)}>
					<Icon name="columns" size={14} /> Columns <span class="count">{chosen.length}</span>
				</button>
				<button type="button" class="icon-button" title="Refresh" aria-label="Refresh" onClick={onRefresh}>
					<Icon name="refresh" size={15} />
				</button>
				<span class="toolbar-end muted num" role="status">
					{showing(list, filter === "" && !archived ? total : undefined)}
				</span>
			</div>
			<div id="filter-note">
				{list.error !== null && filter !== "" && isFilterError(list.error) && (
					<p class="field-error filter-error" role="alert">
						{(list.error as Error).message}
					</p>
				)}
			</div>
			{list.fresh > 0 && (
				<div class="banner info" role="status">
					<span>{plural(list.fresh, "run is", "runs are")} new since this was loaded.</span>
					<button type="button" class="button small" onClick={onRefresh}>
						Show
					</button>
				</div>
			)}
			<Body list={list} filter={filter} archived={archived} experiment={experiment.data}>
				<RunTable runs={list.runs} columns={columns} sort={sort} onSort={onSort} selected={selected} onSelect={select} onEnd={list.loadMore} busy={list.loading} />
				<p class="runs-foot muted">
					<span>{list.loadingMore ? "Loading more…" : list.more ? "More load as you scroll." : ""}</span>
					<span class="hint">
						<b>/</b> filter · <b>↑ ↓</b> move · <b>Space</b> select · <b>Enter</b> open
					</span>
				</p>
			</Body>
			{choosing && (
				<ColumnChooser
					known={known}
					chosen={chosen}
					automatic={chosenText === null}
					onChange={(c) => setQuery({ cols: c === null ? null : columnsText(c) || "none" }, { replace: true })}
					onClose={() => setChoosing(false)}
				/>
			)}
		</>
	);
}

function isFilterError(e: unknown): boolean {
	return e instanceof api.ApiError && e.status === 400;
}

function showing(list: RunList, total: number | undefined): string {
	const n = list.runs.length;
	if (n === 0) return "";
	if (!list.more) return plural(n, "run");
	return total !== undefined && total >= n ? `showing ${group(n)} of ${group(total)} runs` : `showing the first ${group(n)}`;
}

interface BodyProps {
	list: RunList;
	filter: string;
	archived: boolean;
	experiment: api.Experiment | undefined;
	children: ComponentChildren;
}

function Body({ list, filter, archived, experiment, children }: BodyProps) {
	if (list.error !== null && list.runs.length === 0) {
		if (isFilterError(list.error) && filter !== "")
			return (
				<Notice icon="search" title="The filter is not understood">
					<p>
						For example <code>metrics.loss &lt; 0.5 and params.model = 'tree'</code>, <code>tags.team LIKE '%vision%'</code>,{" "}
						<code>attributes.status = 'FAILED' or metrics.loss IS NULL</code>. Names with other signs in backticks: <code>metrics.`val/loss`</code>.
					</p>
					<button type="button" class="button" onClick={() => setQuery({ q: null })}>
						Clear the filter
					</button>
				</Notice>
			);
		return <Failed error={list.error} what="the runs" retry={list.reload} />;
	}
	if (list.runs.length > 0) return <>{children}</>;
	if (list.loading) return <Loading rows={12} />;
	if (filter !== "")
		return (
			<Notice icon="search" title="No run matches the filter">
				<button type="button" class="button" onClick={() => setQuery({ q: null })}>
					Clear the filter
				</button>
			</Notice>
		);
	if (archived)
		return (
			<Notice icon="archive" title="No archived runs">
				<p>Archived runs rest here and can be restored.</p>
			</Notice>
		);
	return <FirstRun name={experiment?.name ?? "Default"} />;
}

/** Nothing logged yet: the lines that log a run. */
function FirstRun({ name }: { name: string }) {
	return (
		<Notice icon="flask" title="No runs yet">
			<p>Three lines of Python log one, with any MLflow client:</p>
			<Code
				label="Copy the lines"
				text={`import mlflow; mlflow.set_tracking_uri("${location.origin}")\nmlflow.set_experiment(${JSON.stringify(name)})\nmlflow.log_param("lr", 0.01); mlflow.log_metric("loss", 0.42)`}
			/>
			<p>
				Sign in from a script with <code>MLFLOW_TRACKING_TOKEN</code>: make a token under <Link href="/account">Account</Link>. The run appears here by itself.
			</p>
		</Notice>
	);
}

interface SelectionProps {
	ids: ReadonlySet<string>;
	runs: readonly api.Run[];
	archived: boolean;
	clear: () => void;
	reload: () => void;
}

function Selection({ ids, archived, clear, reload }: SelectionProps) {
	const [asking, setAsking] = useState(false);
	if (ids.size === 0) return null;
	const each = async (f: (id: string) => Promise<unknown>, done: string) => {
		for (const id of ids) await f(id);
		notify(`${plural(ids.size, "run")} ${done}.`);
		clear();
		reload();
	};
	const restore = () => each(api.restoreRun, "restored").catch((e: Error) => notify(e.message, "failed"));
	return (
		<>
			<span class="muted">{group(ids.size)} selected</span>
			<button type="button" class="button quiet" onClick={clear}>
				Clear
			</button>
			{archived ? (
				<button type="button" class="button" onClick={restore}>
					Restore
				</button>
			) : (
				<button type="button" class="button" onClick={() => setAsking(true)}>
					<Icon name="archive" size={14} /> Archive
				</button>
			)}
			<button type="button" class="button primary" disabled={ids.size < 2} title={ids.size < 2 ? "Select two or more runs" : ""} onClick={() => go(`/compare?runs=${[...ids].join(",")}`)}>
				<Icon name="compare" size={14} /> Compare
			</button>
			{asking && (
				<Ask title={`Archive ${plural(ids.size, "run")}?`} action="Archive" danger onClose={() => setAsking(false)} run={() => each(api.archiveRun, "archived")}>
					<p>They leave the table and take no more data. Nothing is deleted: restore them under Archived.</p>
				</Ask>
			)}
		</>
	);
}

