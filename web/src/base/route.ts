// Paths and queries of the UI's own pages. Pure; state/url.ts holds the current one.

export type Route =
	| { page: "signin" }
	| { page: "experiments" }
	| { page: "runs"; experimentId: string }
	| { page: "run"; runId: string }
	| { page: "compare" }
	| { page: "models" }
	| { page: "model"; name: string }
	| { page: "version"; name: string; version: string }
	| { page: "account" }
	| { page: "missing" };

export function parseRoute(path: string): Route {
	const parts = path.split("/").filter((s) => s !== "").map(decode);
	const [first, second, third, fourth] = parts;
	if (parts.length === 0) return { page: "experiments" };
	if (parts.length === 1) {
		if (first === "signin" || first === "experiments" || first === "compare" || first === "models" || first === "account")
			return { page: first };
	}
	if (parts.length === 2 && second !== undefined) {
		if (first === "experiments") return { page: "runs", experimentId: second };
		if (first === "runs") return { page: "run", runId: second };
		if (first === "models") return { page: "model", name: second };
	}
	if (parts.length === 4 && first === "models" && third === "versions")
		return { page: "version", name: second!, version: fourth! };
	return { page: "missing" };
}

function decode(segment: string): string {
	try {
		return decodeURIComponent(segment);
	} catch {
		return segment;
	}
}

/** "/experiments/1" from pieces, each encoded. */
export function path(...segments: string[]): string {
	return "/" + segments.map(encodeURIComponent).join("/");
}

/**
 * Where to go after signing in: a path of our own, else the front page. Nothing that a browser could read as another
 * site: "//host", "/\host", "https:…", control characters.
 */
export function safeNext(next: string | null): string {
	if (next === null || !/^\/(?![/\\])[^\\\u0000-\u001f\u007f]*$/.test(next)) return "/";
	if (next === "/signin" || next.startsWith("/signin?")) return "/";
	return next;
}

/** A query with some values changed; null or "" removes. Order is kept, so that links stay comparable. */
export function changedQuery(query: URLSearchParams, change: Record<string, string | null>): URLSearchParams {
	const next = new URLSearchParams(query);
	for (const [name, value] of Object.entries(change)) {
		if (value === null || value === "") next.delete(name);
		else next.set(name, value);
	}
	return next;
}

/** The query's text, with what is harmless in a query left readable. */
export function queryText(query: URLSearchParams): string {
	const text = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
	return text === "" ? "" : "?" + text;
}

/** Our page for a link as MLflow's client prints it ("#/experiments/1/runs/ab12"); null: it is none. */
export function fromHash(hash: string): string | null {
	const parts = hash.replace(/^#/, "").split("?")[0]!.split("/").filter((s) => s !== "").map(decode);
	const [first, second, third, fourth] = parts;
	if (first === "experiments" && second !== undefined)
		return third === "runs" && fourth !== undefined ? path("runs", fourth) : path("experiments", second);
	if (first === "models" && second !== undefined)
		return third === "versions" && fourth !== undefined ? path("models", second, "versions", fourth) : path("models", second);
	return first === "models" ? "/models" : null;
}
