import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { load, source } from "./support.mjs";

const format = await load("base/format.ts");
const route = await load("base/route.ts");
const colour = await load("base/colour.ts");
const columns = await load("base/columns.ts");
const series = await load("base/series.ts");
const csv = await load("base/csv.ts");
const api = await load("api.ts");

test("numbers are short, and exact on demand", () => {
	const cases = [
		[0, "0"], [-0.5, "−0.5"], [0.123456789, "0.12346"], [12, "12"], [1234567, "1,234,567"], [123456.7, "123,457"],
		[0.00001234, "1.234e−5"], [1e12, "1e12"], [2.5e20, "2.5e20"], [NaN, "NaN"], [Infinity, "∞"], [-Infinity, "−∞"], [99999.96, "100,000"],
	];
	for (const [value, text] of cases) assert.equal(format.shortNumber(value), text);
	assert.equal(format.exactNumber(0.1 + 0.2), "0.30000000000000004");
});

test("numbers of the protocol: strings for what JSON cannot say, the largest double for infinity", () => {
	assert.ok(Number.isNaN(format.number("NaN")));
	assert.equal(format.number("Infinity"), Infinity);
	assert.equal(format.number(1.7976931348623157e308), Infinity);
	assert.equal(format.number(-1.7976931348623157e308), -Infinity);
	assert.equal(format.number("12"), 12);
	assert.ok(Number.isNaN(format.number("")));
});

test("times are relative both ways, durations keep two units, sizes are decimal", () => {
	assert.equal(format.relativeTime(1000, 4000), "just now");
	assert.equal(format.relativeTime(0, 59_999), "59 s ago");
	assert.equal(format.relativeTime(0, 3_600_000), "1 h ago");
	assert.equal(format.relativeTime(7_200_000, 0), "in 2 h");
	assert.equal(format.duration(310), "310 ms");
	assert.equal(format.duration(59_949), "59.9 s");
	assert.equal(format.duration(59_960), "1 min 00 s");
	assert.equal(format.duration(3_725_000), "1 h 02 min");
	assert.equal(format.bytes(999), "999 B");
	assert.equal(format.bytes(1500), "1.5 kB");
	assert.equal(format.bytes(999_900), "1 MB");
});

test("a copied command quotes what a shell would read", () => {
	assert.equal(format.shellWord("churn@champion"), "churn@champion");
	assert.equal(format.shellWord("a b'; rm"), `'a b'\\''; rm'`);
});

test("paths lead to pages and back, whatever is in a name", () => {
	assert.deepEqual(route.parseRoute("/"), { page: "experiments" });
	assert.deepEqual(route.parseRoute("/experiments/7"), { page: "runs", experimentId: "7" });
	assert.deepEqual(route.parseRoute(route.path("models", "a b%/ü")), { page: "model", name: "a b%/ü" });
	assert.deepEqual(route.parseRoute("/models/x/versions/3"), { page: "version", name: "x", version: "3" });
	assert.deepEqual(route.parseRoute("/models/%E0%A4%A"), { page: "model", name: "%E0%A4%A" });
	assert.deepEqual(route.parseRoute("/nowhere"), { page: "missing" });
	assert.deepEqual(route.parseRoute("/a/b/c/d/e"), { page: "missing" });
});

test("links that MLflow's client prints lead to our pages", () => {
	assert.equal(route.fromHash("#/experiments/1/runs/ab12"), "/runs/ab12");
	assert.equal(route.fromHash("#/experiments/1"), "/experiments/1");
	assert.equal(route.fromHash("#/models/my%20model/versions/3"), "/models/my%20model/versions/3");
	assert.equal(route.fromHash("#/models/m"), "/models/m");
	assert.equal(route.fromHash("#/elsewhere"), null);
	assert.equal(route.fromHash(""), null);
});

