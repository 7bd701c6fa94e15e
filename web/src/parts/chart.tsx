// One metric as a chart: a line a run, the band of each bucket behind it, a crosshair shared by all charts of the page.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { MetricSeries } from "../api.ts";
import { dashPatterns, dashes, runColour } from "../base/colour.ts";
import { duration, exactTime, group, plural, shortNumber } from "../base/format.ts";
import { join, toLine, type Line, type XMode } from "../base/series.ts";
import type { Range } from "../state/series.ts";
import { theme } from "../state/theme.ts";
import { Swatch } from "./text.tsx";

export interface ChartRun {
	id: string;
	name: string;
	startMs: number;
}

interface Props {
	title: string;
	/** One entry a run; runs without this metric are left out by the caller. */
	series: readonly MetricSeries[];
	runs: ReadonlyMap<string, ChartRun>;
	x: XMode;
	log: boolean;
	/** The part of the axis that is shown; null: all. Who drags over the chart asks for another. */
	zoom: Range | null;
	onZoom: (zoom: Range | null) => void;
}

const sync = uPlot.sync("cairn");
const height = 206;

interface Drawn {
	data: uPlot.AlignedData;
	runIds: string[];
	lines: Line[];
	/** Column of each run's line, and whether a band follows it. */
	columns: number[];
	bands: boolean[];
}

function prepare(series: readonly MetricSeries[], runs: Props["runs"], x: XMode, log: boolean): Drawn {
	const lines = series.map((s) => toLine(s, x, log, runs.get(s.run_id)?.startMs ?? 0));
	const columns: number[] = [];
	const bands: boolean[] = [];
	let next = 1;
	for (const l of lines) {
		columns.push(next);
		bands.push(l.min !== undefined);
		next += l.min === undefined ? 1 : 3;
	}
	const data = join(lines.map((l) => ({ x: l.x, ys: l.min === undefined ? [l.y] : [l.y, l.max!, l.min] })));
	return { data: data as uPlot.AlignedData, runIds: series.map((s) => s.run_id), lines, columns, bands };
}

/** A colour role as the canvas wants it. */
function role(name: string): string {
	const probe = document.createElement("span");
	probe.style.color = `var(${name})`;
	document.body.append(probe);
	const colour = getComputedStyle(probe).color;
	probe.remove();
	return colour;
}

function axisNumber(v: number): string {
	const size = Math.abs(v);
	if (size >= 1e4 && size < 1e6 && Number.isInteger(v)) return shortNumber(v / 1000) + "k";
	if (size >= 1e6 && size < 1e9) return shortNumber(v / 1e6) + "M";
	return shortNumber(Number(v.toPrecision(6)));
}

export function xText(v: number, mode: XMode): string {
	if (mode === "step") return `step ${group(v)}`;
	return mode === "time" ? exactTime(v * 1000) : duration(v * 1000);
}

interface Hooks {
	onCursor: (u: uPlot) => void;
	onZoom: (zoom: Range | null) => void;
}

/** Charts that share the crosshair share the selection too: the one that is dragged over speaks. */
function onSelect(u: uPlot, onZoom: Hooks["onZoom"]): void {
	const { left, width } = u.select;
	u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
	if (width >= 5 && u.over.matches(":hover")) onZoom([u.posToVal(left, "x"), u.posToVal(left + width, "x")]);
}

