// The charts of one or several runs: fetched in groups, refreshed while a run is running, shown as they come in sight.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";
import * as api from "../api.ts";
import type { XMode } from "../base/series.ts";
import { plural } from "../base/format.ts";
import { usePoll } from "../state/resource.ts";
import { query, setQuery } from "../state/url.ts";
import { Chart, type ChartRun } from "./chart.tsx";
import { Search } from "./search.tsx";
import { Failed, Notice, Stale } from "./states.tsx";
import { Choice } from "./tabs.tsx";

const keysAtOnce = 12;
const runsAtOnce = 20;

export type SeriesByKey = ReadonlyMap<string, readonly api.MetricSeries[]>;

async function fetchSeries(runIds: string[], keys: string[], buckets: number, signal: AbortSignal, add: (s: api.MetricSeries[]) => void) {
	for (let k = 0; k < keys.length; k += keysAtOnce)
		for (let r = 0; r < runIds.length; r += runsAtOnce)
			add(await api.metricSeries(runIds.slice(r, r + runsAtOnce), keys.slice(k, k + keysAtOnce), buckets, signal));
}

function merge(before: SeriesByKey, found: api.MetricSeries[]): SeriesByKey {
	const next = new Map(before);
	for (const s of found) {
		const others = (next.get(s.key) ?? []).filter((o) => o.run_id !== s.run_id);
		next.set(s.key, s.n > 0 ? [...others, s] : others);
	}
	return next;
}

export interface Series {
	byKey: SeriesByKey;
	error: unknown;
	loading: boolean;
	reload: () => void;
}

/** Series of these runs and keys; `live` ones are fetched again every two seconds. */
export function useSeries(runIds: string[], keys: string[], live: string[], buckets: number): Series {
	const [byKey, setByKey] = useState<SeriesByKey>(new Map());
	const [error, setError] = useState<unknown>(null);
	const [loading, setLoading] = useState(true);
	const [turn, setTurn] = useState(0);
	const runsKey = runIds.join();
	const keysKey = JSON.stringify(keys);
	const have = useRef({ runs: "", keys: new Set<string>() });
	useEffect(() => {
		const abort = new AbortController();
		if (have.current.runs !== runsKey) {
			have.current = { runs: runsKey, keys: new Set() };
			setByKey(new Map());
		}
		const missing = keys.filter((k) => !have.current.keys.has(k));
		setLoading(missing.length > 0);
		fetchSeries(runIds, missing, buckets, abort.signal, (found) => {
			if (abort.signal.aborted) return;
			setByKey((before) => merge(before, found));
			setError(null);
		}).then(
			() => {
				for (const k of missing) have.current.keys.add(k);
				setLoading(false);
			},
			(e: unknown) => {
				if (abort.signal.aborted || api.isAbort(e)) return;
				setError(e);
				setLoading(false);
			},
		);
		return () => abort.abort();
	}, [runsKey, keysKey, buckets, turn]);
	usePoll(2000, live.length > 0 && keys.length > 0, async (signal) => {
		try {
			const all: api.MetricSeries[] = [];
			await fetchSeries(live, keys, buckets, signal, (found) => void all.push(...found));
			setByKey((before) => merge(before, all));
			setError(null);
		} catch (e) {
			if (!api.isAbort(e)) setError(e);
		}
	});
	const liveBefore = useRef(live);
	useEffect(() => {
		const ended = liveBefore.current.filter((id) => !live.includes(id) && runIds.includes(id));
		liveBefore.current = live;
		if (ended.length === 0) return;
		const abort = new AbortController();
		// the points between the last look and the end
		fetchSeries(ended, keys, buckets, abort.signal, (found) => setByKey((before) => merge(before, found))).catch(() => {});
		return () => abort.abort();
	}, [live.join()]);
	return { byKey, error, loading, reload: () => setTurn((t) => t + 1) };
}

export function xMode(): XMode {
	const x = query.value.get("x");
	return x === "time" || x === "relative" ? x : "step";
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
				onChange={(x) => setQuery({ x: x === "step" ? null : x }, { replace: true })}
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

interface GridProps {
	runs: ReadonlyMap<string, ChartRun>;
	keys: string[];
	series: Series;
}

/** A chart for each key; those far below are drawn when they come near. */
export function ChartGrid({ runs, keys, series }: GridProps) {
	const x = xMode();
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
							return <Chart title={key} series={of} runs={runs} x={x} log={log} />;
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
	const series = useSeries([...runs.keys()], shown.slice(0, 60), live, 500);
	if (keys.length === 0) return <>{empty}</>;
	return (
		<>
			<div class="toolbar">
				<Search label="Find a metric" value={words} onChange={(t) => setQuery({ metric: t }, { replace: true })} />
				<ChartSettings />
				<span class="toolbar-end muted hint">
					{shown.length > 60 ? `showing 60 of ${plural(shown.length, "metric")}` : ""} Drag to zoom, double-click to reset
				</span>
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
