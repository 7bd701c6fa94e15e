// The charts of one or several runs: shown as they come in sight, on one axis, zoomed together.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";
import type { XMode } from "../base/series.ts";
import { plural } from "../base/format.ts";
import { useSeries, type Range, type Series } from "../state/series.ts";
import { query, setQuery } from "../state/url.ts";
import { Chart, xText, type ChartRun } from "./chart.tsx";
import { Search } from "./search.tsx";
import { Failed, Notice, Stale } from "./states.tsx";
import { Choice } from "./tabs.tsx";

const buckets = 500;

export function xMode(): XMode {
	const x = query.value.get("x");
	return x === "time" || x === "relative" ? x : "step";
}

/** What part of the axis all charts show; in the address. */
function zoomed(): Range | null {
	const [from, to] = (query.value.get("zoom") ?? "").split("..").map((t) => (t === "" ? NaN : Number(t)));
	return from !== undefined && to !== undefined && from < to ? [from, to] : null;
}

/** To whole steps, or milliseconds. */
function zoom(to: Range | null): void {
	const unit = xMode() === "step" ? 1 : 1000;
	setQuery({ zoom: to === null ? null : `${Math.floor(to[0] * unit) / unit}..${Math.ceil(to[1] * unit) / unit}` });
}

/** The series that charts of these runs show, on the axis and in the range of the address. */
export function useCharts(runs: ReadonlyMap<string, ChartRun>, keys: string[], live: string[]): Series {
	const ids = [...runs.keys()];
	const startMs = useMemo(() => new Map([...runs.values()].map((r) => [r.id, r.startMs])), [runs]);
	return useSeries({ runIds: ids, startMs, keys, live, buckets, x: xMode(), zoom: zoomed() });
}

/** x axis and scale; in the address. */
export function ChartSettings() {
	return (
		<>
			<Choice
				label="X axis"
				options={[
					{ id: "step", label: "Step" },
					{ id: "time", label: "Time" },
					{ id: "relative", label: "Relative" },
				]}
				value={xMode()}
				onChange={(x) => setQuery({ x: x === "step" ? null : x, zoom: null }, { replace: true })}
			/>
			<Choice
				label="Scale"
				options={[
					{ id: "linear", label: "Linear" },
					{ id: "log", label: "Log" },
				]}
				value={query.value.get("scale") === "log" ? "log" : "linear"}
				onChange={(s) => setQuery({ scale: s === "log" ? s : null }, { replace: true })}
			/>
		</>
	);
}

/** How to look closer; when one does, at what, and the way back. */
export function Zoom() {
	const range = zoomed();
	if (range === null) return <span class="toolbar-end muted hint">Drag over a chart to look closer</span>;
	const x = xMode();
	return (
		<span class="toolbar-end zoom">
			<span class="muted num">
				{xText(range[0], x)} – {xText(range[1], x).replace(/^step /, "")}
			</span>
			<button type="button" class="button small" onClick={() => zoom(null)}>
				Show all
			</button>
		</span>
	);
}

interface GridProps {
	runs: ReadonlyMap<string, ChartRun>;
	keys: string[];
	series: Series;
}

/** A chart for each key; those far below are drawn when they come near. */
export function ChartGrid({ runs, keys, series }: GridProps) {
	const x = xMode();
	const range = zoomed();
	const log = query.value.get("scale") === "log";
	if (series.error !== null && series.byKey.size === 0) return <Failed error={series.error} what="the metrics" retry={series.reload} />;
	return (
		<>
			<Stale error={series.error} retry={series.reload} />
			<div class="charts">
				{keys.map((key) => (
					<Near key={key} title={key}>
						{() => {
							const of = series.byKey.get(key);
							if (of === undefined || of.length === 0) return series.loading ? null : <p class="chart-note">No points</p>;
							return <Chart title={key} series={of} runs={runs} x={x} log={log} zoom={range} onZoom={zoom} />;
						}}
					</Near>
				))}
			</div>
		</>
	);
}

function Near({ title, children }: { title: string; children: () => JSX.Element | null }) {
	const box = useRef<HTMLDivElement>(null);
	const [near, setNear] = useState(false);
	useEffect(() => {
		const seen = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && setNear(true), { rootMargin: "300px" });
		seen.observe(box.current!);
		return () => seen.disconnect();
	}, []);
	const content = near ? children() : null;
	return (
		<div class="chart-slot" ref={box}>
			{content ?? (
				<div class="chart chart-waiting">
					<header>
						<h3>{title}</h3>
					</header>
					<div class="chart-plot" />
				</div>
			)}
		</div>
	);
}

interface ChartsProps {
	runs: ReadonlyMap<string, ChartRun>;
	keys: string[];
	live: string[];
	empty: ComponentChildren;
}

/** The whole chart page: search over keys, settings, grid. */
export function Charts({ runs, keys, live, empty }: ChartsProps) {
	const words = query.value.get("metric") ?? "";
	const shown = useMemo(() => keys.filter((k) => k.toLowerCase().includes(words.trim().toLowerCase())), [keys.join("\n"), words]);
	const series = useCharts(runs, shown.slice(0, 60), live);
	if (keys.length === 0) return <>{empty}</>;
	return (
		<>
			<div class="toolbar">
				<Search label="Find a metric" value={words} onChange={(t) => setQuery({ metric: t }, { replace: true })} />
				<ChartSettings />
				{shown.length > 60 && <span class="muted">showing 60 of {plural(shown.length, "metric")}</span>}
				<Zoom />
			</div>
			{shown.length === 0 ? (
				<Notice icon="search" title="No metric is called like that">
					<p>{plural(keys.length, "metric")} with other names.</p>
				</Notice>
			) : (
				<ChartGrid runs={runs} keys={shown.slice(0, 60)} series={series} />
			)}
		</>
	);
}
