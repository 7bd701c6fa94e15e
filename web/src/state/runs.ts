// The runs of a search: page after page, kept up to date without moving anything under the pointer.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api.ts";
import { usePoll } from "./resource.ts";

const firstPage = 100;
const nextPage = 500;

export interface RunList {
	/** The search that the runs answer. */
	key: string;
	runs: api.Run[];
	/** There is more to load. */
	more: boolean;
	loading: boolean;
	loadingMore: boolean;
	error: unknown;
	/** Runs that a refresh saw and that are not shown yet. */
	fresh: number;
	loadMore: () => void;
	reload: () => void;
}

interface State {
	key: string;
	runs: api.Run[];
	next: string | null;
	loading: boolean;
	loadingMore: boolean;
	error: unknown;
	fresh: number;
}

const empty = { runs: [], next: null, loading: true, loadingMore: false, error: null, fresh: 0 };

export function useRuns(search: Omit<api.RunSearch, "limit" | "pageToken">): RunList {
	const key = JSON.stringify(search);
	const [state, setState] = useState<State>({ key, ...empty });
	const [turn, setTurn] = useState(0);
	const now = useRef(state);
	now.current = state;

	useEffect(() => {
		const abort = new AbortController();
		setState((s) => ({ ...s, key, loading: true, error: null }));
		api.searchRuns({ ...search, limit: firstPage }, abort.signal).then(
			(page) => setState({ key, ...empty, runs: page.runs, next: page.next, loading: false }),
			(error: unknown) => {
				if (!api.isAbort(error)) setState((s) => ({ ...s, error, loading: false }));
			},
		);
		return () => abort.abort();
	}, [key, turn]);

	const loadMore = useCallback(async () => {
		const s = now.current;
		if (s.next === null || s.loading || s.loadingMore || s.error !== null) return;
		now.current = { ...s, loadingMore: true };
		setState((t) => ({ ...t, loadingMore: true }));
		try {
			const page = await api.searchRuns({ ...search, limit: nextPage, pageToken: s.next });
			setState((t) => (t.key === s.key ? { ...t, runs: append(t.runs, page.runs), next: page.next, loadingMore: false } : t));
		} catch (error) {
			setState((t) => (t.key === s.key ? { ...t, error, loadingMore: false } : t));
		}
	}, [key]);

	usePoll(5000, !state.loading && state.error === null, async (signal) => {
		const page = await api.searchRuns({ ...search, limit: firstPage }, signal);
		setState((s) => (s.key === key && !s.loading ? update(s, page) : s));
	});

	return { ...state, more: state.next !== null, loadMore: () => void loadMore(), reload: () => setTurn((t) => t + 1) };
}

function append(runs: api.Run[], more: api.Run[]): api.Run[] {
	const seen = new Set(runs.map((r) => r.id));
	return [...runs, ...more.filter((r) => !seen.has(r.id))];
}

/** Known runs in place; unknown ones are counted, and shown when the reader asks. An empty table just fills. */
function update(s: State, page: api.RunPage): State {
	if (s.runs.length === 0) return { ...s, runs: page.runs, next: page.next };
	const byId = new Map(page.runs.map((r) => [r.id, r]));
	const runs = s.runs.map((r) => {
		const newer = byId.get(r.id);
		byId.delete(r.id);
		return newer ?? r;
	});
	return { ...s, runs, fresh: s.next === null || byId.size < page.runs.length ? byId.size : 0 };
}
