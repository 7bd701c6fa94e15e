// Short notices at the page's edge; read out by screen readers.

import { signal } from "@preact/signals";

export interface Toast {
	id: number;
	text: string;
	kind: "done" | "failed";
}

export const toasts = signal<Toast[]>([]);
let last = 0;

export function notify(text: string, kind: Toast["kind"] = "done"): void {
	const id = ++last;
	toasts.value = [...toasts.value.slice(-2), { id, text, kind }];
	setTimeout(() => dismiss(id), kind === "done" ? 4000 : 8000);
}

export function dismiss(id: number): void {
	toasts.value = toasts.value.filter((t) => t.id !== id);
}
