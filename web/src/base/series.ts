// What a chart draws, made from what the server sends.

import type { LivePoints, MetricSeries } from "../api.ts";

export type XMode = "step" | "time" | "relative";

export interface Line {
	x: number[];
	y: (number | null)[];
	/** The band of each bucket; absent when every bucket is one sample. */
	min?: (number | null)[];
	max?: (number | null)[];
}

/** Where on the axis each point stands: steps, or seconds. */
function places(p: MetricSeries["points"], mode: XMode, startMs: number): (i: number) => number {
	if (mode === "step") return (i) => p.step[i]!;
	const zero = mode === "time" ? 0 : startMs;
	return (i) => (p.time[i]! - zero) / 1000;
}

/** A run that tells no start begins with its first sample. */
function startOf(series: MetricSeries, startMs: number): number {
	return startMs > 0 ? startMs : series.points.time.reduce((first, t) => Math.min(first, t), Infinity);
}

/** One series as a line: ascending x, the last of equal ones, NaN as a gap, nothing at or below zero in log scale. */
export function toLine(series: MetricSeries, mode: XMode, log: boolean, startMs: number): Line {
	const p = series.points;
	const order = p.step.map((_, i) => i);
	const at = places(p, mode, startOf(series, startMs));
	if (mode !== "step") order.sort((a, b) => at(a) - at(b));
	const band = p.count.some((n) => n > 1);
	const line: Line = { x: [], y: [] };
	const min: (number | null)[] = [];
	const max: (number | null)[] = [];
	for (const i of order) {
		const x = at(i);
		if (line.x[line.x.length - 1] === x) {
			line.x.pop();
			line.y.pop();
			min.pop();
			max.pop();
		}
		line.x.push(x);
		line.y.push(drawable(p.last[i], log));
		min.push(drawable(p.min[i], log));
		max.push(drawable(p.max[i], log));
	}
	return band ? { ...line, min, max } : line;
}

function drawable(value: number | null | undefined, log: boolean): number | null {
	if (value === null || value === undefined || !Number.isFinite(value)) return null;
	return log && value <= 0 ? null : value;
}

/**
 * Columns over one shared, ascending x. null is a gap of the series itself, undefined a place where another series
 * has a point and this one does not: the line runs on through it.
 */
export function join(lines: readonly { x: number[]; ys: (number | null)[][] }[]): (number | null | undefined)[][] {
	const all = new Set<number>();
	for (const l of lines) for (const x of l.x) all.add(x);
	const xs = [...all].sort((a, b) => a - b);
	const place = new Map(xs.map((x, i) => [x, i]));
	const out: (number | null | undefined)[][] = [xs];
	for (const l of lines) {
		for (const ys of l.ys) {
			const column: (number | null | undefined)[] = new Array<undefined>(xs.length).fill(undefined);
			for (let i = 0; i < l.x.length; i++) column[place.get(l.x[i]!)!] = ys[i] ?? null;
			out.push(column);
		}
	}
	return out;
}

/* ---- changing what is there ---- */

type Points = MetricSeries["points"];
const columns = ["step", "time", "first", "last", "min", "max", "mean", "count"] as const;

function pick(p: Points, order: readonly number[]): Points {
	const out = {} as Record<string, unknown[]>;
	for (const c of columns) out[c] = order.map((i) => p[c][i]!);
	return out as unknown as Points;
}

function concat(a: Points, b: Points): Points {
	const out = {} as Record<string, unknown[]>;
	for (const c of columns) out[c] = [...a[c], ...b[c]];
	return out as unknown as Points;
}

const none: Points = { step: [], time: [], first: [], last: [], min: [], max: [], mean: [], count: [] };

function isSample(p: Points, i: number, step: number, time: number, value: number | null): boolean {
	return p.count[i] === 1 && p.step[i] === step && p.time[i] === time && Object.is(p.last[i], value);
}

/** What was logged since, at the end or where it belongs. A sample that a client sent twice is taken once. */
export function append(series: MetricSeries | undefined, fresh: LivePoints): MetricSeries {
	const before = series?.points ?? none;
	const taken: number[] = [];
	const end = before.step.length - 1;
	for (let i = 0; i < fresh.step.length; i++) {
		let j = end;
		while (j >= 0 && before.step[j]! > fresh.step[i]!) j--;
		let known = false;
		for (; j >= 0 && before.step[j] === fresh.step[i] && !known; j--) known = isSample(before, j, fresh.step[i]!, fresh.time[i]!, fresh.value[i]!);
		if (!known) taken.push(i);
	}
	const { step, time, value } = fresh;
	const added = pick({ step, time, first: value, last: value, min: value, max: value, mean: value, count: step.map(() => 1) }, taken);
	let points = concat(before, added);
	const rising = (i: number) => i === 0 || points.step[i - 1]! < points.step[i]! || (points.step[i - 1] === points.step[i] && points.time[i - 1]! <= points.time[i]!);
	if (!points.step.every((_, i) => i <= end || rising(i))) {
		const order = points.step.map((_, i) => i).sort((a, b) => points.step[a]! - points.step[b]! || points.time[a]! - points.time[b]!);
		points = pick(points, order);
	}
	return { run_id: fresh.run_id, key: fresh.key, n: (series?.n ?? 0) + taken.length, points };
}

function least(a: number | null | undefined, b: number | null | undefined): number | null {
	return typeof a !== "number" || Number.isNaN(a) ? (b ?? null) : typeof b !== "number" || Number.isNaN(b) || a <= b ? a : b;
}

/** Over `most` points neighbours become one, and keep their extremes. */
export function thin(series: MetricSeries, most: number): MetricSeries {
	if (series.points.step.length <= most) return series;
	const p = series.points;
	const out = pick(p, p.step.map((_, i) => i).filter((i) => i % 2 === 0));
	out.step.forEach((_, k) => {
		const [a, b] = [2 * k, 2 * k + 1];
		if (b >= p.step.length) return;
		const negative = (v: number | null | undefined) => (typeof v === "number" ? -v : v);
		const max = least(negative(p.max[a]), negative(p.max[b]));
		const count = p.count[a]! + p.count[b]!;
		out.last[k] = p.last[b]!;
		out.min[k] = least(p.min[a], p.min[b]);
		out.max[k] = max === null ? null : -max;
		out.mean[k] = ((p.mean[a] ?? NaN) * p.count[a]! + (p.mean[b] ?? NaN) * p.count[b]!) / count;
		out.count[k] = count;
	});
	return thin({ ...series, points: out }, most);
}

/** Every sample is a point of its own: asking for less of it gives nothing finer. */
export function isExact(series: MetricSeries): boolean {
	return series.points.step.length >= series.n;
}

/** The finer points of a range in place of the coarse ones; around it, and after them, the coarse ones stay. */
export function splice(coarse: MetricSeries, fine: MetricSeries, range: readonly [number, number], mode: XMode, startMs: number): MetricSeries {
	const start = startOf(coarse, startMs);
	const at = places(coarse.points, mode, start);
	const end = fine.points.step.map((_, i) => i).map(places(fine.points, mode, start)).reduce((a, b) => Math.max(a, b), -Infinity);
	const indexes = coarse.points.step.map((_, i) => i);
	const before = indexes.filter((i) => at(i) < range[0]);
	const after = indexes.filter((i) => at(i) >= range[0] && (at(i) > range[1] || at(i) > end));
	return { ...coarse, points: concat(concat(pick(coarse.points, before), fine.points), pick(coarse.points, after)) };
}
