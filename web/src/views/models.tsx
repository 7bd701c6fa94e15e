import { useState } from "preact/hooks";
import * as api from "../api.ts";
import { group } from "../base/format.ts";
import { path } from "../base/route.ts";
import { AliasChip } from "../parts/alias.tsx";
import { Link } from "../parts/link.tsx";
import { Search } from "../parts/search.tsx";
import { Head } from "../parts/shell.tsx";
import { Failed, Loading, Notice, Stale } from "../parts/states.tsx";
import { Code, Time } from "../parts/text.tsx";
import { useTitle } from "../parts/title.ts";
import { useResource } from "../state/resource.ts";
import { notify } from "../state/toast.ts";
import { query, setQuery } from "../state/url.ts";

/** The server's filter for names that hold these words. */
function nameFilter(words: string): string {
	if (words === "") return "";
	return `name ILIKE '%${words.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}%'`;
}

export function ModelsView() {
	useTitle("Models");
	const words = (query.value.get("q") ?? "").trim();
	const list = useResource(`models ${words}`, (signal) => api.searchModels(nameFilter(words), undefined, signal));
	const [more, setMore] = useState(false);
	const loadMore = async () => {
		if (list.data?.next == null) return;
		setMore(true);
		try {
			const page = await api.searchModels(nameFilter(words), list.data.next);
			list.set({ models: [...list.data.models, ...page.models], next: page.next });
		} catch (e) {
			notify((e as Error).message, "failed");
		}
		setMore(false);
	};
	const page = list.data;
	return (
		<>
			<Head title="Models" after={page && <span class="count">{page.next === null ? group(page.models.length) : `${group(page.models.length)}+`}</span>} />
			<div class="toolbar">
				<Search main label="Find by name" value={words} quiet={250} onChange={(t) => setQuery({ q: t.trim() }, { replace: true })} />
			</div>
			{page && <Stale error={list.error} retry={list.reload} />}
			{page === undefined ? (
				list.error === null ? <Loading /> : <Failed error={list.error} what="the models" retry={list.reload} />
			) : page.models.length === 0 ? (
				<Nothing words={words} />
			) : (
				<Table models={page.models} />
			)}
			{page !== undefined && page.next !== null && (
				<p class="runs-foot">
					<button type="button" class="button" disabled={more} onClick={loadMore}>
						{more ? "Loading…" : "Load more"}
					</button>
				</p>
			)}
		</>
	);
}

function Nothing({ words }: { words: string }) {
	if (words !== "")
		return (
			<Notice icon="search" title={`No model is called “${words}”`}>
				<button type="button" class="button" onClick={() => setQuery({ q: null })}>
					Show all
				</button>
			</Notice>
		);
	return (
		<Notice icon="box" title="No models registered yet">
			<p>A run registers one while it logs it:</p>
			<Code text={`mlflow.sklearn.log_model(model, name="model", registered_model_name="churn")`} />
			<p>
				Then give a version an alias such as <b>champion</b>, and pull it by that name.
			</p>
		</Notice>
	);
}

function newest(model: api.RegisteredModel): string | undefined {
	const versions = (model.latest_versions ?? []).map((v) => Number(v.version));
	return versions.length === 0 ? undefined : String(Math.max(...versions));
}

function Table({ models }: { models: api.RegisteredModel[] }) {
	return (
		<div class="table-box">
			<table class="table">
				<thead>
					<tr>
						<th>Name</th>
						<th>Aliases</th>
						<th class="right">Newest</th>
						<th>Last change</th>
						<th>Description</th>
					</tr>
				</thead>
				<tbody>
					{models.map((m) => {
						const top = newest(m);
						return (
							<tr key={m.name}>
								<td class="main-cell">
									<Link href={path("models", m.name)}>{m.name}</Link>
								</td>
								<td>
									<span class="chips">
										{(m.aliases ?? []).map((a) => (
											<AliasChip key={a.alias} alias={a.alias} version={a.version} />
										))}
										{(m.aliases ?? []).length === 0 && <span class="faint">–</span>}
									</span>
								</td>
								<td class="right num">{top === undefined ? <span class="faint">–</span> : <Link href={path("models", m.name, "versions", top)}>v{top}</Link>}</td>
								<td class="muted nowrap">
									<Time at={m.last_updated_timestamp} />
								</td>
								<td class="muted description">{m.description}</td>
							</tr>
						);
					})}
				</tbody>
			</table>
		</div>
	);
}
