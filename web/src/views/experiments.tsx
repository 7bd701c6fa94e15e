import { useState } from "preact/hooks";
import * as api from "../api.ts";
import { group, plural } from "../base/format.ts";
import { path } from "../base/route.ts";
import { Ask } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Menu, type MenuItem } from "../parts/menu.tsx";
import { Search } from "../parts/search.tsx";
import { Head } from "../parts/shell.tsx";
import { Failed, Loading, Notice, Stale } from "../parts/states.tsx";
import { Choice } from "../parts/tabs.tsx";
import { Time } from "../parts/text.tsx";
import { useTitle } from "../parts/title.ts";
import { usePoll, useResource } from "../state/resource.ts";
import { notify } from "../state/toast.ts";
import { go, query, setQuery } from "../state/url.ts";
import { byName } from "../base/order.ts";

type Order = "name" | "runs" | "last" | "created";
const orders: Record<Order, (a: api.ExperimentRow, b: api.ExperimentRow) => number> = {
	name: (a, b) => byName(a.name, b.name),
	runs: (a, b) => b.runs - a.runs,
	last: (a, b) => (b.last_run_unix_ms ?? 0) - (a.last_run_unix_ms ?? 0) || b.creation_time - a.creation_time,
	created: (a, b) => b.creation_time - a.creation_time,
};

type Asking = { what: "create" } | { what: "rename" | "archive"; row: api.ExperimentRow } | null;

export function ExperimentsView() {
	useTitle("Experiments");
	const q = query.value;
	const view: api.ExperimentView = q.get("view") === "archived" ? "deleted" : "active";
	const words = q.get("q") ?? "";
	const list = useResource(`experiments ${view}`, (signal) => api.listExperiments(view, signal));
	const [asking, setAsking] = useState<Asking>(null);
	usePoll(10_000, list.data !== undefined, async (signal) => list.set(await api.listExperiments(view, signal)));
	const restore = async (row: api.ExperimentRow) => {
		try {
			await api.restoreExperiment(row.experiment_id);
			notify(`“${row.name}” is back among the active experiments.`);
			list.reload();
		} catch (e) {
			notify((e as Error).message, "failed");
		}
	};
	return (
		<>
			<Head
				title="Experiments"
				after={list.data && <span class="count">{group(list.data.length)}</span>}
				actions={
					<button type="button" class="button primary" onClick={() => setAsking({ what: "create" })}>
						<Icon name="plus" size={14} /> New experiment
					</button>
				}
			/>
			<div class="toolbar">
				<Search main label="Find by name" value={words} onChange={(t) => setQuery({ q: t }, { replace: true })} />
				<Choice
					label="Which experiments"
					options={[
						{ id: "active", label: "Active" },
						{ id: "archived", label: "Archived" },
					]}
					value={view === "active" ? "active" : "archived"}
					onChange={(v) => setQuery({ view: v === "active" ? null : v })}
				/>
			</div>
			{list.data && <Stale error={list.error} retry={list.reload} />}
			{list.data === undefined ? (
				list.error === null ? <Loading /> : <Failed error={list.error} what="the experiments" retry={list.reload} />
			) : (
				<Table rows={list.data} words={words} archived={view === "deleted"} ask={setAsking} restore={restore} />
			)}
			<Dialogs asking={asking} close={() => setAsking(null)} reload={list.reload} />
		</>
	);
}

interface TableProps {
	rows: api.ExperimentRow[];
	words: string;
	archived: boolean;
	ask: (a: Asking) => void;
	restore: (row: api.ExperimentRow) => void;
}