function options(d: Drawn, dash: ReadonlyMap<string, number>, x: XMode, log: boolean, width: number, { onCursor, onZoom }: Hooks): uPlot.Options {
	const axis: uPlot.Axis = {
		stroke: role("--chart-axis"),
		grid: { stroke: role("--chart-grid"), width: 1 },
		ticks: { show: false },
		font: "11px Inter, system-ui, sans-serif",
		gap: 6,
	};
	const series: uPlot.Series[] = [{}];
	const bands: uPlot.Band[] = [];
	// many bands over each other hide the lines
	const shade = d.runIds.length <= 4 ? "2b" : d.runIds.length <= 12 ? "17" : "0a";
	d.runIds.forEach((id, i) => {
		const colour = runColour(id, theme.value);
		const few = d.lines[i]!.x.length <= 40;
		const pattern = dashPatterns[dash.get(id) ?? 0];
		series.push({ stroke: colour, width: 1.6, points: { show: few, size: 4, fill: colour }, ...(pattern && { dash: pattern }) });
		if (!d.bands[i]) return;
		const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
		series.push(edge, { ...edge });
		bands.push({ series: [d.columns[i]! + 1, d.columns[i]! + 2], fill: colour + shade });
	});
	return {
		width,
		height,
		padding: [10, x === "relative" ? 26 : 14, 0, 0],
		legend: { show: false },
		scales: { x: { time: x === "time" }, y: { distr: log ? 3 : 1, ...(log ? {} : { range: roomy }) } },
		axes: [
			{ ...axis, size: 26, space: 64, ...(x === "time" ? {} : { values: (_, v) => v.map((n) => (x === "step" ? axisNumber(n) : duration(n * 1000).replace(/ 00 s$/, ""))) }) },
			{ ...axis, size: (_, values) => 16 + 6.6 * Math.max(3, ...(values ?? []).map((v) => v.length)), space: 34, values: (_, v) => v.map((n) => (n === null ? "" : axisNumber(n))) },
		],
		series,
		bands,
		cursor: {
			sync: { key: sync.key, scales: ["x", null] },
			drag: { x: true, y: false, setScale: false },
			bind: { dblclick: () => () => (onZoom(null), null) },
			y: false,
			points: { size: 7 },
			focus: { prox: 16 },
		},
		focus: { alpha: d.runIds.length > 1 ? 0.35 : 1 },
		hooks: { setCursor: [onCursor], setSelect: [(u) => onSelect(u, onZoom)] },
	};
}

/** A little air above and below; a flat line in the middle. */
const roomy: uPlot.Range.Function = (_u, min, max) => {
	if (min === null || max === null) return [0, 1];
	const pad = max === min ? Math.abs(max) * 0.1 || 1 : (max - min) * 0.06;
	const low = min >= 0 && min - pad < 0 ? 0 : min - pad;
	return [low, max + pad];
};

interface Reading {
	x: number;
	values: { id: string; value: number }[];
	left: number;
	hovered: boolean;
}

/** What each run had at the crosshair: its last point at or before it. */
function read(u: uPlot, d: Drawn): Reading | null {
	const left = u.cursor.left ?? -1;
	const idx = u.cursor.idx;
	if (left < 0 || idx === null || idx === undefined) return null;
	const x = u.data[0][idx];
	if (x === undefined) return null;
	const values: Reading["values"] = [];
	d.columns.forEach((column, i) => {
		const line = d.lines[i]!;
		if (x < line.x[0]! || x > line.x[line.x.length - 1]!) return;
		let at = idx;
		while (at >= 0 && u.data[column]![at] === undefined) at--;
		const value = u.data[column]![at];
		if (typeof value === "number") values.push({ id: d.runIds[i]!, value });
	});
	values.sort((a, b) => b.value - a.value);
	return { x, values, left: left + u.bbox.left / devicePixelRatio, hovered: (u.cursor.event ?? null) !== null };
}

export function Chart({ title, series, runs, x, log, zoom, onZoom }: Props) {
	const plot = useRef<HTMLDivElement>(null);
	const chart = useRef<uPlot | null>(null);
	const [reading, setReading] = useState<Reading | null>(null);
	const [hovered, setHovered] = useState(false);
	const drawn = useMemo(() => prepare(series, runs, x, log), [series, runs, x, log]);
	const dash = useMemo(() => dashes(runs.keys()), [runs]);
	const current = useRef(drawn);
	current.current = drawn;
	const shape = `${drawn.runIds.join()} ${drawn.bands.join()} ${x} ${log} ${theme.value} ${drawn.lines.map((l) => l.x.length <= 40)}`;
	const any = drawn.lines.some((l) => l.y.some((v) => v !== null));
	const inRange = zoom === null || drawn.lines.some((l) => l.x.some((v) => v >= zoom[0] && v <= zoom[1]));

	useEffect(() => {
		const box = plot.current!;
		const width = () => Math.max(80, box.clientWidth - 8);
		const hooks = { onCursor: (p: uPlot) => setReading(read(p, current.current)), onZoom };
		const u = new uPlot(options(drawn, dash, x, log, width(), hooks), drawn.data, box);
		chart.current = u;
		show(u, drawn.data, zoom);
		const resized = new ResizeObserver(() => u.width !== width() && u.setSize({ width: width(), height }));
		resized.observe(box);
		return () => {
			resized.disconnect();
			u.destroy();
			chart.current = null;
		};
	}, [shape]);

	useEffect(() => {
		if (chart.current !== null) show(chart.current, drawn.data, zoom);
	}, [drawn, zoom?.join()]);

	const hidden = log ? series.reduce((n, s) => n + s.points.last.filter((v) => v !== null && v <= 0).length, 0) : 0;
	const single = drawn.runIds.length === 1;
	const last = single ? series[0]!.points.last.at(-1) : undefined;
	return (
		<figure class="chart" onPointerEnter={() => setHovered(true)} onPointerLeave={() => setHovered(false)}>
			<header>
				<h3 title={title}>{title}</h3>
				<span class="reading">{inRange && readingText(reading, single, last, x)}</span>
			</header>
			<div class="chart-plot" ref={plot} role="img" aria-label={describe(title, series)} />
			{!any && <p class="chart-note">{log ? "Nothing above zero to show on a log scale" : "No finite values yet"}</p>}
			{any && !inRange && <p class="chart-note">No points in this range</p>}
			{hidden > 0 && any && <p class="chart-foot">{plural(hidden, "point")} at or below zero not on the log scale</p>}
			{reading !== null && hovered && !single && <Tip reading={reading} runs={runs} dash={dash} x={x} width={plot.current?.clientWidth ?? 400} />}
		</figure>
	);
}

