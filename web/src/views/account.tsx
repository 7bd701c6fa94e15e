import { useState } from "preact/hooks";
import * as api from "../api.ts";
import { Ask, Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Head } from "../parts/shell.tsx";
import { Failed, Loading, Notice } from "../parts/states.tsx";
import { Code, Time } from "../parts/text.tsx";
import { useTitle } from "../parts/title.ts";
import { now } from "../state/now.ts";
import { useResource } from "../state/resource.ts";
import { session } from "../state/session.ts";
import { notify } from "../state/toast.ts";

export function AccountView() {
	useTitle("Account");
	const s = session.value;
	if (s.state !== "in") return null;
	if (s.user === null)
		return (
			<Notice icon="user" title="Nobody signs in here">
				<p>This server runs with sign-in turned off, so there is no account to look after.</p>
			</Notice>
		);
	return (
		<>
			<Head title={s.user.username} after={s.user.is_admin && <span class="count">administrator</span>} />
			<div class="account-page">
				<Tokens />
				<Password username={s.user.username} />
			</div>
		</>
	);
}

function Tokens() {
	const list = useResource("tokens", api.listTokens);
	const [asking, setAsking] = useState<"create" | api.Token | null>(null);
	const [made, setMade] = useState<string | null>(null);
	return (
		<section class="panel panel-open">
			<header>
				<h2>Tokens</h2>
				{list.data && <span class="count">{list.data.length}</span>}
				<div class="end">
					<button type="button" class="button small" onClick={() => setAsking("create")}>
						<Icon name="plus" size={13} /> New token
					</button>
				</div>
			</header>
			{list.data === undefined ? (
				list.error === null ? <Loading rows={2} /> : <Failed error={list.error} what="your tokens" retry={list.reload} />
			) : list.data.length === 0 ? (
				<p class="panel-empty">None yet. Scripts and machines sign in with a token instead of your password: one each, so that each can be revoked alone.</p>
			) : (
				<TokenTable tokens={list.data} revoke={setAsking} />
			)}
			{asking === "create" && <Create close={() => setAsking(null)} done={(token) => (setMade(token), list.reload())} />}
			{asking !== null && asking !== "create" && (
				<Ask
					title={`Revoke “${asking.name}”?`}
					action="Revoke"
					danger
					onClose={() => setAsking(null)}
					run={async () => {
						await api.revokeToken(asking.id);
						notify(`The token “${asking.name}” is revoked.`);
						list.reload();
					}}
				>
					<p>Whatever signs in with it is refused from now on. This cannot be undone.</p>
				</Ask>
			)}
			{made !== null && (
				<Dialog title="Your new token" wide onClose={() => setMade(null)}>
					<p>Copy it now: it is shown only this once, and only its hash is kept.</p>
					<Code text={made} label="Copy the token" />
					<p class="after-code">For Python and MLflow:</p>
					<Code label="Copy the lines" text={`export MLFLOW_TRACKING_URI=${location.origin}\nexport MLFLOW_TRACKING_TOKEN=${made}`} />
					<footer>
						<button type="button" class="button primary" onClick={() => setMade(null)}>
							I have copied it
						</button>
					</footer>
				</Dialog>
			)}
		</section>
	);
}

function TokenTable({ tokens, revoke }: { tokens: api.Token[]; revoke: (t: api.Token) => void }) {
	return (
		<div class="table-scroll">
			<table class="table">
				<thead>
					<tr>
						<th>Name</th>
						<th>Made</th>
						<th>Last used</th>
						<th>Expires</th>
						<th class="tight" aria-label="Actions" />
					</tr>
				</thead>
				<tbody>
					{tokens.map((t) => (
						<tr key={t.id}>
							<td class="strong">{t.name}</td>
							<td class="muted nowrap">
								<Time at={t.created_unix_ms} />
							</td>
							<td class="muted nowrap">{t.last_used_unix_ms === undefined ? "never" : <Time at={t.last_used_unix_ms} />}</td>
							<td class="muted nowrap">
								{t.expires_unix_ms === undefined ? (
									"never"
								) : t.expires_unix_ms < now.value ? (
									<span class="status status-failed">Expired</span>
								) : (
									<Time at={t.expires_unix_ms} />
								)}
							</td>
							<td class="tight">
								<button type="button" class="button small" onClick={() => revoke(t)} aria-label={`Revoke ${t.name}`}>
									Revoke
								</button>
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

function Create({ close, done }: { close: () => void; done: (token: string) => void }) {
	return (
		<Ask
			title="New token"
			action="Create"
			onClose={close}
			run={async (form) => {
				const days = String(form.get("days"));
				const made = await api.createToken(String(form.get("name")).trim(), days === "" ? null : Number(days));
				done(made.token);
			}}
		>
			<label class="field">
				<span>Name</span>
				<input name="name" type="text" required autofocus autocomplete="off" maxLength={100} placeholder="training machine" />
				<small>Where it will be used.</small>
			</label>
			<label class="field">
				<span>Expires</span>
				<select name="days" value="90">
					<option value="7">in 7 days</option>
					<option value="30">in 30 days</option>
					<option value="90">in 90 days</option>
					<option value="365">in a year</option>
					<option value="">never</option>
				</select>
			</label>
		</Ask>
	);
}

function Password({ username }: { username: string }) {
	const [error, setError] = useState("");
	const [busy, setBusy] = useState(false);
	const submit = async (e: SubmitEvent) => {
		e.preventDefault();
		const form = e.currentTarget as HTMLFormElement;
		const data = new FormData(form);
		if (data.get("next") !== data.get("again")) return setError("The two new passwords differ.");
		setBusy(true);
		setError("");
		try {
			await api.changePassword(String(data.get("current")), String(data.get("next")));
			form.reset();
			notify("Your password is changed; your other sessions are signed out.");
		} catch (failure) {
			setError((failure as Error).message);
		}
		setBusy(false);
	};
	return (
		<section class="panel">
			<header>
				<h2>Password</h2>
			</header>
			<form class="panel-body" onSubmit={submit}>
				<input type="text" name="username" autocomplete="username" value={username} class="visually-hidden" tabIndex={-1} readOnly aria-hidden="true" />
				<label class="field">
					<span>Current password</span>
					<input name="current" type="password" autocomplete="current-password" required />
				</label>
				<label class="field">
					<span>New password</span>
					<input name="next" type="password" autocomplete="new-password" required />
				</label>
				<label class="field">
					<span>New password, again</span>
					<input name="again" type="password" autocomplete="new-password" required />
				</label>
				{error !== "" && (
					<p class="field-error" role="alert">
						{error}
					</p>
				)}
				<button type="submit" class="button" disabled={busy}>
					Change password
				</button>
			</form>
		</section>
	);
}
