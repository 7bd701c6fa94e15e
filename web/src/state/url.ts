// The address bar as state: every view reads what it shows from here and writes its changes back.

import { computed, signal } from "@preact/signals";
import { changedQuery, parseRoute, queryText } from "../base/route.ts";

function read() {
	return { path: location.pathname, query: new URLSearchParams(location.search) };
}

const current = signal(read());
export const path = computed(() => current.value.path);
export const query = computed(() => current.value.query);
export const route = computed(() => parseRoute(path.value));

addEventListener("popstate", () => (current.value = read()));

export function here(): string {
	return location.pathname + location.search;
}

export function go(to: string, options: { replace?: boolean } = {}): void {
	if (to === here()) return;
	const samePage = new URL(to, location.href).pathname === location.pathname;
	history[options.replace === true ? "replaceState" : "pushState"](null, "", to);
	current.value = read();
	if (!samePage) scrollTo(0, 0);
}

/** Change values of the query: a new place in history, unless it is typing, scrolling or another small matter. */
export function setQuery(change: Record<string, string | null>, options: { replace?: boolean } = {}): void {
	go(location.pathname + queryText(changedQuery(query.value, change)), options);
}
