// The time as "3 min ago" needs it: one clock for the page.

import { signal } from "@preact/signals";

export const now = signal(Date.now());
setInterval(() => {
	if (document.visibilityState === "visible") now.value = Date.now();
}, 10_000);
document.addEventListener("visibilitychange", () => (now.value = Date.now()));
