// Times, numbers and other small text with its exact value on hover.

import type { ComponentChildren } from "preact";
import { duration, exactNumber, exactTime, relativeTime, shortNumber } from "../base/format.ts";
import { runColour } from "../base/colour.ts";
import type { Run, RunStatus } from "../api.ts";
import { now } from "../state/now.ts";
import { theme } from "../state/theme.ts";
import { notify } from "../state/toast.ts";
import { useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

export function Time({ at }: { at: number | null | undefined }) {
	if (at === null || at === undefined || at <= 0) return <span class="faint">–</span>;
	return (
		<time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
			{relativeTime(at, now.value)}
		</time>
	);
}

/** `after` follows the exact number in the title. */
export function Num({ value, after }: { value: number | undefined; after?: string | undefined }) {
	if (value === undefined) return <span class="faint">–</span>;
	return (
		<span class="num" title={exactNumber(value) + (after === undefined ? "" : `, ${after}`)}>
			{shortNumber(value)}
		</span>
	);
}

export function Duration({ run }: { run: Run }) {
	const end = run.endMs ?? (run.status === "RUNNING" ? now.value : null);
	if (end === null || run.startMs <= 0) return <span class="faint">–</span>;
	const ms = Math.max(0, end - run.startMs);
	return (
		<span class="num" title={`${ms / 1000} s`}>
			{duration(ms)}
		</span>
	);
}

const words: Record<RunStatus, string> = {
	RUNNING: "Running",
	SCHEDULED: "Scheduled",
	FINISHED: "Finished",
	FAILED: "Failed",
	KILLED: "Stopped",
};

export function Status({ status }: { status: RunStatus }) {
	return <span class={`status status-${status.toLowerCase()}`}>{words[status] ?? status}</span>;
}

/** The run's colour, as everywhere; with the dash of its line where several runs are compared. */
export function Swatch({ runId, dash = 0 }: { runId: string; dash?: number | undefined }) {
	return <span class={dash === 0 ? "swatch" : `swatch dash-${dash}`} style={{ background: runColour(runId, theme.value) }} aria-hidden="true" />;
}

export function Copy({ text, label, children }: { text: string; label: string; children?: ComponentChildren }) {
	const [done, setDone] = useState(false);
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
			setDone(true);
			setTimeout(() => setDone(false), 1500);
		} catch {
			notify("The browser did not allow copying; select the text instead.", "failed");
		}
	};
	return (
		<button type="button" class={children === undefined ? "icon-button copy" : "button copy"} title={label} aria-label={label} onClick={copy}>
			<Icon name={done ? "check" : "copy"} size={14} />
			{children}
		</button>
	);
}

/** Lines to copy, as they are typed. */
export function Code({ text, label = "Copy" }: { text: string; label?: string }) {
	return (
		<div class="code">
			<pre tabIndex={0}>{text}</pre>
			<Copy text={text} label={label} />
		</div>
	);
}
