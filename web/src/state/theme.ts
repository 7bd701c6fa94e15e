// Light, dark, or as the system says.

import { computed, effect, signal } from "@preact/signals";
import type { Theme } from "../base/colour.ts";

export type Choice = Theme | "system";

function stored(): Choice {
	const t = document.documentElement.dataset["theme"];
	return t === "light" || t === "dark" ? t : "system";
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const system = signal<Theme>(systemDark.matches ? "dark" : "light");
systemDark.addEventListener("change", (e) => (system.value = e.matches ? "dark" : "light"));

export const choice = signal<Choice>(stored());
export const theme = computed<Theme>(() => (choice.value === "system" ? system.value : choice.value));

effect(() => {
	const root = document.documentElement;
	if (choice.value === "system") delete root.dataset["theme"];
	else root.dataset["theme"] = choice.value;
	try {
		if (choice.value === "system") localStorage.removeItem("cairn.theme");
		else localStorage.setItem("cairn.theme", choice.value);
	} catch {
		// no storage: the choice holds for this page
	}
});
