import { useState } from "preact/hooks";
import * as api from "../api.ts";
import { path } from "../base/route.ts";
import { shellWord } from "../base/format.ts";
import { AliasChip } from "../parts/alias.tsx";
import { Ask } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Menu } from "../parts/menu.tsx";
import { Head } from "../parts/shell.tsx";
import { Failed, Loading, Notice, Stale } from "../parts/states.tsx";
import { Code, Time } from "../parts/text.tsx";
import { useTitle } from "../parts/title.ts";
import { useResource } from "../state/resource.ts";
import { notify } from "../state/toast.ts";
import { byName } from "../base/order.ts";

interface Aliased {
	alias: string;
	version: string;
}
type Asking =
	| { what: "set"; alias?: string; version?: string }
	| { what: "delete"; alias: string; version: string }
	| { what: "describe" }
	| null;

export function ModelView({ name }: { name: string }) {
	useTitle(name);
	const model = useResource(`model ${name}`, (signal) => api.getModel(name, signal));
	const versions = useResource(`versions ${name}`, (signal) => api.listVersions(name, signal));
	const [asking, setAsking] = useState<Asking>(null);
	const [changes, setChanges] = useState(0);
	if (model.data === undefined)
		return model.error === null ? <Loading rows={8} /> : <Failed error={model.error} what="this model" retry={model.reload} />;
	const reload = () => {
		model.reload();
		versions.reload();
		setChanges((n) => n + 1);
	};
	const aliases = [...(model.data.aliases ?? [])].sort((a, b) => byName(a.alias, b.alias));
	return (
		<>
			<Head
				crumbs={[{ label: "Models", href: "/models" }]}
				title={name}
				actions={
					<>
						<button type="button" class="button" onClick={() => setAsking({ what: "describe" })}>
							<Icon name="edit" size={14} /> Describe
						</button>
						<button type="button" class="button primary" disabled={versions.data === undefined || versions.data.length === 0} onClick={() => setAsking({ what: "set" })}>
							<Icon name="plus" size={14} /> Set alias
						</button>
					</>
				}
			>
				{model.data.description !== undefined && model.data.description !== "" && <p class="muted note model-note">{model.data.description}</p>}
			</Head>
			<Stale error={model.error} retry={reload} />
			<div class="model-page">
				<div>
					<section class="panel panel-open">
						<header>
							<h2>Versions</h2>
							{versions.data && <span class="count">{versions.data.length}</span>}
						</header>
						{versions.data === undefined ? (
							versions.error === null ? <Loading rows={3} /> : <Failed error={versions.error} what="the versions" retry={versions.reload} />
						) : (
							<Versions name={name} versions={versions.data} aliases={aliases} ask={setAsking} />
						)}
					</section>
				</div>
				<div>
					<Aliases name={name} aliases={aliases} ask={setAsking} changes={changes} />
					{aliases.length > 0 && (
						<section class="panel">
							<header>
								<h2>Use it</h2>
							</header>
							<div class="panel-body stack">
								<Code text={`cairn pull ${shellWord(`${name}@${aliases[0]!.alias}`)} --to model`} />
								<Code text={`mlflow.pyfunc.load_model(\n  ${JSON.stringify(`models:/${name}@${aliases[0]!.alias}`)})`} />
							</div>
						</section>
					)}
				</div>
			</div>
			<Dialogs name={name} description={model.data.description ?? ""} versions={versions.data ?? []} aliases={aliases} asking={asking} close={() => setAsking(null)} done={reload} />
		</>
	);
}

interface VersionsProps {
	name: string;
	versions: api.ModelVersion[];
	aliases: Aliased[];
	ask: (a: Asking) => void;
}