test("after signing in, only a path of this site is followed", () => {
	assert.equal(route.safeNext("/runs/1?tab=charts#x"), "/runs/1?tab=charts#x");
	for (const bad of [null, "", "//evil.test", "/\\evil.test", "https://evil.test", "javascript:alert(1)", "/a\\b", "/\tevil", "/\n/x", "/signin", "/signin?next=/"])
		assert.equal(route.safeNext(bad), "/", String(bad));
});

test("a changed query keeps its order and loses what is empty", () => {
	const before = new URLSearchParams("q=a&sort=-metrics.loss&sel=1,2");
	assert.equal(route.queryText(route.changedQuery(before, { sort: "params.lr", sel: null })), "?q=a&sort=params.lr");
	assert.equal(route.queryText(route.changedQuery(before, { sel: "3,4" })), "?q=a&sort=-metrics.loss&sel=3,4");
	assert.equal(route.queryText(new URLSearchParams()), "");
});

test("columns survive the address, commas and all", () => {
	const chosen = [{ kind: "metrics", key: "val/loss" }, { kind: "params", key: "a,b.c" }, { kind: "tags", key: "100%" }];
	const query = new URLSearchParams();
	query.set("cols", columns.columnsText(chosen));
	const back = new URLSearchParams(route.queryText(query)).get("cols");
	assert.deepEqual(columns.parseColumns(back), chosen);
	assert.deepEqual(columns.parseColumns("none,junk,metrics."), []);
});

test("a sort is a short word in the address and an order_by to the server", () => {
	assert.deepEqual(columns.parseSort("-metrics.a.b"), { column: { kind: "metrics", key: "a.b" }, descending: true });
	assert.equal(columns.sortText(columns.parseSort("params.lr")), "params.lr");
	assert.equal(columns.sortText(columns.parseSort(null)), "");
	assert.equal(columns.orderBy({ kind: "metrics", key: "val loss" }, true), "metrics.`val loss` DESC");
	assert.equal(columns.orderBy({ kind: "attributes", key: "start_time" }, false), "attributes.start_time ASC");
});

test("without a choice the table shows common metrics and parameters that differ", () => {
	const run = (lr, seed) => ({
		metrics: new Map([["loss", {}], ["system/cpu", {}]]), params: new Map([["lr", lr], ["opt", "adam"], ["seed", seed]]), tags: new Map(),
	});
	const ids = columns.automaticColumns([run("1", "1"), run("1", "2")]).map(columns.columnId);
	assert.deepEqual(ids, ["metrics.loss", "params.seed"]);
});

test("a run keeps its colour; runs that share one get other dashes", () => {
	const id = "0123456789abcdef0123456789abcdef";
	assert.equal(colour.runColour(id, "light"), colour.runColour(id, "light"));
	assert.equal(colour.colourIndex(id), colour.hash(id) % colour.paletteSize);
	const twin = Array.from({ length: 999 }, (_, i) => `run ${i}`).find((other) => colour.colourIndex(other) === colour.colourIndex(id));
	assert.deepEqual([...colour.dashes([id, twin])], [[id, 0], [twin, 1]]);
	assert.equal(colour.dashPatterns[0], undefined);
	const counts = new Array(colour.paletteSize).fill(0);
	for (let i = 0; i < 24_000; i++) counts[colour.colourIndex(i.toString(16).padStart(32, "a"))]++;
	assert.ok(Math.min(...counts) > 700 && Math.max(...counts) < 1300, `uneven: ${counts}`);
});

function bucketed(points) {
	const of = (name) => points.map((p) => p[name]);
	return {
		run_id: "r", key: "k", n: points.length,
		points: { step: of("step"), time: of("time"), first: of("v"), last: of("v"), min: of("min"), max: of("max"), mean: of("v"), count: of("count") },
	};
}
const one = (step, time, v) => ({ step, time, v, min: v, max: v, count: 1 });

