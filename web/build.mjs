// Bundles src/ into static files: hashed names under assets/, index.html, a .br and a .gz beside each file where they
// help, manifest.json with every file's type and ETag, and (with --c FILE) a C table of all of it for cairnd.
//   node build.mjs [--out DIR] [--c FILE] [--watch]
import * as esbuild from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import zlib from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const { values: args } = parseArgs({
	options: { out: { type: "string" }, c: { type: "string" }, watch: { type: "boolean" } },
});
const out = resolve(args.out ?? join(here, "dist"));

const types = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8",
	".json": "application/json",
};

const options = {
	absWorkingDir: here,
	entryPoints: { app: "src/main.tsx", theme: "src/theme.ts", icon: "src/style/icon.svg" },
	outdir: join(out, "assets"),
	publicPath: "/assets",
	entryNames: "[name]-[hash]",
	assetNames: "[name]-[hash]",
	bundle: true,
	format: "esm",
	target: ["es2022", "chrome123", "firefox120", "safari17.5"],
	jsx: "automatic",
	jsxImportSource: "preact",
	loader: { ".svg": "copy", ".woff2": "file" },
	minify: !args.watch,
	legalComments: "none",
	metafile: true,
	logLevel: "warning",
};

async function page(metafile) {
	const assets = Object.keys(metafile.outputs).map((p) => "/assets/" + p.split("/").pop());
	const named = (start, end) => {
		const found = assets.find((a) => a.startsWith("/assets/" + start) && a.endsWith(end));
		if (!found) throw new Error(`the bundle has no ${start}*${end}`);
		return found;
	};
	const html = (await readFile(join(here, "src/index.html"), "utf8"))
		.replace("{{theme}}", named("theme-", ".js"))
		.replace("{{app}}", named("app-", ".js"))
		.replace("{{style}}", named("app-", ".css"))
		.replace("{{font}}", named("inter-latin-wght", ".woff2"))
		.replace("{{icon}}", named("icon-", ".svg"));
	await writeFile(join(out, "index.html"), html);
}

// The licences of what the bundle holds travel with it.
async function licences() {
	const { packages } = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
	const texts = [];
	for (const [folder, about] of Object.entries(packages)) {
		if (folder === "" || about.dev) continue;
		const name = (await readdir(join(here, folder))).find((n) => /^licen[cs]e/i.test(n));
		const text = name ? await readFile(join(here, folder, name), "utf8") : `Licence: ${about.license}\n`;
		texts.push(`== ${folder.replace("node_modules/", "")} ${about.version}\n\n${text.trim()}\n`);
	}
	await writeFile(join(out, "licences.txt"), texts.join("\n\n"));
}

async function list(folder) {
	const found = [];
	for (const entry of await readdir(folder, { withFileTypes: true })) {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) found.push(...(await list(path)));
		else if (![".br", ".gz"].includes(extname(path)) && entry.name !== "manifest.json") found.push(path);
	}
	return found.sort();
}

// A packed file is kept only when it saves a tenth.
async function pack(file) {
	const plain = await readFile(file);
	const br = zlib.brotliCompressSync(plain, {
		params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
	});
	const gz = zlib.gzipSync(plain, { level: 9 });
	const worth = (packed) => packed.length < plain.length * 0.9;
	if (worth(br)) await writeFile(file + ".br", br);
	if (worth(gz)) await writeFile(file + ".gz", gz);
	return {
		path: "/" + relative(out, file),
		type: types[extname(file)] ?? "application/octet-stream",
		etag: createHash("sha256").update(plain).digest("hex").slice(0, 32),
		size: plain.length,
		...(worth(br) && { br: br.length }),
		...(worth(gz) && { gz: gz.length }),
	};
}

async function c_array(name, file) {
	const bytes = await readFile(file);
	const lines = [];
	for (let i = 0; i < bytes.length; i += 24) lines.push("\t" + Array.from(bytes.subarray(i, i + 24)).join(",") + ",");
	return `static const unsigned char ${name}[] = {\n${lines.join("\n")}\n};\n`;
}

async function c_table(files) {
	const parts = ['/* Made by web/build.mjs. */\n#include "api/web_files.h"\n'];
	const rows = [];
	for (const [i, f] of files.entries()) {
		const row = [];
		for (const [kind, end] of [["plain", ""], ["br", ".br"], ["gz", ".gz"]]) {
			if (kind !== "plain" && f[kind] === undefined) {
				row.push("{ 0 }");
				continue;
			}
			parts.push(await c_array(`f${i}_${kind}`, join(out, f.path + end)));
			row.push(`{ f${i}_${kind}, sizeof f${i}_${kind} }`);
		}
		rows.push(`\t{ "${f.path}", "${f.type}", "\\"${f.etag}\\"", ${row.join(", ")} },`);
	}
	parts.push(`const struct web_file web_files[] = {\n${rows.join("\n")}\n};`);
	parts.push(`const size_t web_file_count = ${files.length};\n`);
	return parts.join("\n");
}

async function finish(result) {
	await page(result.metafile);
	await licences();
	const files = [];
	for (const file of await list(out)) files.push(await pack(file));
	await writeFile(join(out, "manifest.json"), JSON.stringify({ files }, null, "\t") + "\n");
	if (args.c) await writeFile(resolve(args.c), await c_table(files));
	const first = files.filter((f) => !f.path.includes("latin-ext") && !f.path.endsWith(".txt"));
	const sent = first.reduce((sum, f) => sum + (f.br ?? f.size), 0);
	console.log(`web: ${files.length} files, first view ${(sent / 1000).toFixed(1)} kB compressed`);
	if (sent > 150_000) throw new Error("the first view is over its budget of 150 kB");
}

await rm(out, { recursive: true, force: true });
await mkdir(join(out, "assets"), { recursive: true });
if (args.watch) {
	const context = await esbuild.context({
		...options,
		entryNames: "[name]-dev",
		plugins: [{ name: "finish", setup: (b) => b.onEnd((r) => (r.errors.length ? undefined : finish(r))) }],
	});
	await context.watch();
} else {
	await finish(await esbuild.build(options));
}
