// A run's files: a tree on the left, what is chosen on the right. Everything is shown as text or as an image; nothing
// of a file is ever run or read as markup.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import * as api from "../api.ts";
import { parseCsv } from "../base/csv.ts";
import { bytes } from "../base/format.ts";
import { useResource } from "../state/resource.ts";
import { query, setQuery } from "../state/url.ts";
import { Icon } from "./icon.tsx";
import { Failed, Loading, Notice } from "./states.tsx";
import { Code, Copy } from "./text.tsx";
import { byName } from "../base/order.ts";

const textLimit = 512 * 1024;
const imageLimit = 16 * 1024 * 1024;

export function Artifacts({ run }: { run: api.Run }) {
	const file = query.value.get("file");
	const root = useResource(`artifacts ${run.id}`, (signal) => api.listArtifacts(run.id, "", signal));
	if (root.data === undefined)
		return root.error === null ? <Loading /> : <Failed error={root.error} what="the artifacts" retry={root.reload} />;
	if (root.data.length === 0)
		return (
			<Notice icon="folder" title="No artifacts">
				<p>Files, figures and models of a run come here. A run logs one with:</p>
				<Code text={`mlflow.log_artifact("report.html")`} />
			</Notice>
		);
	return (
		<div class="artifacts">
			<nav class="panel tree" aria-label="Files">
				<header>
					<h2>Files</h2>
					<div class="end">
						<button type="button" class="icon-button" aria-label="Refresh" title="Refresh" onClick={root.reload}>
							<Icon name="refresh" size={14} />
						</button>
					</div>
				</header>
				<Branch run={run} files={root.data} chosen={file} depth={0} />
			</nav>
			<section class="panel preview" aria-label="Preview">
				{file === null ? (
					<Notice icon="file" title="Choose a file">
						<p>Images, text, JSON and tables are shown here; anything can be downloaded.</p>
					</Notice>
				) : (
					<Preview key={file} run={run} file={file} />
				)}
			</section>
		</div>
	);
}

function base(path: string): string {
	return path.slice(path.lastIndexOf("/") + 1);
}

interface BranchProps {
	run: api.Run;
	files: api.ArtifactFile[];
	chosen: string | null;
	depth: number;
}

function Branch({ run, files, chosen, depth }: BranchProps) {
	const sorted = [...files].sort((a, b) => Number(b.is_dir) - Number(a.is_dir) || byName(a.path, b.path));
	return (
		<ul>
			{sorted.map((f) =>
				f.is_dir ? (
					<Folder key={f.path} run={run} folder={f.path} chosen={chosen} depth={depth} />
				) : (
					<li key={f.path}>
						<button type="button" class="tree-row" aria-current={f.path === chosen} style={{ paddingLeft: `${12 + depth * 16 + 19}px` }} onClick={() => setQuery({ file: f.path })}>
							<Icon name="file" size={14} />
							<span title={f.path}>{base(f.path)}</span>
							<span class="size num">{f.file_size === undefined ? "" : bytes(f.file_size)}</span>
						</button>
					</li>
				),
			)}
		</ul>
	);
}

function Folder({ run, folder, chosen, depth }: { run: api.Run; folder: string; chosen: string | null; depth: number }) {
	const [open, setOpen] = useState(chosen !== null && chosen.startsWith(folder + "/"));
	return (
		<li>
			<button type="button" class="tree-row" aria-expanded={open} style={{ paddingLeft: `${12 + depth * 16}px` }} onClick={() => setOpen(!open)}>
				<Icon name={open ? "down" : "right"} size={12} />
				<Icon name="folder" size={14} />
				<span title={folder}>{base(folder)}</span>
			</button>
			{open && <Inside run={run} folder={folder} chosen={chosen} depth={depth + 1} />}
		</li>
	);
}

function Inside({ run, folder, chosen, depth }: { run: api.Run; folder: string; chosen: string | null; depth: number }) {
	const list = useResource(`artifacts ${run.id} ${folder}`, (signal) => api.listArtifacts(run.id, folder, signal));
	if (list.error !== null) return <p class="panel-empty">{(list.error as Error).message}</p>;
	if (list.data === undefined) return <p class="panel-empty">Loading…</p>;
	if (list.data.length === 0) return <p class="panel-empty">An empty folder</p>;
	return <Branch run={run} files={list.data} chosen={chosen} depth={depth} />;
}

type Kind = "image" | "csv" | "json" | "text" | "other";

const imageTypes: Record<string, string> = {
	png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", avif: "image/avif", bmp: "image/bmp",
};
const texts = "txt md log py c h cpp sh yaml yml toml ini cfg conf xml html htm css js ts r sql svg tex rst env lock diff patch";