function show(u: uPlot, data: uPlot.AlignedData, zoom: Range | null): void {
	u.batch(() => {
		if (u.data !== data || zoom === null) u.setData(data, zoom === null);
		if (zoom !== null) u.setScale("x", { min: zoom[0], max: zoom[1] });
	});
}

function readingText(reading: Reading | null, single: boolean, last: number | null | undefined, x: XMode) {
	if (reading === null) return single && typeof last === "number" ? <b>{shortNumber(last)}</b> : null;
	const value = single ? reading.values[0]?.value : undefined;
	return (
		<>
			{value !== undefined && <b>{shortNumber(value)}</b>} {xText(reading.x, x)}
		</>
	);
}

function Tip({ reading, runs, dash, x, width }: { reading: Reading; runs: Props["runs"]; dash: ReadonlyMap<string, number>; x: XMode; width: number }) {
	const onLeft = reading.left > width / 2;
	const style = onLeft ? { right: `${width - reading.left + 14}px`, top: "44px" } : { left: `${reading.left + 18}px`, top: "44px" };
	const shown = reading.values.slice(0, 12);
	return (
		<div class="chart-tip" style={style}>
			<div class="at">{xText(reading.x, x)}</div>
			<ul>
				{shown.map((v) => (
					<li key={v.id}>
						<Swatch runId={v.id} dash={dash.get(v.id)} />
						<span>{runs.get(v.id)?.name ?? v.id}</span>
						<span class="num">{shortNumber(v.value)}</span>
					</li>
				))}
			</ul>
			{reading.values.length > shown.length && <div class="at">and {reading.values.length - shown.length} more</div>}
		</div>
	);
}

function describe(title: string, series: readonly MetricSeries[]): string {
	const points = series.reduce((n, s) => n + s.n, 0);
	return `Chart of ${title}: ${plural(series.length, "run")}, ${plural(points, "point")}`;
}

interface SparkProps {
	series: MetricSeries;
}

/** A metric's course in the height of a line. */
export function Spark({ series }: SparkProps) {
	const line = toLine(series, "step", false, 0);
	const finite = line.y.filter((v) => v !== null);
	if (finite.length < 2) return null;
	const [w, h] = [120, 20];
	const low = Math.min(...finite);
	const range = Math.max(...finite) - low || 1;
	const [first, end] = [line.x[0]!, line.x[line.x.length - 1]!];
	let path = "";
	let pen = "M";
	line.x.forEach((at, i) => {
		const y = line.y[i];
		if (y === null || y === undefined) return void (pen = "M");
		path += `${pen}${(((at - first) / (end - first || 1)) * w).toFixed(1)} ${(h - 1 - ((y - low) / range) * (h - 2)).toFixed(1)}`;
		pen = "L";
	});
	return (
		<svg class="spark" width={w} height={h} viewBox={`0 0 ${w} ${h}`} aria-hidden="true">
			<path d={path} stroke={runColour(series.run_id, theme.value)} />
		</svg>
	);
}