test("a line has ascending x, one value a place, gaps for what is not finite", () => {
	const s = bucketed([one(0, 5000, 1), one(1, 3000, NaN), one(2, 4000, 3), one(2, 6000, 4)]);
	assert.deepEqual(series.toLine(s, "step", false, 0), { x: [0, 1, 2], y: [1, null, 4] });
	assert.deepEqual(series.toLine(s, "relative", false, 3000), { x: [0, 1, 2, 3], y: [null, 3, 1, 4] });
	assert.deepEqual(series.toLine(bucketed([one(0, 0, 0), one(1, 0, -1), one(2, 0, 2)]), "step", true, 0).y, [null, null, 2]);
});

test("buckets of several samples bring their band, single samples none", () => {
	const s = bucketed([{ step: 0, time: 0, v: 2, min: 1, max: 9, count: 10 }]);
	assert.deepEqual(series.toLine(s, "step", false, 0), { x: [0], y: [2], min: [1], max: [9] });
});

const live = (steps, f = (s) => s) => ({ run_id: "r", key: "k", step: steps, time: steps.map((s) => s * 10), value: steps.map(f) });

test("what comes by the stream goes to the end, or where it belongs, and once", () => {
	const first = series.append(undefined, live([1, 2, 4]));
	assert.deepEqual([first.n, first.points.step, first.points.count], [3, [1, 2, 4], [1, 1, 1]]);
	const later = series.append(first, live([4, 5, 6]));
	assert.deepEqual([later.n, later.points.step, later.points.last], [5, [1, 2, 4, 5, 6], [1, 2, 4, 5, 6]]);
	const between = series.append(later, live([3, 5]));
	assert.deepEqual([between.n, between.points.step, between.points.time], [6, [1, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60]]);
	const twice = series.append(between, live([3], () => 7));
	assert.deepEqual([twice.n, twice.points.step, twice.points.mean], [7, [1, 2, 3, 3, 4, 5, 6], [1, 2, 3, 7, 4, 5, 6]]);
	const odd = series.append(series.append(undefined, live([1], () => NaN)), live([1], () => NaN));
	assert.deepEqual([odd.n, first.points.step], [1, [1, 2, 4]]);
});

test("thinned out, a series keeps its ends, its extremes, its mean and its number of samples", () => {
	const f = (s) => (s === 37 ? 1000 : s === 500 ? -1000 : s === 77 ? NaN : s % 7);
	const steps = Array.from({ length: 1001 }, (_, i) => i);
	const whole = series.append(undefined, live(steps, f));
	const thin = series.thin(whole, 300);
	assert.equal(thin.n, 1001);
	assert.ok(thin.points.step.length <= 300 && thin.points.step.length > 100);
	assert.equal(thin.points.count.reduce((a, b) => a + b), 1001);
	assert.equal(Math.max(...thin.points.max.filter((v) => !Number.isNaN(v))), 1000);
	assert.equal(Math.min(...thin.points.min.filter((v) => !Number.isNaN(v))), -1000);
	assert.deepEqual([thin.points.first[0], thin.points.last.at(-1), thin.points.step[0]], [f(0), f(1000), 0]);
	assert.equal(series.thin(thin, 300), thin);
	const four = series.thin(series.append(undefined, live([0, 1, 2, 3], (s) => s)), 2);
	assert.deepEqual(four.points, { step: [0, 2], time: [0, 20], first: [0, 2], last: [1, 3], min: [0, 2], max: [1, 3], mean: [0.5, 2.5], count: [2, 2] });
	assert.ok(series.isExact(whole) && !series.isExact(thin));
});