function kindOf(file: string): Kind {
	const name = base(file);
	const end = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "";
	if (end in imageTypes) return "image";
	if (end === "csv" || end === "tsv") return "csv";
	if (end === "json" || end === "ipynb" || end === "jsonl") return "json";
	if (texts.split(" ").includes(end) || ["MLmodel", "MLproject", "Dockerfile", "Makefile", "README", "LICENSE"].includes(name)) return "text";
	return "other";
}

function Preview({ run, file }: { run: api.Run; file: string }) {
	const url = api.artifactUrl(run.artifactUri, file);
	const [anyway, setAnyway] = useState(false);
	const kind = kindOf(file) === "other" && anyway ? "text" : kindOf(file);
	return (
		<>
			<header>
				<h2 class="preview-name" title={file}>
					{file}
				</h2>
				<div class="end">
					<Copy text={file} label="Copy the path" />
					{url !== null && (
						<a class="button small" href={url} download={base(file)}>
							<Icon name="download" size={13} /> Download
						</a>
					)}
				</div>
			</header>
			{url === null ? (
				<Notice icon="box" title="Kept outside of this server">
					<p>This run stores its artifacts at</p>
					<Code text={run.artifactUri} />
				</Notice>
			) : kind === "other" ? (
				<Notice icon="file" title="No preview for this kind of file">
					<button type="button" class="button" onClick={() => setAnyway(true)}>
						Show as text
					</button>
				</Notice>
			) : kind === "image" ? (
				<Picture url={url} file={file} />
			) : (
				<Words url={url} file={file} kind={kind} />
			)}
		</>
	);
}

function Picture({ url, file }: { url: string; file: string }) {
	const blob = useResource(`picture ${url}`, (signal) => api.fetchArtifact(url, imageLimit, signal));
	const [source, setSource] = useState("");
	const [broken, setBroken] = useState(false);
	useEffect(() => {
		if (blob.data === undefined) return;
		const type = imageTypes[file.slice(file.lastIndexOf(".") + 1).toLowerCase()] ?? "";
		const made = URL.createObjectURL(new Blob([blob.data], { type }));
		setSource(made);
		return () => URL.revokeObjectURL(made);
	}, [blob.data]);
	if (blob.error !== null) return <Failed error={blob.error} what="this file" retry={blob.reload} />;
	if (broken)
		return (
			<Notice icon="warning" title="This image cannot be shown">
				<p>It is larger than {bytes(imageLimit)}, or not the kind of image that its name says.</p>
			</Notice>
		);
	return <div class="picture">{source !== "" && <img src={source} alt={base(file)} onError={() => setBroken(true)} />}</div>;
}

function Words({ url, file, kind }: { url: string; file: string; kind: Kind }) {
	const text = useResource(`text ${url}`, async (signal) => {
		const blob = await api.fetchArtifact(url, textLimit + 1, signal);
		return { cut: blob.size > textLimit, text: await blob.slice(0, textLimit).text() };
	});
	if (text.error !== null) return <Failed error={text.error} what="this file" retry={text.reload} />;
	if (text.data === undefined) return <Loading rows={8} />;
	const note = text.data.cut && <p class="preview-note">The first {bytes(textLimit)}; download it for the rest.</p>;
	if (text.data.text === "") return <p class="panel-empty">An empty file</p>;
	if (kind === "csv") return <Sheet text={text.data.text} tabs={file.toLowerCase().endsWith(".tsv")} note={note} />;
	return (
		<>
			{note}
			<pre class="preview-text" tabIndex={0}>
				{kind === "json" && !text.data.cut ? pretty(text.data.text) : text.data.text}
			</pre>
		</>
	);
}

function pretty(text: string): string {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return text;
	}
}

function Sheet({ text, tabs, note }: { text: string; tabs: boolean; note: ComponentChildren }) {
	const { rows, more } = parseCsv(text, tabs ? "\t" : ",", 501);
	const [head, ...body] = rows;
	const numeric = (head ?? []).map((_, i) => body.every((r) => r[i] === undefined || r[i] === "" || !Number.isNaN(Number(r[i]))));
	return (
		<>
			{more ? <p class="preview-note">The first {body.length} rows; download it for the rest.</p> : note}
			<div class="table-scroll sheet" tabIndex={0}>
				<table class="table dense">
					<thead>
						<tr>
							{(head ?? []).map((h, i) => (
								<th key={i} class={numeric[i] ? "right" : ""}>
									{h}
								</th>
							))}
						</tr>
					</thead>
					<tbody>
						{body.map((r, i) => (
							<tr key={i}>
								{r.map((c, j) => (
									<td key={j} class={numeric[j] ? "right num" : ""}>
										{c}
									</td>
								))}
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</>
	);
}
