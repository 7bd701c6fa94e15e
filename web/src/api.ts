// Every operation of the server that the UI uses: one typed function each.

import { number } from "./base/format.ts";

/* ---- transport ---- */

export class ApiError extends Error {
	readonly status: number;
	readonly code: string;
	constructor(status: number, code: string, message: string) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

/** Called on every 401 but that of signing in; state/session.ts sets it. */
let onUnauthenticated: () => void = () => {};
export function whenUnauthenticated(f: () => void): void {
	onUnauthenticated = f;
}

type Query = Record<string, string | number | readonly string[] | undefined>;

function withQuery(path: string, query: Query): string {
	const q = new URLSearchParams();
	for (const [name, value] of Object.entries(query)) {
		if (value === undefined) continue;
		if (typeof value === "object") for (const v of value) q.append(name, v);
		else q.append(name, String(value));
	}
	const text = q.toString();
	return text === "" ? path : `${path}?${text}`;
}

interface CallOptions {
	body?: unknown;
	signal?: AbortSignal | undefined;
	signingIn?: boolean;
}

async function send(method: string, path: string, o: CallOptions): Promise<Response> {
	const init: RequestInit = {
		method,
		credentials: "same-origin",
		headers: { "X-Requested-With": "cairn-web", Accept: "application/json" },
		signal: o.signal ?? null,
	};
	if (o.body !== undefined) {
		init.headers = { ...(init.headers as Record<string, string>), "Content-Type": "application/json" };
		init.body = JSON.stringify(o.body);
	}
	let response: Response;
	try {
		response = await fetch(path, init);
	} catch (e) {
		if (e instanceof DOMException && e.name === "AbortError") throw e;
		throw new ApiError(0, "UNREACHABLE", "The server does not answer.");
	}
	if (!response.ok) throw await failure(response, o.signingIn === true);
	return response;
}

async function failure(response: Response, signingIn: boolean): Promise<ApiError> {
	let code = "";
	let message = "";
	try {
		const body = (await response.json()) as { error_code?: string; message?: string };
		code = body.error_code ?? "";
		message = body.message ?? "";
	} catch {
		message = `The server answered ${response.status} ${response.statusText}.`;
	}
	if (response.status === 401 && !signingIn) onUnauthenticated();
	return new ApiError(response.status, code, message);
}

async function call<T>(method: string, path: string, o: CallOptions = {}): Promise<T> {
	return (await (await send(method, path, o)).json()) as T;
}

const mlflow = "/api/2.0/mlflow/";
const v1 = "/api/v1/";

export function isAbort(e: unknown): boolean {
	return e instanceof DOMException && e.name === "AbortError";
}

/* ---- who ---- */

export interface User {
	id: number;
	username: string;
	is_admin: boolean;
}
export interface Me {
	user: User | null;
	auth: boolean;
}

export function me(): Promise<Me> {
	return call("GET", v1 + "me");
}
export function login(username: string, password: string): Promise<{ user: User }> {
	return call("POST", v1 + "login", { body: { username, password }, signingIn: true });
}
export function logout(): Promise<object> {
	return call("POST", v1 + "logout", { body: {} });
}
export function changePassword(current: string, next: string): Promise<object> {
	return call("PUT", v1 + "me/password", { body: { current_password: current, password: next }, signingIn: true });
}

export interface Token {
	id: number;
	name: string;
	created_unix_ms: number;
	expires_unix_ms?: number;
	last_used_unix_ms?: number;
}

export async function listTokens(signal?: AbortSignal): Promise<Token[]> {
	return (await call<{ tokens?: Token[] }>("GET", v1 + "tokens", { signal })).tokens ?? [];
}
export function createToken(name: string, expiresInDays: number | null): Promise<Token & { token: string }> {
	const body = expiresInDays === null ? { name } : { name, expires_in_days: expiresInDays };
	return call("POST", v1 + "tokens", { body });
}
export function revokeToken(id: number): Promise<object> {
	return call("DELETE", `${v1}tokens/${id}`);
}

/* ---- experiments ---- */

export interface ExperimentRow {
	experiment_id: string;
	name: string;
	lifecycle_stage: "active" | "deleted";
	creation_time: number;
	last_update_time: number;
	runs: number;
	active_runs: number;
	last_run_unix_ms?: number;
}
export interface Experiment {
	experiment_id: string;
	name: string;
	lifecycle_stage: "active" | "deleted";
	creation_time: number;
	last_update_time: number;
	tags?: Tag[];
}
export type ExperimentView = "active" | "deleted" | "all";

export async function listExperiments(view: ExperimentView, signal?: AbortSignal): Promise<ExperimentRow[]> {
	const path = withQuery(v1 + "experiments", { view });
	const rows = (await call<{ experiments?: ExperimentRow[] }>("GET", path, { signal })).experiments ?? [];
	return rows.map((r) => ({ ...r, experiment_id: String(r.experiment_id) }));
}
export async function getExperiment(id: string, signal?: AbortSignal): Promise<Experiment> {
	const path = withQuery(mlflow + "experiments/get", { experiment_id: id });
	return (await call<{ experiment: Experiment }>("GET", path, { signal })).experiment;
}
export async function createExperiment(name: string): Promise<string> {
	const r = await call<{ experiment_id: string }>("POST", mlflow + "experiments/create", { body: { name } });
	return r.experiment_id;
}
export function renameExperiment(id: string, name: string): Promise<object> {
	return call("POST", mlflow + "experiments/update", { body: { experiment_id: id, new_name: name } });
}
export function archiveExperiment(id: string): Promise<object> {
	return call("POST", mlflow + "experiments/delete", { body: { experiment_id: id } });
}
export function restoreExperiment(id: string): Promise<object> {
	return call("POST", mlflow + "experiments/restore", { body: { experiment_id: id } });
}

/* ---- runs ---- */

export interface Tag {
	key: string;
	value: string;
}
export interface Metric {
	key: string;
	value: number;
	timestamp: number;
	step: number;
}
export type RunStatus = "RUNNING" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED";
export interface Dataset {
	name: string;
	digest: string;
	source_type: string;
	context: string;
}
export interface Run {
	id: string;
	name: string;
	experimentId: string;
	user: string;
	status: RunStatus;
	startMs: number;
	endMs: number | null;
	artifactUri: string;
	deleted: boolean;
	metrics: Map<string, Metric>;
	params: Map<string, string>;
	tags: Map<string, string>;
	datasets: Dataset[];
}

interface RunWire {
	info: {
		run_id: string;
		run_name?: string;
		experiment_id: string;
		user_id?: string;
		status: RunStatus;
		start_time?: number;
		end_time?: number;
		artifact_uri?: string;
		lifecycle_stage: string;
	};
	data?: {
		metrics?: { key: string; value: unknown; timestamp?: number; step?: number }[];
		params?: Tag[];
		tags?: Tag[];
	};
	inputs?: { dataset_inputs?: { tags?: Tag[]; dataset: { name: string; digest: string; source_type: string } }[] };
}

function readRun(w: RunWire): Run {
	const tags = new Map((w.data?.tags ?? []).map((t) => [t.key, t.value ?? ""]));
	return {
		id: w.info.run_id,
		name: w.info.run_name || tags.get("mlflow.runName") || w.info.run_id,
		experimentId: String(w.info.experiment_id),
		user: tags.get("mlflow.user") ?? w.info.user_id ?? "",
		status: w.info.status,
		startMs: Number(w.info.start_time ?? 0),
		endMs: w.info.end_time === undefined || Number(w.info.end_time) <= 0 ? null : Number(w.info.end_time),
		artifactUri: w.info.artifact_uri ?? "",
		deleted: w.info.lifecycle_stage === "deleted",
		metrics: new Map((w.data?.metrics ?? []).map((m) => [m.key, readMetric(m)])),
		params: new Map((w.data?.params ?? []).map((p) => [p.key, p.value ?? ""])),
		tags,
		datasets: (w.inputs?.dataset_inputs ?? []).map((d) => ({
			name: d.dataset.name,
			digest: d.dataset.digest,
			source_type: d.dataset.source_type,
			context: d.tags?.find((t) => t.key === "mlflow.data.context")?.value ?? "",
		})),
	};
}

function readMetric(m: { key: string; value: unknown; timestamp?: number; step?: number }): Metric {
	return { key: m.key, value: number(m.value), timestamp: Number(m.timestamp ?? 0), step: Number(m.step ?? 0) };
}

export interface RunSearch {
	experimentIds: string[];
	filter: string;
	view: "ACTIVE_ONLY" | "DELETED_ONLY" | "ALL";
	orderBy: string[];
	limit: number;
	pageToken?: string;
}
export interface RunPage {
	runs: Run[];
	next: string | null;
}

export async function searchRuns(s: RunSearch, signal?: AbortSignal): Promise<RunPage> {
	const r = await call<{ runs?: RunWire[]; next_page_token?: string }>("POST", mlflow + "runs/search", {
		body: {
			experiment_ids: s.experimentIds,
			filter: s.filter,
			run_view_type: s.view,
			max_results: s.limit,
			order_by: s.orderBy,
			...(s.pageToken === undefined ? {} : { page_token: s.pageToken }),
		},
		signal,
	});
	return { runs: (r.runs ?? []).map(readRun), next: r.next_page_token || null };
}
export async function getRun(id: string, signal?: AbortSignal): Promise<Run> {
	const path = withQuery(mlflow + "runs/get", { run_id: id });
	return readRun((await call<{ run: RunWire }>("GET", path, { signal })).run);
}
/** Who made a run: the user's name and the token's, where there was one. */
export interface RunOrigin {
	created_unix_ms: number;
	created_by?: string;
	created_token?: string;
}
export function getRunOrigin(id: string, signal?: AbortSignal): Promise<RunOrigin> {
	return call("GET", v1 + "runs/" + encodeURIComponent(id) + "/origin", { signal });
}
export function renameRun(id: string, name: string): Promise<object> {
	return call("POST", mlflow + "runs/update", { body: { run_id: id, run_name: name } });
}
export function archiveRun(id: string): Promise<object> {
	return call("POST", mlflow + "runs/delete", { body: { run_id: id } });
}
export function restoreRun(id: string): Promise<object> {
	return call("POST", mlflow + "runs/restore", { body: { run_id: id } });
}

/* ---- metric series ---- */

export interface MetricSeries {
	run_id: string;
	key: string;
	/** Samples stored; the points are buckets of them. */
	n: number;
	points: {
		step: number[];
		time: number[];
		first: (number | null)[];
		last: (number | null)[];
		min: (number | null)[];
		max: (number | null)[];
		mean: (number | null)[];
		count: number[];
	};
}
export interface SeriesPage {
	series: MetricSeries[];
	/** What comes after this is new: for `watchMetrics`. */
	cursor: string | undefined;
}
export interface SeriesAsk {
	runIds: readonly string[];
	keys: readonly string[];
	buckets: number;
	/** The axis that is cut into buckets, and the range of it: steps, or milliseconds. */
	x: "step" | "time" | "relative";
	from?: number | undefined;
	to?: number | undefined;
}

/** Longer addresses are not sent: what they say goes into a body, or is asked for in another way. */
const longestAddress = 7000;

export async function metricSeries(ask: SeriesAsk, signal?: AbortSignal): Promise<SeriesPage> {
	const { buckets, x, from, to } = ask;
	const short = withQuery(v1 + "metrics/series", { run_id: ask.runIds, key: ask.keys, buckets, x: x === "step" ? undefined : x, from, to });
	const body = { run_ids: ask.runIds, keys: ask.keys, buckets, x, from, to };
	const r = await (short.length <= longestAddress
		? call<{ series?: MetricSeries[]; cursor?: string }>("GET", short, { signal })
		: call<{ series?: MetricSeries[]; cursor?: string }>("POST", v1 + "metrics/series", { body, signal }));
	return { series: (r.series ?? []).map(readSeries), cursor: r.cursor };
}

function readValues(v: unknown[] | undefined): (number | null)[] {
	return (v ?? []).map((x) => (x === null ? null : number(x)));
}

function readSeries(s: MetricSeries): MetricSeries {
	const p = s.points;
	return {
		...s,
		points: {
			step: (p.step ?? []).map(Number),
			time: (p.time ?? []).map(Number),
			first: readValues(p.first),
			last: readValues(p.last),
			min: readValues(p.min),
			max: readValues(p.max),
			mean: readValues(p.mean),
			count: p.count ?? [],
		},
	};
}

/** Samples as they were logged. */
export interface LivePoints {
	run_id: string;
	key: string;
	step: number[];
	time: number[];
	value: (number | null)[];
}
export interface Watcher {
	points: (found: LivePoints[]) => void;
	/** Read the series of these runs anew, and watch from there. */
	reset: (runIds: string[]) => void;
	/** It is over, and does not come back by itself. */
	failed: () => void;
}

/** What is logged since `cursor`, as it comes. Call what it returns to end it; null: too much for one stream. */
export function watchMetrics(runIds: readonly string[], keys: readonly string[], cursor: string, on: Watcher): (() => void) | null {
	const path = withQuery(v1 + "metrics/live", { run_id: runIds, key: keys, cursor });
	if (path.length > longestAddress || runIds.length * keys.length > 1000) return null;
	const source = new EventSource(path);
	source.addEventListener("points", (e) => {
		const found = (JSON.parse(e.data) as { series: { run_id: string; key: string; points: { step: number[]; time: number[]; value: unknown[] } }[] }).series;
		on.points(found.map((s) => ({ run_id: s.run_id, key: s.key, step: s.points.step, time: s.points.time, value: readValues(s.points.value) })));
	});
	source.addEventListener("reset", (e) => on.reset((JSON.parse(e.data) as { run_ids: string[] }).run_ids));
	// a connection that was lost is made again by the browser, from the last event on
	source.addEventListener("error", () => source.readyState === EventSource.CLOSED && on.failed());
	return () => source.close();
}

/** A metric of a run in a few numbers: of all samples, however many there are. */
export interface MetricSummary {
	key: string;
	count: number;
	mean: number;
	first: MetricMoment;
	last: MetricMoment;
	min: MetricMoment;
	max: MetricMoment;
}
export interface MetricMoment {
	value: number;
	step: number;
	time: number;
}

export async function metricSummaries(runId: string, signal?: AbortSignal): Promise<ReadonlyMap<string, MetricSummary>> {
	type Wire = { metrics?: Record<string, unknown>[] };
	const r = await call<Wire>("GET", `${v1}runs/${encodeURIComponent(runId)}/metrics`, { signal });
	const moment = (m: unknown): MetricMoment => {
		const { value, step, time } = (m ?? {}) as Record<string, unknown>;
		return { value: number(value), step: Number(step), time: Number(time) };
	};
	return new Map(
		(r.metrics ?? []).map((m) => {
			const key = String(m["key"]);
			const four = { first: moment(m["first"]), last: moment(m["last"]), min: moment(m["min"]), max: moment(m["max"]) };
			return [key, { key, count: Number(m["count"]), mean: number(m["mean"]), ...four }];
		}),
	);
}

/* ---- artifacts ---- */

export interface ArtifactFile {
	path: string;
	is_dir: boolean;
	file_size?: number;
}

export async function listArtifacts(runId: string, path: string, signal?: AbortSignal): Promise<ArtifactFile[]> {
	const found: ArtifactFile[] = [];
	let token: string | undefined;
	do {
		const query = { run_id: runId, path: path === "" ? undefined : path, page_token: token };
		const r = await call<{ files?: ArtifactFile[]; next_page_token?: string }>(
			"GET",
			withQuery(mlflow + "artifacts/list", query),
			{ signal },
		);
		found.push(...(r.files ?? []));
		token = r.next_page_token || undefined;
	} while (token !== undefined && found.length < 10_000);
	return found;
}

/** Where a run's file is served, or null when the run keeps its artifacts outside of this server. */
export function artifactUrl(artifactUri: string, path: string): string | null {
	const root = /^mlflow-artifacts:\/(?!\/)(.*?)\/*$/.exec(artifactUri);
	if (root === null) return null;
	const segments = [...root[1]!.split("/"), ...path.split("/")].filter((s) => s !== "");
	return "/api/2.0/mlflow-artifacts/artifacts/" + segments.map(encodeURIComponent).join("/");
}

/** At most `limit` bytes of a file. */
export async function fetchArtifact(url: string, limit: number, signal?: AbortSignal): Promise<Blob> {
	const response = await send("GET", url, { signal });
	const reader = response.body?.getReader();
	if (reader === undefined) return response.blob();
	const pieces: Uint8Array<ArrayBuffer>[] = [];
	let size = 0;
	while (size < limit) {
		const { done, value } = await reader.read();
		if (done) break;
		pieces.push(size + value.length > limit ? value.slice(0, limit - size) : value);
		size += value.length;
	}
	if (size >= limit) await reader.cancel();
	return new Blob(pieces);
}

/* ---- models ---- */

export interface ModelVersion {
	name: string;
	version: string;
	creation_timestamp: number;
	last_updated_timestamp: number;
	user_id?: string;
	current_stage?: string;
	description?: string;
	source?: string;
	run_id?: string;
	status?: string;
	status_message?: string;
	aliases?: string[];
	tags?: Tag[];
}
export interface RegisteredModel {
	name: string;
	creation_timestamp: number;
	last_updated_timestamp: number;
	description?: string;
	latest_versions?: ModelVersion[];
	aliases?: { alias: string; version: string }[];
	tags?: Tag[];
}
export interface ModelPage {
	models: RegisteredModel[];
	next: string | null;
}

export async function searchModels(filter: string, token?: string, signal?: AbortSignal): Promise<ModelPage> {
	const query = { filter: filter === "" ? undefined : filter, max_results: 200, page_token: token };
	const r = await call<{ registered_models?: RegisteredModel[]; next_page_token?: string }>(
		"GET",
		withQuery(mlflow + "registered-models/search", query),
		{ signal },
	);
	return { models: r.registered_models ?? [], next: r.next_page_token || null };
}
export async function getModel(name: string, signal?: AbortSignal): Promise<RegisteredModel> {
	const path = withQuery(mlflow + "registered-models/get", { name });
	return (await call<{ registered_model: RegisteredModel }>("GET", path, { signal })).registered_model;
}
export async function listVersions(name: string, signal?: AbortSignal): Promise<ModelVersion[]> {
	const quoted = name.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
	const query = { filter: `name = '${quoted}'`, max_results: 1000, order_by: ["version_number DESC"] };
	const r = await call<{ model_versions?: ModelVersion[] }>("GET", withQuery(mlflow + "model-versions/search", query), {
		signal,
	});
	const versions = r.model_versions ?? [];
	return versions.sort((a, b) => Number(b.version) - Number(a.version));
}
export function setAlias(name: string, alias: string, version: string): Promise<object> {
	return call("POST", mlflow + "registered-models/alias", { body: { name, alias, version } });
}
export function deleteAlias(name: string, alias: string): Promise<object> {
	return call("DELETE", mlflow + "registered-models/alias", { body: { name, alias } });
}
export function describeModel(name: string, description: string): Promise<object> {
	return call("PATCH", mlflow + "registered-models/update", { body: { name, description } });
}

export interface AliasMove {
	generation: number;
	version?: number | string;
	previous_version?: number | string;
	changed_unix_ms: number;
	changed_by?: string;
}

export async function aliasHistory(name: string, alias: string, signal?: AbortSignal): Promise<AliasMove[]> {
	const path = `${v1}models/${encodeURIComponent(name)}/aliases/${encodeURIComponent(alias)}/history`;
	return (await call<{ history?: AliasMove[] }>("GET", path, { signal })).history ?? [];
}

export interface Manifest {
	model: string;
	version: number;
	files: { path: string; sha256: string; size: number }[];
}
export interface VersionFiles {
	manifest_digest: string;
	size: number;
	files: number;
	source?: string;
	created_by?: string;
}

export function versionFiles(name: string, version: string, signal?: AbortSignal): Promise<VersionFiles> {
	return call("GET", `${v1}models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`, { signal });
}
export function versionManifest(name: string, version: string, signal?: AbortSignal): Promise<Manifest> {
	const path = `${v1}models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}/manifest`;
	return call("GET", path, { signal });
}
export function blobUrl(name: string, version: string, sha256: string): string {
	return `${v1}models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}/blobs/${sha256}`;
}