test("a finer range takes the place of the coarse one, and nothing around it is lost", () => {
	const coarse = series.thin(series.append(undefined, live(Array.from({ length: 100 }, (_, i) => i))), 25);
	const fine = series.append(undefined, live([40, 41, 42, 43, 44, 45, 46, 47, 48]));
	const steps = series.splice(coarse, fine, [40, 48], "step", 0).points.step;
	assert.deepEqual(steps.filter((s) => s >= 40 && s <= 48), fine.points.step);
	assert.deepEqual([steps[0], steps.at(-1)], [0, 96]);
	assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
	// what was logged since the range was asked for is in the coarse one alone
	const grown = series.append(coarse, live([101, 102]));
	assert.deepEqual(series.splice(grown, fine, [40, 200], "step", 0).points.step.slice(-2), [101, 102]);
	assert.deepEqual(series.splice(coarse, { ...fine, points: series.thin(bucketed([]), 1).points }, [40, 48], "step", 0).points.step, coarse.points.step);
	const relative = series.splice(coarse, fine, [0.4, 0.48], "relative", 0).points.step;
	assert.deepEqual(relative, steps);
});

test("lines with other steps share one axis: absent is not a gap", () => {
	const joined = series.join([{ x: [0, 2], ys: [[1, null]] }, { x: [1, 2], ys: [[5, 6]] }]);
	assert.deepEqual(joined, [[0, 1, 2], [1, undefined, null], [undefined, 5, 6]]);
});

test("CSV: quotes, commas and line breaks inside them, and a limit", () => {
	assert.deepEqual(csv.parseCsv('a,b\r\n"x, ""y""","1\n2"\n').rows, [["a", "b"], ['x, "y"', "1\n2"]]);
	const cut = csv.parseCsv("a\nb\nc\n", ",", 2);
	assert.deepEqual(cut, { rows: [["a"], ["b"]], more: true });
});

test("artifact addresses are encoded, and only those of this server are used", () => {
	assert.equal(
		api.artifactUrl("mlflow-artifacts:/1/abc/artifacts", "model/a b?#ü.txt"),
		"/api/2.0/mlflow-artifacts/artifacts/1/abc/artifacts/model/a%20b%3F%23%C3%BC.txt",
	);
	assert.equal(api.artifactUrl("s3://bucket/1/abc", "x"), null);
	assert.equal(api.artifactUrl("mlflow-artifacts://elsewhere/1/abc", "x"), null);
});

/* ---- colours people can read ---- */

function luminance(hex) {
	const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
	const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m);
	return (x + 0.05) / (y + 0.05);
}
const tokens = {};
for (const [, name, light, dark] of (await readFile(join(source, "style/tokens.css"), "utf8")).matchAll(/--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\)/g))
	tokens[name] = { light, dark };

test("every text role reaches 4.5:1 on what it stands on, in both themes", () => {
	const pairs = [
		...["text", "muted", "faint", "accent"].flatMap((t) => ["page", "surface", "raised", "sunken", "hover", "selected"].map((on) => [t, on])),
		["on-accent", "accent"], ["on-accent", "accent-strong"], ["on-bad", "bad"], ["accent-strong", "accent-soft"], ["good", "good-soft"],
		["warn", "warn-soft"], ["bad", "bad-soft"], ["bad", "surface"], ["bad", "page"], ["live", "live-soft"], ["chart-axis", "surface"],
	];
	for (const [text, on] of pairs)
		for (const theme of ["light", "dark"]) {
			const ratio = contrast(tokens[text][theme], tokens[on][theme]);
			assert.ok(ratio >= 4.5, `${text} on ${on}, ${theme}: ${ratio.toFixed(2)}`);
		}
});

test("fields and lines of charts reach 3:1", () => {
	for (const theme of ["light", "dark"]) {
		assert.ok(contrast(tokens["field-line"][theme], tokens.surface[theme]) >= 3);
		const all = new Set();
		for (let i = 0; i < 2000; i++) all.add(colour.runColour(`run ${i}`, theme));
		assert.equal(all.size, colour.paletteSize);
		for (const c of all) assert.ok(contrast(c, tokens.surface[theme]) >= 3, `${c} ${theme}`);
	}
});
