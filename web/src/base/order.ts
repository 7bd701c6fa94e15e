const collator = new Intl.Collator("en", { numeric: true });

/** Names as people order them: "layer 2" before "layer 10". */
export function byName(a: string, b: string): number {
	return collator.compare(a, b);
}
