// Who is signed in.

import { signal } from "@preact/signals";
import * as api from "../api.ts";
import { safeNext } from "../base/route.ts";
import { go, here, query } from "./url.ts";

export type Session =
	| { state: "asking" }
	| { state: "out" }
	| { state: "in"; user: api.User | null; auth: boolean }
	| { state: "unreachable"; error: unknown };

export const session = signal<Session>({ state: "asking" });

export async function ask(): Promise<void> {
	session.value = { state: "asking" };
	try {
		session.value = { state: "in", ...(await api.me()) };
	} catch (e) {
		if (e instanceof api.ApiError && e.status === 401) return;
		session.value = { state: "unreachable", error: e };
	}
}

export async function signIn(username: string, password: string): Promise<void> {
	const { user } = await api.login(username, password);
	const next = safeNext(query.value.get("next"));
	session.value = { state: "in", user, auth: true };
	go(next, { replace: true });
}

export async function signOut(): Promise<void> {
	await api.logout();
	session.value = { state: "out" };
	go("/signin");
}

api.whenUnauthenticated(() => {
	session.value = { state: "out" };
	if (location.pathname === "/signin") return;
	const next = here();
	go("/signin" + (next === "/" ? "" : `?next=${encodeURIComponent(next)}`), { replace: true });
});
