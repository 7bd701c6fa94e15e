// One colour a run, everywhere and for ever: a hash of its id picks from a palette made in OKLCH, every entry at
// least 4:1 against its theme's surface. Twelve hues, then the same hues at another lightness.

const light = [
	"#0777cb", "#bd4d00", "#088c40", "#b54481", "#89730b", "#8459c3", "#11848a", "#c0434c",
	"#628202", "#5b68d0", "#a06604", "#a14da7", "#2a5397", "#814206", "#056641", "#883352",
	"#5d5808", "#6a3f86", "#07606c", "#8c352a", "#356312", "#504994", "#704e03", "#7c376f",
];
const dark = [
	"#63b0fd", "#fb864d", "#51c672", "#f47db9", "#c8a915", "#ba92fe", "#11c2ca", "#fe7e81",
	"#94bb3b", "#93a3fe", "#ea9602", "#dd84e2", "#5a86ce", "#bd7138", "#339c6d", "#bf6583",
	"#918a21", "#9c70bc", "#1397a9", "#c4685a", "#669649", "#7f7bcb", "#ac7d1b", "#b269a3",
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

/** Runs that share a colour on one chart are told apart by their dashes. */
export function dashes(runIds: readonly string[]): (number[] | undefined)[] {
	const patterns = [undefined, [6, 3], [2, 3], [9, 3, 2, 3]];
	const seen = new Map<number, number>();
	return runIds.map((id) => {
		const index = colourIndex(id);
		const before = seen.get(index) ?? 0;
		seen.set(index, before + 1);
		return patterns[before % patterns.length];
	});
}
