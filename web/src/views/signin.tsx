import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { Icon } from "../parts/icon.tsx";
import { ThemeMenu } from "../parts/shell.tsx";
import { useTitle } from "../parts/title.ts";
import { safeNext } from "../base/route.ts";
import { signIn } from "../state/session.ts";
import { query } from "../state/url.ts";

export function SignInView() {
	useTitle("Sign in");
	const [error, setError] = useState("");
	const [busy, setBusy] = useState(false);
	const next = safeNext(query.value.get("next"));
	const submit = async (e: SubmitEvent) => {
		e.preventDefault();
		const form = e.currentTarget as HTMLFormElement;
		const data = new FormData(form);
		setBusy(true);
		setError("");
		try {
			await signIn(String(data.get("username")), String(data.get("password")));
		} catch (failure) {
			setError(sentence(failure));
			setBusy(false);
			form.querySelector<HTMLInputElement>("[name=password]")?.select();
		}
	};
	return (
		<main class="signin" id="main">
			<div class="signin-theme">
				<ThemeMenu />
			</div>
			<form class="signin-card" onSubmit={submit} aria-labelledby="signin-title">
				<div class="signin-brand">
					<Icon name="cairn" size={34} />
				</div>
				<h1 id="signin-title">Sign in to Cairn</h1>
				{next !== "/" && (
					<p class="signin-next">
						and go on to <code>{next.length > 60 ? next.slice(0, 59) + "…" : next}</code>
					</p>
				)}
				<label class="field">
					<span>User name</span>
					<input name="username" type="text" autocomplete="username" autocapitalize="off" spellcheck={false} required autofocus />
				</label>
				<label class="field">
					<span>Password</span>
					<input name="password" type="password" autocomplete="current-password" required aria-invalid={error !== ""} aria-describedby="signin-error" />
				</label>
				<p class="field-error" id="signin-error" role="alert">
					{error}
				</p>
				<button type="submit" class="button primary" disabled={busy}>
					{busy ? "Signing in…" : "Sign in"}
				</button>
			</form>
			<p class="signin-foot">No account? An administrator makes one. The first one is shown when the server starts for the first time.</p>
		</main>
	);
}

function sentence(failure: unknown): string {
	if (!(failure instanceof ApiError)) return String(failure);
	if (failure.status === 401) return failure.message || "The user name or the password is wrong.";
	return failure.message;
}
