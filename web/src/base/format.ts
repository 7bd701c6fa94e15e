// Numbers, times and sizes as people read them. Pure: no clock, no document.

const MAX_DOUBLE = 1.7976931348623157e308;

/** A JSON number of the API: non-finite ones come as strings, infinities also as the largest double. */
export function number(value: unknown): number {
	if (typeof value === "number") return clampless(value);
	if (value === "NaN") return NaN;
	if (value === "Infinity") return Infinity;
	if (value === "-Infinity") return -Infinity;
	if (typeof value === "string" && value.trim() !== "") return clampless(Number(value));
	return NaN;
}

function clampless(x: number): number {
	if (x >= MAX_DOUBLE) return Infinity;
	if (x <= -MAX_DOUBLE) return -Infinity;
	return x;
}

/** Five significant digits, short; the exact value belongs into a title. */
export function shortNumber(x: number): string {
	if (Number.isNaN(x)) return "NaN";
	if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
	if (x === 0) return "0";
	const size = Math.abs(x);
	let text: string;
	if (Number.isInteger(x) && size < 1e9) text = group(size);
	else if (size >= 1e6 || size < 1e-4) text = size.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e").replace("e-", "e−");
	else if (size >= 99_999.5) text = group(Math.round(size));
	else text = trim(size.toPrecision(5));
	return x < 0 ? "−" + text : text;
}

export function exactNumber(x: number): string {
	if (Number.isNaN(x)) return "NaN";
	if (!Number.isFinite(x)) return x > 0 ? "Infinity" : "-Infinity";
	return String(x);
}

/** 1234567 as "1,234,567". */
export function group(n: number): string {
	return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function trim(text: string): string {
	return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export function bytes(n: number): string {
	if (n < 1000) return `${n} B`;
	const units = ["kB", "MB", "GB", "TB", "PB"];
	let value = n;
	let unit = -1;
	do {
		value /= 1000;
		unit++;
	} while (value >= 999.5 && unit < units.length - 1);
	return `${value < 10 ? trim(value.toFixed(1)) : Math.round(value)} ${units[unit]}`;
}

export function plural(n: number, one: string, many = one + "s"): string {
	return `${group(n)} ${n === 1 ? one : many}`;
}

/** "3 min ago"; the future is "in 3 min". */
export function relativeTime(unixMs: number, nowMs: number): string {
	const ms = nowMs - unixMs;
	const text = span(Math.abs(ms));
	if (text === null) return "just now";
	return ms >= 0 ? `${text} ago` : `in ${text}`;
}

function span(ms: number): string | null {
	const s = ms / 1000;
	if (s < 10) return null;
	if (s < 60) return `${Math.floor(s)} s`;
	if (s < 3600) return `${Math.floor(s / 60)} min`;
	if (s < 86400) return `${Math.floor(s / 3600)} h`;
	if (s < 30 * 86400) return `${Math.floor(s / 86400)} d`;
	if (s < 365 * 86400) return `${Math.floor(s / (30 * 86400))} mo`;
	return `${Math.floor(s / (365 * 86400))} y`;
}

/** "2026-03-01 14:05:09" in the reader's time zone. */
export function exactTime(unixMs: number): string {
	const d = new Date(unixMs);
	const two = (n: number) => String(n).padStart(2, "0");
	return (
		`${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ` +
		`${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`
	);
}

/** "1 h 02 min", "3 min 20 s", "4.2 s", "310 ms". */
export function duration(ms: number): string {
	if (ms < 0) return "–";
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
	const total = Math.round(ms / 1000);
	const s = total % 60;
	const min = Math.floor(total / 60) % 60;
	const h = Math.floor(total / 3600);
	if (h === 0) return `${min} min ${String(s).padStart(2, "0")} s`;
	if (h < 48) return `${h} h ${String(min).padStart(2, "0")} min`;
	return `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** Shell-safe: what a copied command may hold unquoted. */
export function shellWord(text: string): string {
	return /^[A-Za-z0-9_./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
