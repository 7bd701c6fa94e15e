// Something fetched: what was there stays on the page while it is fetched anew.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "../api.ts";

export interface Resource<T> {
	data: T | undefined;
	error: unknown;
	loading: boolean;
	reload: () => void;
	/** Change what is shown at once, before or instead of a reload. */
	set: (data: T) => void;
}

/** `key` says what is fetched; another key drops the data of the one before. */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
	const [state, setState] = useState<{ key: string; data: T | undefined; error: unknown; loading: boolean }>({
		key,
		data: undefined,
		error: null,
		loading: true,
	});
	const [turn, setTurn] = useState(0);
	const loadNow = useRef(load);
	loadNow.current = load;
	useEffect(() => {
		const abort = new AbortController();
		setState((s) => ({ key, data: s.key === key ? s.data : undefined, error: s.key === key ? s.error : null, loading: true }));
		loadNow.current(abort.signal).then(
			(data) => abort.signal.aborted || setState({ key, data, error: null, loading: false }),
			(error: unknown) => {
				if (!abort.signal.aborted && !isAbort(error)) setState((s) => ({ ...s, error, loading: false }));
			},
		);
		return () => abort.abort();
	}, [key, turn]);
	const reload = useCallback(() => setTurn((t) => t + 1), []);
	const set = useCallback((data: T) => setState((s) => ({ ...s, data, error: null })), []);
	const fresh = state.key === key;
	return { data: fresh ? state.data : undefined, error: fresh ? state.error : null, loading: fresh ? state.loading : true, reload, set };
}

/** Call `tick` every `ms` while `active` and the page is seen, never twice at once; and when the page is seen again. */
export function usePoll(ms: number, active: boolean, tick: (signal: AbortSignal) => Promise<void>): void {
	const tickNow = useRef(tick);
	tickNow.current = tick;
	useEffect(() => {
		if (!active) return;
		const abort = new AbortController();
		let timer = 0;
		let busy = false;
		const turn = async () => {
			clearTimeout(timer);
			if (abort.signal.aborted || busy) return;
			if (document.visibilityState === "visible") {
				busy = true;
				await tickNow.current(abort.signal).catch(() => {});
				busy = false;
			}
			if (!abort.signal.aborted) timer = setTimeout(turn, ms);
		};
		const seen = () => void (document.visibilityState === "visible" && turn());
		timer = setTimeout(turn, ms);
		document.addEventListener("visibilitychange", seen);
		return () => {
			abort.abort();
			clearTimeout(timer);
			document.removeEventListener("visibilitychange", seen);
		};
	}, [ms, active]);
}
