// Columns of the runs table: "metrics.loss", "params.lr", "tags.team", "attributes.start_time".

import type { Run } from "../api.ts";
import { byName } from "./order.ts";

export type Kind = "attributes" | "metrics" | "params" | "tags";
export interface Column {
	kind: Kind;
	key: string;
}

export function columnId(c: Column): string {
	return `${c.kind}.${c.key}`;
}

export function parseColumn(id: string): Column | null {
	const dot = id.indexOf(".");
	const kind = id.slice(0, dot);
	const key = id.slice(dot + 1);
	if (dot < 0 || key === "") return null;
	if (kind === "attributes" || kind === "metrics" || kind === "params" || kind === "tags") return { kind, key };
	return null;
}

/** Columns in a URL: comma-separated ids, each encoded, so that keys may hold commas. */
export function parseColumns(text: string): Column[] {
	return text.split(",").map((s) => parseColumn(safeDecode(s))).filter((c) => c !== null);
}
export function columnsText(columns: readonly Column[]): string {
	return columns.map((c) => encodeURIComponent(columnId(c))).join(",");
}

function safeDecode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** order_by of a search: keys in backticks. */
export function orderBy(column: Column, descending: boolean): string {
	const name = column.kind === "attributes" ? `attributes.${column.key}` : `${column.kind}.\`${column.key}\``;
	return `${name} ${descending ? "DESC" : "ASC"}`;
}

export interface Sort {
	column: Column;
	descending: boolean;
}
export const defaultSort: Sort = { column: { kind: "attributes", key: "start_time" }, descending: true };

export function parseSort(text: string | null): Sort {
	if (text === null || text === "") return defaultSort;
	const descending = text.startsWith("-");
	const column = parseColumn(descending ? text.slice(1) : text);
	return column === null ? defaultSort : { column, descending };
}
export function sortText(sort: Sort): string {
	const text = (sort.descending ? "-" : "") + columnId(sort.column);
	return text === "-attributes.start_time" ? "" : text;
}

/** Every key that the runs have, sorted; mlflow's own tags are left out. */
export function knownColumns(runs: readonly Run[]): Record<"metrics" | "params" | "tags", string[]> {
	const found = { metrics: new Set<string>(), params: new Set<string>(), tags: new Set<string>() };
	for (const run of runs) {
		for (const k of run.metrics.keys()) found.metrics.add(k);
		for (const k of run.params.keys()) found.params.add(k);
		for (const k of run.tags.keys()) if (!k.startsWith("mlflow.")) found.tags.add(k);
	}
	const sorted = (s: Set<string>) => [...s].sort(byName);
	return { metrics: sorted(found.metrics), params: sorted(found.params), tags: sorted(found.tags) };
}

/** What to show before anybody chose: the most common metrics, then the parameters that differ. */
export function automaticColumns(runs: readonly Run[]): Column[] {
	const sample = runs.slice(0, 200);
	const metrics = new Map<string, number>();
	const params = new Map<string, Set<string>>();
	for (const run of sample) {
		for (const k of run.metrics.keys()) metrics.set(k, (metrics.get(k) ?? 0) + 1);
		for (const [k, v] of run.params) params.set(k, (params.get(k) ?? new Set()).add(v));
	}
	const common = [...metrics]
		.filter(([k]) => !k.startsWith("system/"))
		.sort((a, b) => b[1] - a[1] || byName(a[0], b[0]))
		.slice(0, 6)
		.map(([key]) => key)
		.sort(byName);
	const differing = [...params]
		.filter(([, values]) => values.size > 1 || sample.length === 1)
		.map(([key]) => key)
		.sort(byName)
		.slice(0, 6);
	return [
		...common.map((key): Column => ({ kind: "metrics", key })),
		...differing.map((key): Column => ({ kind: "params", key })),
	];
}