function Versions({ name, versions, aliases, ask }: VersionsProps) {
	if (versions.length === 0)
		return (
			<Notice icon="box" title="No versions">
				<p>A run makes one with registered_model_name.</p>
			</Notice>
		);
	return (
		<table class="table">
			<thead>
				<tr>
					<th>Version</th>
					<th>Aliases</th>
					<th>Made</th>
					<th>Run</th>
					<th>Description</th>
					<th class="tight" aria-label="Actions" />
				</tr>
			</thead>
			<tbody>
				{versions.map((v) => (
					<tr key={v.version}>
						<td class="nowrap strong">
							<Link href={path("models", name, "versions", v.version)}>v{v.version}</Link>
							{v.status !== undefined && v.status !== "READY" && <Ready version={v} />}
						</td>
						<td>
							<span class="chips">
								{aliases
									.filter((a) => a.version === v.version)
									.map((a) => (
										<AliasChip key={a.alias} alias={a.alias} />
									))}
							</span>
						</td>
						<td class="muted nowrap">
							<Time at={v.creation_timestamp} />
						</td>
						<td class="nowrap">
							{v.run_id !== undefined && v.run_id !== "" ? (
								<Link href={path("runs", v.run_id)} title={v.run_id}>
									<code>{v.run_id.slice(0, 8)}</code>
								</Link>
							) : (
								<span class="faint">–</span>
							)}
						</td>
						<td class="muted description">{v.description}</td>
						<td class="tight">
							<Menu
								label={`Actions for version ${v.version}`}
								button={<Icon name="more" />}
								items={[{ label: "Set alias here…", run: () => ask({ what: "set", version: v.version }) }]}
							/>
						</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}

export function Ready({ version }: { version: api.ModelVersion }) {
	const failed = version.status === "FAILED_REGISTRATION";
	const word = version.status === "READY" ? "Ready" : failed ? "Failed" : "Pending";
	return (
		<span class={`status status-${word.toLowerCase()}`} title={version.status_message ?? ""}>
			{word}
		</span>
	);
}

interface AliasesProps {
	name: string;
	aliases: Aliased[];
	ask: (a: Asking) => void;
	changes: number;
}

function Aliases({ name, aliases, ask, changes }: AliasesProps) {
	const [open, setOpen] = useState<ReadonlySet<string>>(new Set(aliases.slice(0, 2).map((a) => a.alias)));
	const toggle = (alias: string) => {
		const next = new Set(open);
		if (!next.delete(alias)) next.add(alias);
		setOpen(next);
	};
	return (
		<section class="panel panel-open">
			<header>
				<h2>Aliases</h2>
				<span class="count">{aliases.length}</span>
			</header>
			{aliases.length === 0 ? (
				<p class="panel-empty">None yet. An alias such as “champion” names the version that others should use; moving it is how you promote and roll back.</p>
			) : (
				<ul class="aliases">
					{aliases.map((a) => (
						<li key={a.alias}>
							<div class="alias-line">
								<button type="button" class="alias-open" aria-expanded={open.has(a.alias)} onClick={() => toggle(a.alias)}>
									<Icon name={open.has(a.alias) ? "down" : "right"} size={12} />
									<b>{a.alias}</b>
								</button>
								<Link class="num strong" href={path("models", name, "versions", a.version)}>
									v{a.version}
								</Link>
								<Menu
									label={`Actions for ${a.alias}`}
									button={<Icon name="more" />}
									items={[
										{ label: "Move…", run: () => ask({ what: "set", alias: a.alias }) },
										{ label: "Delete…", danger: true, run: () => ask({ what: "delete", ...a }) },
									]}
								/>
							</div>
							{open.has(a.alias) && <History name={name} alias={a.alias} turn={`${a.version} ${changes}`} />}
						</li>
					))}
				</ul>
			)}
		</section>
	);
}

function History({ name, alias, turn }: { name: string; alias: string; turn: string }) {
	const list = useResource(`history ${name} ${alias} ${turn}`, (signal) => api.aliasHistory(name, alias, signal));
	if (list.error !== null) return <p class="panel-empty">{(list.error as Error).message}</p>;
	if (list.data === undefined) return <p class="panel-empty">Loading…</p>;
	return (
		<ol class="history" aria-label={`History of ${alias}`}>
			{list.data.map((m) => (
				<li key={m.generation}>
					<span class="num">{move(m)}</span>
					<span class="muted">
						{m.changed_by !== undefined && m.changed_by !== "" ? `${m.changed_by}, ` : ""}
						<Time at={m.changed_unix_ms} />
					</span>
				</li>
			))}
		</ol>
	);
}

function move(m: api.AliasMove) {
	const before = m.previous_version;
	if (m.version === undefined) return <>{before === undefined ? "deleted" : <>deleted (was v{before})</>}</>;
	if (before === undefined) return <>set to <b>v{m.version}</b></>;
	return <>v{before} → <b>v{m.version}</b></>;
}

interface DialogsProps {
	name: string;
	description: string;
	versions: api.ModelVersion[];
	aliases: Aliased[];
	asking: Asking;
	close: () => void;
	done: () => void;
}

function Dialogs({ name, description, versions, aliases, asking, close, done }: DialogsProps) {
	if (asking === null) return null;
	if (asking.what === "describe")
		return (
			<Ask title="Description" action="Save" onClose={close} run={async (f) => (await api.describeModel(name, String(f.get("text"))), done())}>
				<label class="field">
					<span>What is this model for?</span>
					<textarea name="text" rows={4} autofocus value={description} />
				</label>
			</Ask>
		);
	if (asking.what === "delete")
		return (
			<Ask
				title={`Delete the alias “${asking.alias}”?`}
				action="Delete alias"
				danger
				onClose={close}
				run={async () => {
					await api.deleteAlias(name, asking.alias);
					notify(`The alias “${asking.alias}” is deleted.`);
					done();
				}}
			>
				<p>
					Version {asking.version} stays; whoever asks for <code>{name}@{asking.alias}</code> gets an error from now on. Its history is kept.
				</p>
			</Ask>
		);
	return <SetAlias name={name} versions={versions} aliases={aliases} alias={asking.alias} version={asking.version} close={close} done={done} />;
}

interface SetAliasProps {
	name: string;
	versions: api.ModelVersion[];
	aliases: Aliased[];
	alias: string | undefined;
	version: string | undefined;
	close: () => void;
	done: () => void;
}

function SetAlias({ name, versions, aliases, alias, version, close, done }: SetAliasProps) {
	const [text, setText] = useState(alias ?? "");
	const before = aliases.find((a) => a.alias === text.trim());
	const [to, setTo] = useState(version ?? versions.find((v) => v.version !== before?.version)?.version ?? "");
	const verb = before === undefined ? "Set" : "Move";
	return (
		<Ask
			title={alias === undefined ? "Set alias" : `Move “${alias}”`}
			action={before !== undefined && before.version !== to ? `Move from v${before.version} to v${to}` : `${verb} to v${to}`}
			onClose={close}
			run={async () => {
				await api.setAlias(name, text.trim(), to);
				notify(`“${text.trim()}” is now version ${to}.`);
				done();
			}}
		>
			{alias === undefined && (
				<label class="field">
					<span>Alias</span>
					<input name="alias" type="text" required autofocus autocomplete="off" spellcheck={false} placeholder="champion" value={text} onInput={(e) => setText(e.currentTarget.value)} />
				</label>
			)}
			<label class="field">
				<span>Version</span>
				<select name="version" value={to} autofocus={alias !== undefined} onChange={(e) => setTo(e.currentTarget.value)}>
					{versions.map((v) => (
						<option key={v.version} value={v.version}>
							v{v.version}
							{v.version === before?.version ? " (where it is now)" : ""}
						</option>
					))}
				</select>
			</label>
			{before !== undefined && (
				<p>
					Everybody who asks for <code>{name}@{text.trim()}</code> gets version {to} instead of {before.version}. The move is kept in the history and can be undone by moving back.
				</p>
			)}
		</Ask>
	);
}
