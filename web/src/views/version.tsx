import { useMemo } from "preact/hooks";
import * as api from "../api.ts";
import { bytes, plural, shellWord } from "../base/format.ts";
import { path } from "../base/route.ts";
import { AliasChip } from "../parts/alias.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Head } from "../parts/shell.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { Code, Copy, Time } from "../parts/text.tsx";
import { useTitle } from "../parts/title.ts";
import { useResource } from "../state/resource.ts";
import { Ready } from "./model.tsx";

export function VersionView({ name, version }: { name: string; version: string }) {
	useTitle(`${name} v${version}`);
	const list = useResource(`versions ${name}`, (signal) => api.listVersions(name, signal));
	const model = useResource(`model ${name}`, (signal) => api.getModel(name, signal));
	const files = useResource(`files ${name} ${version}`, (signal) => api.versionFiles(name, version, signal));
	const manifest = useResource(`manifest ${name} ${version}`, (signal) => api.versionManifest(name, version, signal));
	const found = useMemo(() => list.data?.find((v) => v.version === version), [list.data, version]);
	if (list.data === undefined)
		return list.error === null ? <Loading rows={8} /> : <Failed error={list.error} what="this version" retry={list.reload} />;
	if (found === undefined)
		return <Failed error={new api.ApiError(404, "", `The model “${name}” has no version ${version}.`)} what="this version" />;
	const aliases = (model.data?.aliases ?? []).filter((a) => a.version === version);
	const spec = `${name}/${version}`;
	return (
		<>
			<Head
				crumbs={[
					{ label: "Models", href: "/models" },
					{ label: name, href: path("models", name) },
				]}
				title={`Version ${version}`}
				after={
					<>
						<Ready version={found} />
						<span class="chips">
							{aliases.map((a) => (
								<AliasChip key={a.alias} alias={a.alias} />
							))}
						</span>
					</>
				}
			>
				{found.description !== undefined && found.description !== "" && <p class="muted note model-note">{found.description}</p>}
			</Head>
			<div class="model-page">
				<section class="panel">
					<header>
						<h2>Files</h2>
						{files.data && (
							<span class="muted">
								{plural(files.data.files, "file")}, {bytes(files.data.size)}
							</span>
						)}
					</header>
					{manifest.data === undefined ? (
						manifest.error === null ? <Loading rows={4} /> : <p class="panel-empty">{(manifest.error as Error).message}</p>
					) : (
						<Files manifest={manifest.data} name={name} version={version} />
					)}
				</section>
				<div>
					<section class="panel">
						<header>
							<h2>Details</h2>
						</header>
						<dl class="facts">
							<div>
								<dt>Made</dt>
								<dd>
									<Time at={found.creation_timestamp} />
								</dd>
							</div>
							{files.data?.created_by !== undefined && (
								<div>
									<dt>By</dt>
									<dd>{files.data.created_by}</dd>
								</div>
							)}
							{found.run_id !== undefined && found.run_id !== "" && (
								<div>
									<dt>Run</dt>
									<dd>
										<Link href={path("runs", found.run_id)}>
											<code>{found.run_id.slice(0, 12)}…</code>
										</Link>
									</dd>
								</div>
							)}
							{found.source !== undefined && (
								<div>
									<dt>Source</dt>
									<dd>{found.source}</dd>
								</div>
							)}
							{files.data && (
								<div>
									<dt>Manifest</dt>
									<dd class="with-copy">
										<code>{files.data.manifest_digest.replace("sha256:", "").slice(0, 16)}…</code>
										<Copy text={files.data.manifest_digest} label="Copy the manifest's digest" />
									</dd>
								</div>
							)}
							{(found.tags ?? []).map((t) => (
								<div key={t.key}>
									<dt>{t.key}</dt>
									<dd>{t.value}</dd>
								</div>
							))}
						</dl>
					</section>
					<section class="panel">
						<header>
							<h2>Use it</h2>
						</header>
						<div class="panel-body stack">
							{aliases.length > 0 && <Code text={`cairn pull ${shellWord(`${name}@${aliases[0]!.alias}`)} --to model`} />}
							<Code text={`mlflow.pyfunc.load_model(\n  ${JSON.stringify(`models:/${spec}`)})`} />
						</div>
					</section>
				</div>
			</div>
		</>
	);
}

function Files({ manifest, name, version }: { manifest: api.Manifest; name: string; version: string }) {
	return (
		<div class="table-scroll">
			<table class="table dense">
				<thead>
					<tr>
						<th>Path</th>
						<th class="right">Size</th>
						<th>SHA-256</th>
						<th class="tight" aria-label="Download" />
					</tr>
				</thead>
				<tbody>
					{manifest.files.map((f) => (
						<tr key={f.path}>
							<td>{f.path}</td>
							<td class="right num nowrap" title={`${f.size} bytes`}>
								{bytes(f.size)}
							</td>
							<td class="nowrap digest">
								<code class="muted" title={f.sha256}>
									{f.sha256.slice(0, 12)}…
								</code>
								<Copy text={f.sha256} label={`Copy the digest of ${f.path}`} />
							</td>
							<td class="tight">
								<a
									class="icon-button"
									href={api.blobUrl(name, version, f.sha256)}
									download={f.path.slice(f.path.lastIndexOf("/") + 1)}
									title="Download"
									aria-label={`Download ${f.path}`}
								>
									<Icon name="download" size={14} />
								</a>
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