function Table({ rows, words, archived, ask, restore }: TableProps) {
	const order = (query.value.get("sort") ?? "last") as Order;
	const needle = words.trim().toLowerCase();
	const shown = rows
		.filter((r) => r.name.toLowerCase().includes(needle) || r.experiment_id === needle)
		.sort(orders[order] ?? orders.last);
	if (rows.length === 0)
		return (
			<Notice icon={archived ? "archive" : "flask"} title={archived ? "Nothing is archived" : "No experiments yet"}>
				<p>{archived ? "Archived experiments rest here and can be restored." : "An experiment holds the runs that you want to compare."}</p>
			</Notice>
		);
	if (shown.length === 0)
		return (
			<Notice icon="search" title={`No experiment is called “${words}”`}>
				<p>{plural(rows.length, "experiment")} with other names.</p>
				<button type="button" class="button" onClick={() => setQuery({ q: null })}>
					Show all
				</button>
			</Notice>
		);
	const items = (r: api.ExperimentRow): MenuItem[] =>
		archived
			? [{ label: "Restore", run: () => restore(r) }]
			: [
					{ label: "Rename…", run: () => ask({ what: "rename", row: r }) },
					{ label: "Archive…", run: () => ask({ what: "archive", row: r }), danger: true },
				];
	return (
		<div class="table-box">
			<table class="table">
				<thead>
					<tr>
						<Heading id="name" order={order}>
							Name
						</Heading>
						<Heading id="runs" order={order} right>
							Runs
						</Heading>
						<th>Now</th>
						<Heading id="last" order={order}>
							Last run
						</Heading>
						<Heading id="created" order={order}>
							Created
						</Heading>
						<th class="right">Id</th>
						<th aria-label="Actions" class="tight" />
					</tr>
				</thead>
				<tbody>
					{shown.map((r) => (
						<tr key={r.experiment_id}>
							<td class="main-cell">
								<Link href={path("experiments", r.experiment_id)}>{r.name}</Link>
							</td>
							<td class="right num">{group(r.runs)}</td>
							<td>{r.active_runs > 0 && <span class="status status-running">{group(r.active_runs)} running</span>}</td>
							<td class="muted">
								<Time at={r.last_run_unix_ms} />
							</td>
							<td class="muted">
								<Time at={r.creation_time} />
							</td>
							<td class="right num faint">{r.experiment_id}</td>
							<td class="tight">
								<Menu label={`Actions for ${r.name}`} button={<Icon name="more" />} items={items(r)} />
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

function Heading({ id, order, right, children }: { id: Order; order: Order; right?: boolean; children: string }) {
	const current = id === order;
	return (
		<th class={right === true ? "right" : ""} aria-sort={current ? (id === "name" ? "ascending" : "descending") : undefined}>
			<button type="button" class="sort" onClick={() => setQuery({ sort: id === "last" ? null : id })}>
				{children}
				{current && <Icon name={id === "name" ? "arrowUp" : "arrowDown"} size={11} />}
			</button>
		</th>
	);
}

function Dialogs({ asking, close, reload }: { asking: Asking; close: () => void; reload: () => void }) {
	if (asking === null) return null;
	if (asking.what === "create")
		return (
			<Ask
				title="New experiment"
				action="Create"
				onClose={close}
				run={async (form) => go(path("experiments", await api.createExperiment(String(form.get("name")).trim())))}
			>
				<label class="field">
					<span>Name</span>
					<input name="name" type="text" required autofocus autocomplete="off" maxLength={500} />
				</label>
			</Ask>
		);
	const { row } = asking;
	if (asking.what === "rename")
		return (
			<Ask
				title="Rename experiment"
				action="Rename"
				onClose={close}
				run={async (form) => {
					await api.renameExperiment(row.experiment_id, String(form.get("name")).trim());
					reload();
				}}
			>
				<label class="field">
					<span>Name</span>
					<input name="name" type="text" required autofocus autocomplete="off" maxLength={500} value={row.name} onFocus={(e) => e.currentTarget.select()} />
				</label>
			</Ask>
		);
	return (
		<Ask
			title={`Archive “${row.name}”?`}
			action="Archive"
			danger
			onClose={close}
			run={async () => {
				await api.archiveExperiment(row.experiment_id);
				notify(`“${row.name}” is archived; it can be restored.`);
				reload();
			}}
		>
			<p>
				Its {plural(row.runs, "run")} go with it and take no more data. Nothing is deleted: restore it under Archived.
				{row.active_runs > 0 && <strong> {plural(row.active_runs, "run is", "runs are")} still running.</strong>}
			</p>
		</Ask>
	);
}
