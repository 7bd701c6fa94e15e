// The web UI in real Chromium against a real cairnd. Each test makes what it looks at, under a name of its own.
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { client, curve, startBrowser, startServer } from "./support.mjs";

let server;
let browser;
let as;
let counter = 0;
const unique = (name) => `${name} ${process.pid}.${++counter}`;
const complaints = [];

before(async () => {
	server = await startServer();
	browser = await startBrowser();
	as = client(server);
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

/** A fresh browser window; what it complains about fails the last test. */
async function open(path, { signedIn = true, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: server.url, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(10_000);
	page.on("pageerror", (e) => complaints.push(`${page.url()}: ${e.stack}`));
	page.on("console", (m) => {
		if (m.type() === "error" && !/the server responded with a status of 4\d\d/.test(m.text())) complaints.push(`${page.url()}: ${m.text()}`);
	});
	if (signedIn) {
		const reply = await context.request.post("/api/v1/login", {
			data: { username: server.user, password: server.password },
			headers: { "X-Requested-With": "cairn-web", Origin: server.url },
		});
		assert.equal(reply.status(), 200, await reply.text());
	}
	await page.goto(path);
	return page;
}

const text = (page, selector) => page.locator(selector).first().innerText();

async function until(what, f, ms = 15_000) {
	const end = Date.now() + ms;
	for (;;) {
		const got = await f();
		if (got) return got;
		if (Date.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
		await new Promise((r) => setTimeout(r, 100));
	}
}

/* ---- files ---- */

test("files are packed, named for ever, and answered with 304 when known", async () => {
	const index = await fetch(server.url + "/", { headers: { "accept-encoding": "gzip" } });
	assert.equal(index.status, 200);
	assert.equal(index.headers.get("cache-control"), "no-cache");
	assert.match(index.headers.get("content-security-policy"), /default-src 'none'; script-src 'self'; style-src 'self'/);
	assert.equal(index.headers.get("x-frame-options"), "DENY");
	assert.equal(index.headers.get("referrer-policy"), "no-referrer");
	assert.equal(index.headers.get("x-content-type-options"), "nosniff");
	const html = await index.text();
	assert.doesNotMatch(html, /<style|style=|<script>|onload=/);
	const script = /src="(\/assets\/app-[^"]+\.js)"/.exec(html)[1];
	for (const coding of ["br", "gzip"]) {
		const packed = await fetch(server.url + script, { headers: { "accept-encoding": coding } });
		assert.equal(packed.headers.get("content-encoding"), coding);
		assert.equal(packed.headers.get("vary"), "Accept-Encoding");
		assert.match(packed.headers.get("cache-control"), /immutable/);
		const etag = packed.headers.get("etag");
		await packed.arrayBuffer();
		const again = await fetch(server.url + script, { headers: { "accept-encoding": coding, "if-none-match": etag } });
		assert.equal(again.status, 304);
	}
	const plain = await fetch(server.url + script, { headers: { "accept-encoding": "br;q=0, identity" } });
	assert.equal(plain.headers.get("content-encoding"), null);
	await plain.arrayBuffer();
});

test("pages of the UI are the UI; what is of the API or looks like a file is 404", async () => {
	for (const path of ["/experiments/1", "/models/my.model-v1.2", "/signin"]) {
		const page = await fetch(server.url + path);
		assert.equal(page.status, 200, path);
		assert.match(page.headers.get("content-type"), /text\/html/);
	}
	for (const path of ["/assets/nothing.js", "/favicon.ico", "/ajax-api/2.0/nothing", "/assets/..%2f..%2fetc%2fpasswd"]) {
		const missing = await fetch(server.url + path);
		assert.ok(missing.status === 404 || missing.status === 400, `${path}: ${missing.status}`);
		assert.doesNotMatch(await missing.text(), /<html|root:/);
	}
	const unknown = await fetch(server.url + "/api/2.0/mlflow/nothing", {
		headers: { authorization: "Basic " + Buffer.from(`${server.user}:${server.password}`).toString("base64") },
	});
	assert.equal(unknown.status, 404);
	assert.match(unknown.headers.get("content-type"), /^(text\/plain|application\/json)/);
});

test("--web serves a folder as it was at the start, and nothing outside of it", async () => {
	const folder = await mkdtemp(join(tmpdir(), "cairn-web-"));
	await chmod(folder, 0o755);
	await mkdir(join(folder, "site/assets"), { recursive: true });
	await writeFile(join(folder, "secret.txt"), "outside");
	await writeFile(join(folder, "site/index.html"), "<title>mine</title>");
	await writeFile(join(folder, "site/assets/a.js"), "let a = 1;".repeat(100));
	await writeFile(join(folder, "site/assets/a.js.gz"), gzipSync("let a = 1;".repeat(100)));
	const other = await startServer("--web", join(folder, "site"));
	try {
		assert.equal(await (await fetch(other.url + "/experiments/1")).text(), "<title>mine</title>");
		const packed = await fetch(other.url + "/assets/a.js", { headers: { "accept-encoding": "gzip" } });
		assert.equal(packed.headers.get("content-encoding"), "gzip");
		assert.equal(await packed.text(), "let a = 1;".repeat(100));
		await writeFile(join(folder, "site/assets/late.js"), "1");
		assert.equal((await fetch(other.url + "/assets/late.js")).status, 404);
		for (const path of ["/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/assets/%2e%2e%2f%2e%2e%2fsecret.txt"])
			assert.doesNotMatch(await (await fetch(other.url + path)).text(), /outside/);
	} finally {
		await other.stop();
		await rm(folder, { recursive: true });
	}
});

/* ---- signing in ---- */

test("signing in leads where one wanted to go, and says when the password is wrong", async () => {
	const page = await open("/models?q=x", { signedIn: false });
	await page.waitForURL("**/signin?next=%2Fmodels%3Fq%3Dx");
	await page.fill("[name=username]", server.user);
	await page.fill("[name=password]", "not the password");
	await page.keyboard.press("Enter");
	await until("an error", async () => (await text(page, "#signin-error")) !== "");
	await page.fill("[name=password]", server.password);
	await page.keyboard.press("Enter");
	await page.waitForURL(server.url + "/models?q=x");
	await page.getByRole("button", { name: `Account of ${server.user}` }).click();
	await page.getByRole("menuitem", { name: "Sign out" }).click();
	await page.waitForURL("**/signin");
	await page.goto("/experiments");
	await page.waitForURL("**/signin?next=*");
});

test("a next that leads to another site is not followed", async () => {
	const page = await open("/signin?next=//evil.test/x", { signedIn: false });
	await page.fill("[name=username]", server.user);
	await page.fill("[name=password]", server.password);
	await page.keyboard.press("Enter");
	await page.waitForURL(server.url + "/");
	await page.locator("h1", { hasText: "Experiments" }).waitFor();
});

/* ---- experiments ---- */

test("an experiment is made, renamed, archived and restored", async () => {
	const name = unique("born");
	const page = await open("/experiments");
	await page.getByRole("button", { name: "New experiment" }).click();
	await page.fill("dialog [name=name]", name);
	await page.getByRole("button", { name: "Create", exact: true }).click();
	await page.locator("h1", { hasText: name }).waitFor();
	await page.getByText("No runs yet").waitFor();
	assert.match(await text(page, ".notice pre"), /set_tracking_uri/);

	await page.goto("/experiments");
	await page.getByRole("button", { name: `Actions for ${name}` }).click();
	await page.getByRole("menuitem", { name: "Rename…" }).click();
	await page.fill("dialog [name=name]", name + " two");
	await page.keyboard.press("Enter");
	await page.getByRole("link", { name: name + " two" }).waitFor();

	await page.getByRole("button", { name: `Actions for ${name} two` }).click();
	await page.getByRole("menuitem", { name: "Archive…" }).click();
	await page.getByRole("button", { name: "Archive", exact: true }).click();
	await page.getByRole("link", { name: name + " two" }).waitFor({ state: "detached" });
	await page.getByRole("button", { name: "Archived" }).click();
	await page.getByRole("button", { name: `Actions for ${name} two` }).click();
	await page.getByRole("menuitem", { name: "Restore" }).click();
	await page.getByRole("button", { name: "Active" }).click();
	await page.getByRole("link", { name: name + " two" }).waitFor();
});

test("a name that exists is refused in the dialog, with the server's sentence", async () => {
	const name = unique("twice");
	await as.experiment(name);
	const page = await open("/experiments");
	await page.getByRole("button", { name: "New experiment" }).click();
	await page.fill("dialog [name=name]", name);
	await page.keyboard.press("Enter");
	assert.match(await text(page, "dialog .field-error"), /exists/);
});

/* ---- the table of runs ---- */

async function someRuns(n) {
	const name = unique("runs");
	const experiment = await as.experiment(name);
	const runs = [];
	for (let i = 0; i < n; i++)
		runs.push(
			await as.run(experiment, `run-${i}`, {
				metrics: [{ key: "loss", value: i / 10, step: 1, timestamp: Date.now() }],
				params: { lr: String(i % 2 ? 0.1 : 0.01), same: "always" },
				start: Date.now() - i * 1000,
			}),
		);
	return { experiment, name, runs };
}
const names = (page) => page.locator(".row .name a").allInnerTexts();

test("runs are filtered, sorted and chosen, and the address holds all of it", async () => {
	const { experiment } = await someRuns(6);
	const page = await open(`/experiments/${experiment}`);
	await page.locator(".row").first().waitFor();
	assert.deepEqual(await names(page), ["run-0", "run-1", "run-2", "run-3", "run-4", "run-5"]);
	assert.equal(await text(page, ".toolbar-end"), "6 runs");

	await page.keyboard.press("/");
	await page.keyboard.type("metrics.loss > 0.25 and params.lr = '0.1'");
	await page.keyboard.press("Enter");
	await until("two runs", async () => (await names(page)).join() === "run-3,run-5");
	await page.getByRole("button", { name: "loss" }).click();
	await until("descending by loss", async () => (await names(page)).join() === "run-5,run-3");
	await page.getByRole("button", { name: "loss" }).click();
	await until("ascending by loss", async () => (await names(page)).join() === "run-3,run-5");
	await page.reload();
	await until("the same after a reload", async () => (await names(page)).join() === "run-3,run-5");
	assert.match(decodeURIComponent(page.url()), /sort=metrics\.loss/);
	await page.goBack();
	await until("all again, a step back", async () => (await names(page)).length === 6);
});

test("what the server does not understand stands under the filter", async () => {
	const { experiment } = await someRuns(1);
	const page = await open(`/experiments/${experiment}?q=${encodeURIComponent("metrics.loss <")}`);
	await page.getByText("The filter is not understood").waitFor();
	assert.notEqual(await text(page, ".filter-error"), "");
	await page.getByRole("button", { name: "Clear the filter" }).click();
	await until("the run", async () => (await names(page)).join() === "run-0");
});

test("columns are chosen, and constant parameters are left out until then", async () => {
	const { experiment } = await someRuns(3);
	const page = await open(`/experiments/${experiment}`);
	await page.locator(".row").first().waitFor();
	const heads = () => page.locator(".runs-head [role=columnheader]").allInnerTexts();
	assert.ok((await heads()).includes("lr") && !(await heads()).includes("same"));
	await page.getByRole("button", { name: "Columns" }).click();
	await page.getByRole("checkbox", { name: "same" }).check();
	await page.getByRole("checkbox", { name: "lr" }).uncheck();
	await page.keyboard.press("Escape");
	assert.ok((await heads()).includes("same") && !(await heads()).includes("lr"));
	await page.reload();
	await page.locator(".row").first().waitFor();
	assert.ok((await heads()).includes("same"));
});

test("by keyboard alone: move, select two, compare them", async () => {
	const { experiment } = await someRuns(4);
	const page = await open(`/experiments/${experiment}`);
	await page.locator(".row").first().waitFor();
	await page.locator(".runs-table").focus();
	for (const key of [" ", "ArrowDown", "ArrowDown", " "]) await page.keyboard.press(key);
	await page.getByText("2 selected").waitFor();
	await page.getByRole("button", { name: "Compare" }).press("Enter");
	await page.locator("h1", { hasText: "Compare 2 runs" }).waitFor();
	await page.getByRole("link", { name: "Side by side" }).click();
	await page.locator(".side").waitFor();
	const row = (name) => page.locator(".side tr", { has: page.locator(`th[title="${name}"]`) });
	assert.deepEqual(await row("loss").locator("td").allInnerTexts(), ["0", "0.2"]);
	assert.equal(await row("same").count(), 1);
	await page.getByRole("checkbox", { name: "Only differences" }).check();
	assert.equal(await row("same").count(), 0);
	assert.equal(await row("loss").count(), 1);
});

test("of a thousand runs only those in sight are in the document, and all can be reached", async () => {
	const name = unique("many");
	const experiment = await as.experiment(name);
	for (let i = 0; i < 1000; i += 20)
		await Promise.all(Array.from({ length: 20 }, (_, k) => as.post("runs/create", { experiment_id: experiment, run_name: `n${i + k}`, start_time: 1e12 + i + k })));
	const page = await open(`/experiments/${experiment}`);
	await page.locator(".row").first().waitFor();
	await until("a count", async () => (await text(page, ".toolbar-end")) === "showing 100 of 1,000 runs");
	assert.ok((await page.locator(".row").count()) < 60);
	await page.locator(".runs-table").focus();
	await until("the last one", async () => {
		await page.keyboard.press("End");
		return (await names(page)).includes("n0");
	});
	assert.equal(await text(page, ".toolbar-end"), "1,000 runs");
	assert.ok((await page.locator(".row").count()) < 60);
});

test("a run that is logged while one looks is announced, and an empty table fills by itself", async () => {
	const experiment = await as.experiment(unique("waiting"));
	const page = await open(`/experiments/${experiment}`);
	await page.getByText("No runs yet").waitFor();
	await as.run(experiment, "first");
	await until("the first run", async () => (await names(page)).join() === "first");
	await as.run(experiment, "second");
	await page.getByText("1 run is new since this was loaded.").waitFor();
	assert.deepEqual(await names(page), ["first"]);
	await page.getByRole("button", { name: "Show" }).click();
	await until("both", async () => (await names(page)).length === 2);
});

/* ---- a run ---- */

test("a run shows what it logged; NaN is a gap and a word, the exact number is in the title", async () => {
	const experiment = await as.experiment(unique("one"));
	const run = await as.run(experiment, "shown", {
		metrics: [...curve("loss", 50, (i) => 1 / (i + 1)), { key: "odd", value: "NaN", step: 1, timestamp: Date.now() }, { key: "third", value: 1 / 3, step: 0, timestamp: Date.now() }],
		params: { "learning rate": "0.01", empty: "" },
		tags: { team: "vision" },
	});
	const page = await open(`/runs/${run.run_id}`);
	await page.locator("h1", { hasText: "shown" }).waitFor();
	const cell = (key) => page.locator(".metric-table tr", { has: page.getByRole("link", { name: key, exact: true }) }).locator("td").nth(1);
	assert.equal(await cell("odd").innerText(), "NaN");
	assert.equal(await cell("third").innerText(), "0.33333");
	assert.equal(await cell("third").locator("span").getAttribute("title"), String(1 / 3));
	assert.equal(await page.locator(".facts dt", { hasText: "learning rate" }).locator("xpath=../dd").innerText(), "0.01");
	await page.locator('[role=img][aria-label="Chart of loss: 1 run, 50 points"]').waitFor();
	await page.getByRole("button", { name: "Log" }).click();
	assert.match(page.url(), /scale=log/);
	await page.getByRole("button", { name: "Relative" }).click();
	assert.match(page.url(), /x=relative/);
});

test("the chart of a running run grows, and stops when the run ends with every point drawn", async () => {
	const experiment = await as.experiment(unique("live"));
	const run = await as.run(experiment, "growing", { metrics: curve("loss", 10, (i) => i), end: false });
	const page = await open(`/runs/${run.run_id}?tab=charts`);
	const drawn = (n) => page.locator(`[role=img][aria-label="Chart of loss: 1 run, ${n} points"]`).waitFor();
	await drawn(10);
	await as.post("runs/log-batch", { run_id: run.run_id, metrics: curve("loss", 15, (i) => i, 10) });
	await drawn(25);
	await as.post("runs/log-batch", { run_id: run.run_id, metrics: [...curve("loss", 5, (i) => i, 25), ...curve("late", 3, (i) => i)] });
	await as.post("runs/update", { run_id: run.run_id, status: "FINISHED", end_time: Date.now() });
	await drawn(30);
	await page.locator('[role=img][aria-label="Chart of late: 1 run, 3 points"]').waitFor();
	await page.locator(".head .status-finished").waitFor();
});

/** The requests for series that a page makes from now on. */
function seriesRequests(page) {
	const made = [];
	page.on("request", (r) => {
		const url = new URL(r.url());
		if (url.pathname.startsWith("/api/v1/metrics/")) made.push(url);
	});
	return made;
}

test("points of a running run come by a stream; without one the page asks again and again", async () => {
	const experiment = await as.experiment(unique("stream"));
	const run = await as.run(experiment, "streaming", { metrics: curve("loss", 10, (i) => i), end: false });
	const drawn = (page, n) => page.locator(`[role=img][aria-label="Chart of loss: 1 run, ${n} points"]`).waitFor();
	const page = await open(`/runs/${run.run_id}?tab=charts`);
	await drawn(page, 10);
	const made = seriesRequests(page);
	for (let i = 10; i < 40; i += 10) {
		await as.post("runs/log-batch", { run_id: run.run_id, metrics: curve("loss", 10, (v) => v, i) });
		await drawn(page, i + 10);
	}
	assert.deepEqual(made.filter((u) => !u.pathname.endsWith("/live")).map(String), [], "nothing was asked for again");
	const refused = await open("/experiments");
	await refused.route("**/api/v1/metrics/live*", (r) => r.fulfill({ status: 429, body: "{}" }));
	await refused.goto(`/runs/${run.run_id}?tab=charts`);
	await drawn(refused, 40);
	await as.post("runs/log-batch", { run_id: run.run_id, metrics: curve("loss", 2, (v) => v, 40) });
	await Promise.all([drawn(page, 42), drawn(refused, 42)]);
	await as.post("runs/update", { run_id: run.run_id, status: "FINISHED", end_time: Date.now() });
	await page.locator(".head .status-finished").waitFor();
});

test("who drags over a chart sees its range in full, in all charts and after a reload", async () => {
	const experiment = await as.experiment(unique("zoom"));
	const info = await as.run(experiment, "long", { metrics: curve("few", 20, (i) => i) });
	for (let i = 0; i < 4000; i += 1000) await as.post("runs/log-batch", { run_id: info.run_id, metrics: curve("loss", 1000, (v) => Math.sin(v / 50), i) });
	const page = await open(`/runs/${info.run_id}?tab=charts`);
	await page.locator('[aria-label="Chart of loss: 1 run, 4020 points"], [aria-label="Chart of loss: 1 run, 4,000 points"], [aria-label^="Chart of loss: 1 run"]').first().waitFor();
	const made = seriesRequests(page);
	const box = await page.locator('[aria-label^="Chart of loss"] .u-over').boundingBox();
	await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
	await page.mouse.down();
	await page.mouse.move(box.x + box.width * 0.3, box.y + 60, { steps: 4 });
	await page.mouse.up();
	const [from, to] = await until("the range in the address", () => /zoom=(\d+)\.\.(\d+)/.exec(page.url())?.slice(1).map(Number));
	assert.ok(from > 900 && from < 1100 && to > 1100 && to < 1300, `${from} to ${to}`);
	const finer = await until("a request for the range", () => made.find((u) => u.searchParams.has("from")));
	assert.deepEqual([finer.searchParams.get("from"), finer.searchParams.get("to"), finer.searchParams.getAll("key")], [String(from), String(to), ["loss"]]);
	await page.getByText("No points in this range").waitFor();
	await page.reload();
	await page.getByRole("button", { name: "Show all" }).click();
	assert.ok(!page.url().includes("zoom"));
	await page.getByText("No points in this range").waitFor({ state: "detached" });
});

test("the table of metrics has each in a few numbers, of all its points", async () => {
	const experiment = await as.experiment(unique("summaries"));
	const metrics = [...curve("loss", 1000, (i) => (i === 500 ? -7 : i)), ...[1, 2, 6].map((value, step) => ({ key: "b", value, step, timestamp: 1 }))];
	const info = await as.run(experiment, "summed", { metrics: metrics.slice(0, 1000) });
	await as.post("runs/log-batch", { run_id: info.run_id, metrics: metrics.slice(1000) });
	const page = await open(`/runs/${info.run_id}`);
	const row = (key) => page.locator(".metric-table tbody tr", { hasText: key }).locator("td").allInnerTexts();
	await until("the numbers", async () => (await row("loss"))[7] === "1,000");
	assert.deepEqual((await row("loss")).slice(0, 8), ["loss", "999", "0", "−7", "999", "498.99", "999", "1,000"]);
	assert.deepEqual((await row("b")).slice(0, 8), ["b", "6", "1", "1", "6", "3", "2", "3"]);
	assert.match(await page.locator(".metric-table tbody tr", { hasText: "loss" }).locator("td").nth(3).locator(".num").getAttribute("title"), /^-7, at step 500$/);
});

test("markup from users stays text everywhere", async () => {
	const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
	const experiment = await as.experiment(unique(evil));
	const run = await as.run(experiment, evil, {
		metrics: curve("loss", 3, (i) => i), params: { p: evil }, tags: { "mlflow.note.content": evil, plain: evil },
	});
	await as.artifact(run, "page.html", `<h1>${evil}</h1>`);
	await as.artifact(run, "table.csv", `a,b\n${evil.replaceAll('"', "'")},1\n`);
	for (const path of [
		"/experiments", `/experiments/${experiment}`, `/runs/${run.run_id}`, `/runs/${run.run_id}?tab=charts`, `/compare?runs=${run.run_id}&tab=values`,
		`/runs/${run.run_id}?tab=artifacts&file=page.html`, `/runs/${run.run_id}?tab=artifacts&file=table.csv`,
	]) {
		const page = await open(path);
		await page.getByText("onerror").first().waitFor({ state: "attached" }).catch(() => assert.match(path, /charts/));
		assert.equal(await page.locator("img, main script, main h1 b, td i").count(), 0, path);
		assert.doesNotMatch(await page.title(), /^owned/);
		await page.context().close();
	}
});

/* ---- artifacts ---- */

const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

test("artifacts are a tree with previews; large text is cut and says so", async () => {
	const experiment = await as.experiment(unique("files"));
	const run = await as.run(experiment, "files");
	await as.artifact(run, "plots/dot.png", png);
	await as.artifact(run, "report.json", '{"a":[1,2]}');
	await as.artifact(run, "long.log", "line of text\n".repeat(60_000));
	await as.artifact(run, "weights.bin", Buffer.from([0, 1, 2, 3]));
	const page = await open(`/runs/${run.run_id}?tab=artifacts`);
	await page.getByRole("button", { name: "plots" }).click();
	await page.getByRole("button", { name: "dot.png" }).click();
	await until("the image", () => page.evaluate(() => document.querySelector(".picture img")?.naturalWidth === 1));
	assert.match(await page.locator(".picture img").getAttribute("src"), /^blob:/);
	await page.getByRole("button", { name: "report.json" }).click();
	await until("pretty JSON", async () => (await page.locator(".preview-text").count()) === 1 && (await text(page, ".preview-text")).includes('  "a": ['));
	await page.getByRole("button", { name: "long.log" }).click();
	await page.getByText("The first 524 kB").waitFor();
	await page.getByRole("button", { name: "weights.bin" }).click();
	await page.getByText("No preview for this kind of file").waitFor();
	const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
	assert.equal(download.suggestedFilename(), "weights.bin");
});

/* ---- models ---- */

async function model(name, versions) {
	const experiment = await as.experiment(unique("for " + name));
	const run = await as.run(experiment, "trained");
	await as.artifact(run, "model/MLmodel", "flavors: {}\n");
	await as.artifact(run, "model/model.pkl", Buffer.alloc(2048, 7));
	await as.post("registered-models/create", { name });
	for (let i = 0; i < versions; i++)
		await as.post("model-versions/create", { name, source: `${run.artifact_uri}/model`, run_id: run.run_id });
	return run;
}

test("an alias is set, moved with a word of what it means, and deleted; its history stays", async () => {
	const name = unique("model.v1").replaceAll(" ", "-");
	await model(name, 3);
	const page = await open("/models");
	await page.getByRole("link", { name, exact: true }).click();
	await page.locator("h1", { hasText: name }).waitFor();
	await page.getByRole("button", { name: "Set alias" }).click();
	await page.fill("dialog [name=alias]", "champion");
	await page.selectOption("dialog select", "2");
	await page.getByRole("button", { name: "Set to v2" }).click();
	await page.getByRole("button", { name: "Actions for champion" }).click();
	await page.getByRole("menuitem", { name: "Move…" }).click();
	await page.selectOption("dialog select", "3");
	await page.getByRole("button", { name: "Move from v2 to v3" }).click();
	await page.locator("dialog").waitFor({ state: "detached" });
	const { model_version } = await as.request("GET", `/api/2.0/mlflow/registered-models/alias?name=${name}&alias=champion`);
	assert.equal(model_version.version, "3");
	await page.reload();
	const history = page.getByRole("list", { name: "History of champion" });
	await until("two moves", async () => (await history.locator("li").count()) === 2);
	assert.match((await history.locator("li").allInnerTexts()).join("\n"), /v2 → v3[^]*set to v2/);
	await page.getByRole("button", { name: "Actions for champion" }).click();
	await page.getByRole("menuitem", { name: "Delete…" }).click();
	await page.getByRole("button", { name: "Delete alias" }).click();
	await page.getByText("None yet. An alias such as").waitFor();
	const moves = await as.request("GET", `/api/v1/models/${name}/aliases/champion/history`);
	assert.equal(moves.history.length, 3);
});

test("a version's files have their digests, and download from there", async () => {
	const name = unique("files").replaceAll(" ", "-");
	const run = await model(name, 1);
	const page = await open(`/models/${name}/versions/1`);
	const row = page.locator("tr", { hasText: "model.pkl" });
	await row.waitFor();
	const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("link").click()]);
	assert.equal(download.suggestedFilename(), "model.pkl");
	assert.equal((await readFile(await download.path())).length, 2048);
	await page.getByRole("link", { name: run.run_id.slice(0, 12) }).click();
	await page.locator("h1", { hasText: "trained" }).waitFor();
});

