// Starts what the browser tests need: cairnd on a private PostgreSQL through tests/support/server.py, and Chromium.
// CAIRN_TEST_SERVER (JSON: url, user, password) names a running server instead; CHROMIUM another browser.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const source = join(here, "../../web/src");

/** A module of web/src, compiled. */
export async function load(path) {
	const built = await esbuild.build({
		entryPoints: [join(source, path)], bundle: true, format: "esm", platform: "neutral", write: false, logLevel: "error",
	});
	return import("data:text/javascript;base64," + Buffer.from(built.outputFiles[0].contents).toString("base64"));
}

/** `settings` are for cairnd serve; they always start a server of their own. */
export async function startServer(...settings) {
	if (process.env.CAIRN_TEST_SERVER && settings.length === 0) return { ...JSON.parse(process.env.CAIRN_TEST_SERVER), stop: async () => {} };
	const child = spawn("python3", [join(here, "../support/server.py"), ...(settings.length ? ["--", ...settings] : [])], { stdio: ["pipe", "pipe", "inherit"] });
	const ended = new Promise((resolve) => child.once("exit", resolve));
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const first = await Promise.race([lines.next(), ended.then((code) => ({ failed: code }))]);
	if (!first.value) throw new Error(`tests/support/server.py ended (${first.failed ?? "no output"}) before it named a server`);
	const stop = async () => {
		child.stdin.end();
		await ended;
	};
	return { ...JSON.parse(first.value), stop };
}

export async function startBrowser() {
	const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find((p) => p && existsSync(p));
	if (!executablePath) throw new Error("Chromium is needed: apt-get install chromium, or name it in CHROMIUM");
	return chromium.launch({
		executablePath,
		headless: true,
		args: [
			"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync",
		],
	});
}

/** Requests as a script makes them: Basic authentication, JSON. */
export function client(server) {
	const authorization = "Basic " + Buffer.from(`${server.user}:${server.password}`).toString("base64");
	const request = async (method, path, body, type = "application/json") => {
		const init = { method, headers: { authorization } };
		if (body !== undefined) {
			init.headers["content-type"] = type;
			init.body = type === "application/json" ? JSON.stringify(body) : body;
		}
		const response = await fetch(server.url + path, init);
		const text = await response.text();
		if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
		return text === "" ? {} : JSON.parse(text);
	};
	const post = (path, body) => request("POST", "/api/2.0/mlflow/" + path, body);
	return {
		request,
		post,
		experiment: async (name) => (await post("experiments/create", { name })).experiment_id,
		run: async (experiment, name, { metrics = [], params = {}, tags = {}, end = true, start = Date.now() } = {}) => {
			const { run } = await post("runs/create", { experiment_id: experiment, run_name: name, start_time: start });
			const pairs = (o) => Object.entries(o).map(([key, value]) => ({ key, value }));
			await post("runs/log-batch", { run_id: run.info.run_id, metrics, params: pairs(params), tags: pairs(tags) });
			if (end) await post("runs/update", { run_id: run.info.run_id, status: "FINISHED", end_time: Date.now() });
			return run.info;
		},
		artifact: (info, path, bytes) =>
			request(
				"PUT",
				`/api/2.0/mlflow-artifacts/artifacts/${info.artifact_uri.replace("mlflow-artifacts:/", "")}/${path}`,
				bytes,
				"application/octet-stream",
			),
	};
}

/** A curve of n points. */
export function curve(key, n, f, from = 0) {
	const now = Date.now();
	return Array.from({ length: n }, (_, i) => ({ key, value: f(i + from), step: i + from, timestamp: now - (n - i) * 100 }));
}
