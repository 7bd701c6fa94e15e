// The series of charts: fetched in groups, finer ones of a range when somebody looks closer, and what is logged meanwhile by a stream.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import * as api from "../api.ts";
import { append, isExact, splice, thin, type XMode } from "../base/series.ts";
import { usePoll } from "./resource.ts";

const keysAtOnce = 12;
const runsAtOnce = 20;
/** A series that grows while one looks is thinned out beyond. */
const pointsMost = 1200;
const flushMs = 250;
const pollMs = 2000;
const againMs = 1000;
const retryStreamMs = 30_000;

export type SeriesByKey = ReadonlyMap<string, readonly api.MetricSeries[]>;
/** Of the axis: steps, or seconds. */
export type Range = readonly [number, number];

export interface SeriesOf {
	runIds: string[];
	startMs: ReadonlyMap<string, number>;
	keys: string[];
	/** Those of the runs that are still logging. */
	live: string[];
	buckets: number;
	x: XMode;
	zoom: Range | null;
}
export interface Series {
	byKey: SeriesByKey;
	error: unknown;
	loading: boolean;
	reload: () => void;
}

type Ask = Pick<api.SeriesAsk, "runIds" | "keys" | "buckets" | "x" | "from" | "to">;

/** A cursor when one request was enough: several are of several moments. */
async function fetchSeries(ask: Ask, signal: AbortSignal, add: (s: api.MetricSeries[]) => void): Promise<string | undefined> {
	let cursor: string | undefined;
	let requests = 0;
	for (let k = 0; k < ask.keys.length; k += keysAtOnce)
		for (let r = 0; r < ask.runIds.length; r += runsAtOnce) {
			const part = { ...ask, runIds: ask.runIds.slice(r, r + runsAtOnce), keys: ask.keys.slice(k, k + keysAtOnce) };
			const page = await api.metricSeries(part, signal);
			add(page.series);
			cursor = page.cursor;
			requests++;
		}
	return requests === 1 ? cursor : undefined;
}

function merge(before: SeriesByKey, found: readonly api.MetricSeries[]): SeriesByKey {
	const next = new Map(before);
	for (const s of found) {
		const others = (next.get(s.key) ?? []).filter((o) => o.run_id !== s.run_id);
		next.set(s.key, s.n > 0 ? [...others, s] : others);
	}
	return next;
}

function grow(before: SeriesByKey, found: readonly api.LivePoints[]): SeriesByKey {
	const next = new Map(before);
	for (const f of found) {
		const of = next.get(f.key) ?? [];
		const old = of.find((s) => s.run_id === f.run_id);
		const grown = thin(append(old, f), pointsMost);
		next.set(f.key, old === undefined ? [...of, grown] : of.map((s) => (s === old ? grown : s)));
	}
	return next;
}

/** The range as the server takes it: whole steps, or milliseconds. */
function rangeOf(zoom: Range, x: XMode): { from: number; to: number } {
	const unit = x === "step" ? 1 : 1000;
	return { from: Math.floor(zoom[0] * unit), to: Math.ceil(zoom[1] * unit) };
}

export function useSeries(of: SeriesOf): Series {
	const [byKey, setByKey] = useState<SeriesByKey>(new Map());
	const [error, setError] = useState<unknown>(null);
	const [loaded, setLoaded] = useState("");
	const [turn, setTurn] = useState(0);
	const what = `${of.x} ${of.runIds.join()}`;
	const all = `${what} ${JSON.stringify(of.keys)}`;
	const have = useRef({ what: "", keys: new Set<string>(), cursor: undefined as string | undefined });
	useEffect(() => {
		const abort = new AbortController();
		if (have.current.what !== what) {
			have.current = { what, keys: new Set(), cursor: undefined };
			setByKey(new Map());
		}
		const missing = of.keys.filter((k) => !have.current.keys.has(k));
		fetchSeries({ ...of, keys: missing }, abort.signal, (found) => {
			if (abort.signal.aborted) return;
			setByKey((before) => merge(before, found));
			setError(null);
		}).then(
			(cursor) => {
				have.current.cursor = missing.length === of.keys.length ? cursor : undefined;
				for (const k of missing) have.current.keys.add(k);
				setLoaded(all);
			},
			(e: unknown) => {
				if (abort.signal.aborted || api.isAbort(e)) return;
				setError(e);
				setLoaded(all);
			},
		);
		return () => abort.abort();
	}, [all, of.buckets, turn]);
	const loading = loaded !== all;
	useLive(of, !loading, all, {
		cursor: () => {
			const first = have.current.cursor;
			have.current.cursor = undefined;
			return first;
		},
		replace: (found) => (setByKey((before) => merge(before, found)), setError(null)),
		grow: (found) => setByKey((before) => grow(before, found)),
		failed: setError,
	});
	const shown = useFiner(of, byKey, what);
	return { byKey: shown, error, loading, reload: () => setTurn((t) => t + 1) };
}

/* ---- while runs are running ---- */

interface Growing {
	/** What the series that are there go up to, when that is known; asked once. */
	cursor: () => string | undefined;
	replace: (found: api.MetricSeries[]) => void;
	grow: (found: api.LivePoints[]) => void;
	failed: (error: unknown) => void;
}