/* ---- account ---- */

test("a token is shown once, works, and is refused once revoked", async () => {
	const name = unique("token");
	const page = await open("/account");
	await page.getByRole("button", { name: "New token" }).click();
	await page.fill("dialog [name=name]", name);
	await page.getByRole("button", { name: "Create", exact: true }).click();
	await page.getByText("shown only this once").waitFor();
	const token = (await text(page, "dialog pre")).trim();
	assert.match(token, /^cairn_/);
	const me = () => fetch(server.url + "/api/v1/me", { headers: { authorization: `Bearer ${token}` } });
	assert.equal((await me()).status, 200);
	await page.getByRole("button", { name: "I have copied it" }).click();
	await page.reload();
	await page.getByText(name).waitFor();
	assert.ok(!(await page.content()).includes(token));
	await page.getByRole("button", { name: `Revoke ${name}` }).click();
	await page.getByRole("button", { name: "Revoke", exact: true }).last().click();
	await page.getByText(name, { exact: true }).waitFor({ state: "detached" });
	assert.equal((await me()).status, 401);
});

test("a wrong current password and two that differ are said in the form", async () => {
	const page = await open("/account");
	await page.fill("[name=current]", "not it at all");
	await page.fill("[name=next]", "a new long password 1");
	await page.fill("[name=again]", "another");
	await page.getByRole("button", { name: "Change password" }).click();
	await page.getByText("The two new passwords differ.").waitFor();
	await page.fill("[name=again]", "a new long password 1");
	await page.getByRole("button", { name: "Change password" }).click();
	await until("the server's sentence", async () => /password/i.test(await text(page, "form .field-error")) && !/differ/.test(await text(page, "form .field-error")));
	assert.match(page.url(), /\/account$/);
});

