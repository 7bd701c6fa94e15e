// One colour a run, everywhere and for ever: a hash of its id picks from a palette made in OKLCH, every entry at
// least 3:1 against its theme's surface. Twelve hues, then twelve between them at another lightness.

const light = [
	"#2191f0", "#de6420", "#1ba951", "#d65b9c", "#a78c0c", "#a66edf", "#00a2a2", "#e25a61",
	"#6aa10d", "#7281f3", "#c27c08", "#c562be", "#2b51a3", "#824402", "#076747", "#912b4f",
	"#5c5a05", "#763888", "#08626d", "#952f1b", "#146915", "#55459f", "#6f5104", "#882f6b",
];
const dark = [
	"#8ac3fd", "#ffa47a", "#5edb81", "#fe99ca", "#dfbb10", "#d1a9ff", "#17d8d8", "#ff9f9f",
	"#99d352", "#abb9fd", "#ffa92b", "#fa92f1", "#5b86dd", "#c6701e", "#01a271", "#cc6181",
	"#918e10", "#ac6bbf", "#029bab", "#d0654f", "#509e4d", "#8679d8", "#ae8107", "#c2639f",
];

export type Theme = "light" | "dark";

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
	let h = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) {
		h ^= text.charCodeAt(i);
		h = Math.imul(h, 0x01000193);
	}
	h ^= h >>> 15;
	return h >>> 0;
}

export const paletteSize = light.length;

export function colourIndex(runId: string): number {
	return hash(runId) % paletteSize;
}

export function runColour(runId: string, theme: Theme): string {
	return (theme === "dark" ? dark : light)[colourIndex(runId)]!;
}

export const dashPatterns = [undefined, [6, 3], [2, 3], [9, 3, 2, 3]];

/** Runs compared that share a colour are told apart by their dashes: an index into dashPatterns for each. */
export function dashes(runIds: Iterable<string>): Map<string, number> {
	const seen = new Map<number, number>();
	const found = new Map<string, number>();
	for (const id of runIds) {
		const before = seen.get(colourIndex(id)) ?? 0;
		seen.set(colourIndex(id), before + 1);
		found.set(id, before % dashPatterns.length);
	}
	return found;
}