/** By a stream; by asking again and again where there is none. */
function useLive(of: SeriesOf, ready: boolean, what: string, to: Growing): void {
	const [polling, setPolling] = useState(false);
	const now = useRef(to);
	now.current = to;
	const liveKey = of.live.join();
	const active = ready && of.live.length > 0 && of.keys.length > 0;
	const ask = { ...of, runIds: of.live };
	useEffect(() => {
		if (!active) return;
		const abort = new AbortController();
		let close: (() => void) | null = null;
		let timer = 0;
		let flushing = 0;
		let pending: api.LivePoints[] = [];
		const flush = () => {
			flushing = 0;
			now.current.grow(pending);
			pending = [];
		};
		const end = () => {
			close?.();
			close = null;
			clearTimeout(timer);
			clearTimeout(flushing);
			flushing = 0;
			pending = [];
		};
		const later = (ms: number) => {
			end();
			timer = setTimeout(() => void start(), ms);
		};
		const fallBack = () => {
			setPolling(true);
			later(retryStreamMs);
		};
		const watch = (cursor: string) => {
			close = api.watchMetrics(of.live, of.keys, cursor, {
				points: (found) => {
					pending.push(...found);
					if (flushing === 0) flushing = setTimeout(flush, flushMs);
				},
				reset: () => later(againMs),
				failed: fallBack,
			});
			if (close === null) setPolling(true);
			else setPolling(false);
		};
		const start = async () => {
			const first = now.current.cursor();
			if (first !== undefined) return watch(first);
			try {
				const found: api.MetricSeries[] = [];
				const cursor = await oneFetch(ask, abort.signal, found);
				if (abort.signal.aborted) return;
				now.current.replace(found);
				if (cursor !== undefined) watch(cursor);
				else fallBack();
			} catch (e) {
				if (abort.signal.aborted || api.isAbort(e)) return;
				now.current.failed(e);
				fallBack();
			}
		};
		// browsers hold few connections to one server: pages that nobody sees leave theirs to others
		const seen = () => {
			if (document.visibilityState === "hidden") end();
			else if (close === null) void start();
		};
		if (document.visibilityState === "visible") void start();
		document.addEventListener("visibilitychange", seen);
		return () => {
			document.removeEventListener("visibilitychange", seen);
			abort.abort();
			if (flushing !== 0) flush();
			end();
			setPolling(false);
		};
	}, [active, liveKey, what, of.buckets]);
	usePoll(pollMs, polling && active, async (signal) => {
		try {
			const all: api.MetricSeries[] = [];
			await fetchSeries(ask, signal, (found) => void all.push(...found));
			now.current.replace(all);
		} catch (e) {
			if (!api.isAbort(e)) now.current.failed(e);
		}
	});
	const liveBefore = useRef(of.live);
	useEffect(() => {
		const ended = liveBefore.current.filter((id) => !of.live.includes(id) && of.runIds.includes(id));
		liveBefore.current = of.live;
		if (ended.length === 0) return;
		const abort = new AbortController();
		// the points between the last look and the end
		fetchSeries({ ...of, runIds: ended }, abort.signal, (found) => now.current.replace(found)).catch(() => {});
		return () => abort.abort();
	}, [liveKey]);
}

/** All in one request, so that there is one cursor; in parts, and without one, when they are too many. */
async function oneFetch(ask: Ask, signal: AbortSignal, found: api.MetricSeries[]): Promise<string | undefined> {
	if (ask.runIds.length * ask.keys.length > 1000) return fetchSeries(ask, signal, (s) => void found.push(...s));
	const page = await api.metricSeries(ask, signal);
	found.push(...page.series);
	return page.cursor;
}

/* ---- closer ---- */

interface Finer {
	what: string;
	byKey: SeriesByKey;
}

/** With a zoom, the series of that range are asked for again, where there is more to see. */
function useFiner(of: SeriesOf, byKey: SeriesByKey, what: string): SeriesByKey {
	const [finer, setFiner] = useState<Finer | null>(null);
	const zoomKey = of.zoom === null ? "" : of.zoom.join();
	const coarse = of.keys.filter((k) => byKey.get(k)?.some((s) => !isExact(s)));
	const key = `${what} ${zoomKey}`;
	useEffect(() => {
		if (of.zoom === null || coarse.length === 0) return setFiner(null);
		const abort = new AbortController();
		const ask = { ...of, keys: coarse, ...rangeOf(of.zoom, of.x) };
		fetchSeries(ask, abort.signal, (found) => {
			if (!abort.signal.aborted) setFiner((f) => ({ what: key, byKey: merge(f?.what === key ? f.byKey : new Map(), found) }));
		}).catch(() => {}); // the coarse ones stay
		return () => abort.abort();
	}, [key, coarse.join("\n")]);
	return useMemo(() => {
		if (of.zoom === null || finer?.what !== key) return byKey;
		const out = new Map(byKey);
		for (const [k, fine] of finer.byKey) {
			const put = (s: api.MetricSeries) => {
				const f = fine.find((o) => o.run_id === s.run_id);
				return f === undefined ? s : splice(s, f, of.zoom!, of.x, of.startMs.get(s.run_id) ?? 0);
			};
			out.set(k, (byKey.get(k) ?? []).map(put));
		}
		return out;
	}, [byKey, finer, key]);
}