test("a changed password signs other sessions out and in again only with the new one", async () => {
	const username = unique("changer").replaceAll(" ", "-");
	await as.request("POST", "/api/v1/users", { username, password: "the first password" });
	const signIn = async (page, password) => {
		await page.fill("[name=username]", username);
		await page.fill("[name=password]", password);
		await page.keyboard.press("Enter");
	};
	const page = await open("/account", { signedIn: false });
	await signIn(page, "the first password");
	await page.locator("h1", { hasText: username }).waitFor();
	const other = await open("/models", { signedIn: false });
	await signIn(other, "the first password");
	await other.locator("h1", { hasText: "Models" }).waitFor();

	await page.fill("[name=current]", "the first password");
	await page.fill("[name=next]", "the second password");
	await page.fill("[name=again]", "the second password");
	await page.getByRole("button", { name: "Change password" }).click();
	await page.getByText("Your password is changed").waitFor();
	await page.reload();
	await page.locator("h1", { hasText: username }).waitFor();
	await other.reload();
	await other.waitForURL("**/signin?next=%2Fmodels");
	await signIn(other, "the first password");
	await until("a refusal", async () => (await text(other, "#signin-error")) !== "");
	await signIn(other, "the second password");
	await other.locator("h1", { hasText: "Models" }).waitFor();
});

/* ---- the rest ---- */

test("what does not exist has a page that leads on", async () => {
	for (const path of ["/runs/00000000000000000000000000000000", "/experiments/999999999", "/models/nobody-has-this", "/no/such/page"]) {
		const page = await open(path);
		await page.locator(".notice").waitFor();
		await page.getByRole("link", { name: "To the experiments" }).click();
		await page.locator("h1", { hasText: "Experiments" }).waitFor();
		await page.context().close();
	}
});

test("light and dark follow the system, and a choice outlives a reload", async () => {
	const page = await open("/experiments", { colorScheme: "dark" });
	const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
	await page.locator("h1").waitFor();
	const dark = await background();
	await page.getByRole("button", { name: /^Theme/ }).click();
	await page.getByRole("menuitemradio", { name: "Light" }).click();
	const light = await background();
	assert.notEqual(light, dark);
	await page.reload();
	await page.locator("h1").waitFor();
	assert.equal(await background(), light);
});

test("no page raised an error or was stopped by the security policy", () => {
	assert.deepEqual(complaints, []);
});
