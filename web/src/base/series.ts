// What a chart draws, made from what the server sends.

import type { MetricSeries } from "../api.ts";

export type XMode = "step" | "time" | "relative";

export interface Line {
	x: number[];
	y: (number | null)[];
	/** The band of each bucket; absent when every bucket is one sample. */
	min?: (number | null)[];
	max?: (number | null)[];
}

/** One series as a line: ascending x, the last of equal ones, NaN as a gap, nothing at or below zero in log scale. */
export function toLine(series: MetricSeries, mode: XMode, log: boolean, startMs: number): Line {
	const p = series.points;
	const order = p.step.map((_, i) => i);
	const at = (i: number) =>
		mode === "step" ? p.step[i]! : mode === "time" ? p.time[i]! / 1000 : (p.time[i]! - startMs) / 1000;
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

export interface Summary {
	n: number;
	last: number;
	min: number;
	max: number;
}

export function summary(series: MetricSeries): Summary {
	const p = series.points;
	let min = NaN;
	let max = NaN;
	for (const v of p.min) if (v !== null && !(v >= min)) min = v;
	for (const v of p.max) if (v !== null && !(v <= max)) max = v;
	return { n: series.n, last: p.last[p.last.length - 1] ?? NaN, min, max };
}
