// What stands in the place of content: loading, nothing there, not allowed, gone wrong. Each with the next step.

import type { ComponentChildren } from "preact";
import { ApiError } from "../api.ts";
import { Icon, type IconName } from "./icon.tsx";
import { Link } from "./link.tsx";

interface NoticeProps {
	icon: IconName;
	title: string;
	children?: ComponentChildren;
	role?: "alert" | "status";
}

export function Notice({ icon, title, children, role }: NoticeProps) {
	return (
		<div class="notice" role={role}>
			<span class="notice-icon">
				<Icon name={icon} size={22} />
			</span>
			<h2>{title}</h2>
			{children}
		</div>
	);
}

export function Loading({ rows = 6, label = "Loading" }: { rows?: number; label?: string }) {
	return (
		<div class="skeleton" role="status" aria-label={label}>
			{Array.from({ length: rows }, (_, i) => (
				<div key={i} />
			))}
		</div>
	);
}

export function Failed({ error, what, retry }: { error: unknown; what: string; retry?: () => void }) {
	const status = error instanceof ApiError ? error.status : -1;
	const message = error instanceof Error ? error.message : String(error);
	const again = retry !== undefined && (
		<button type="button" class="button" onClick={retry}>
			<Icon name="refresh" size={14} /> Try again
		</button>
	);
	if (status === 401) return <Loading />;
	if (status === 403)
		return (
			<Notice icon="lock" title={`You may not see ${what}`} role="alert">
				<p>{message}</p>
				<p>Ask an administrator for access, or sign in as somebody who has it.</p>
				<Link class="button" href="/">
					To the experiments
				</Link>
			</Notice>
		);
	if (status === 404)
		return (
			<Notice icon="search" title={`There is no such ${what.replace(/^(this|the) /, "")}`} role="alert">
				<p>{message}</p>
				<Link class="button" href="/">
					To the experiments
				</Link>
			</Notice>
		);
	if (status === 0 || status === 503)
		return (
			<Notice icon="warning" title="The server cannot answer just now" role="alert">
				<p>{message}</p>
				<p>Nothing is lost. It may be restarting; try again in a moment.</p>
				{again}
			</Notice>
		);
	return (
		<Notice icon="warning" title={`${what[0]!.toUpperCase()}${what.slice(1)} could not be loaded`} role="alert">
			<p>{message}</p>
			{again}
		</Notice>
	);
}

/** A failed refresh over content that is still shown. */
export function Stale({ error, retry }: { error: unknown; retry: () => void }) {
	if (error === null || (error instanceof ApiError && error.status === 401)) return null;
	return (
		<div class="banner" role="alert">
			<Icon name="warning" />
			<span>Not up to date: {error instanceof Error ? error.message : String(error)}</span>
			<button type="button" class="button small" onClick={retry}>
				Try again
			</button>
		</div>
	);
}
