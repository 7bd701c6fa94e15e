/** The first rows of a CSV or TSV text: quotes, doubled quotes and line breaks inside quotes. */
export function parseCsv(text: string, separator = ",", limit = 200): { rows: string[][]; more: boolean } {
	const rows: string[][] = [];
	let row: string[] = [];
	let cell = "";
	let quoted = false;
	const endRow = () => {
		row.push(cell);
		rows.push(row);
		row = [];
		cell = "";
	};
	for (let i = 0; i < text.length; i++) {
		const c = text[i]!;
		if (quoted) {
			if (c !== '"') cell += c;
			else if (text[i + 1] === '"') cell += text[i++];
			else quoted = false;
		} else if (c === '"' && cell === "") quoted = true;
		else if (c === separator) {
			row.push(cell);
			cell = "";
		} else if (c === "\n") {
			endRow();
			if (rows.length >= limit) return { rows, more: i + 1 < text.length };
		} else if (c !== "\r") cell += c;
	}
	if (cell !== "" || row.length > 0) endRow();
	return { rows, more: false };
}
