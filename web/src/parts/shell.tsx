// The bar above every page, and the notices at its foot.

import type { ComponentChildren } from "preact";
import { choice, type Choice } from "../state/theme.ts";
import { session, signOut } from "../state/session.ts";
import { dismiss, notify, toasts } from "../state/toast.ts";
import { go, route } from "../state/url.ts";
import { Icon, type IconName } from "./icon.tsx";
import { Link } from "./link.tsx";
import { Menu } from "./menu.tsx";

const themes: { id: Choice; label: string; icon: IconName }[] = [
	{ id: "system", label: "As the system", icon: "system" },
	{ id: "light", label: "Light", icon: "sun" },
	{ id: "dark", label: "Dark", icon: "moon" },
];

export function ThemeMenu() {
	const current = themes.find((t) => t.id === choice.value)!;
	return (
		<Menu
			label={`Theme: ${current.label.toLowerCase()}`}
			button={<Icon name={current.icon} />}
			items={themes.map((t) => ({ label: t.label, checked: t.id === choice.value, run: () => (choice.value = t.id) }))}
		/>
	);
}

function UserMenu() {
	const s = session.value;
	if (s.state !== "in" || s.user === null) return null;
	const leave = () => signOut().catch((e: Error) => notify(e.message, "failed"));
	return (
		<Menu
			class="button quiet"
			label={`Account of ${s.user.username}`}
			button={
				<>
					<Icon name="user" />
					<span class="user-name">{s.user.username}</span>
					<Icon name="down" size={12} />
				</>
			}
			items={[
				{ label: "Account and tokens", run: () => go("/account") },
				{ label: "Sign out", run: leave },
			]}
		/>
	);
}

export function Shell({ children }: { children: ComponentChildren }) {
	const page = route.value.page;
	const inModels = page === "models" || page === "model" || page === "version";
	const inRuns = page === "experiments" || page === "runs" || page === "run" || page === "compare";
	return (
		<>
			<a class="skip" href="#main">
				To the content
			</a>
			<header class="bar">
				<Link class="brand" href="/" aria-label="Cairn: experiments">
					<Icon name="cairn" size={22} />
					<span>Cairn</span>
				</Link>
				<nav aria-label="Main">
					<Link href="/experiments" current={inRuns}>
						Experiments
					</Link>
					<Link href="/models" current={inModels}>
						Models
					</Link>
				</nav>
				<div class="bar-end">
					<ThemeMenu />
					<UserMenu />
				</div>
			</header>
			<main id="main" tabIndex={-1} class={`page-${page}`}>
				{children}
			</main>
		</>
	);
}

export function Toasts() {
	return (
		<div class="toasts" role="status" aria-live="polite">
			{toasts.value.map((t) => (
				<div key={t.id} class={`toast ${t.kind}`}>
					<Icon name={t.kind === "done" ? "check" : "warning"} />
					<span>{t.text}</span>
					<button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(t.id)}>
						<Icon name="close" size={12} />
					</button>
				</div>
			))}
		</div>
	);
}

interface HeadProps {
	crumbs?: { label: string; href: string }[];
	title: ComponentChildren;
	after?: ComponentChildren;
	actions?: ComponentChildren;
	children?: ComponentChildren;
}

/** The top of a page: where it is, what it is, what can be done. */
export function Head({ crumbs = [], title, after, actions, children }: HeadProps) {
	return (
		<header class="head">
			{crumbs.length > 0 && (
				<nav class="crumbs" aria-label="Where this is">
					{crumbs.map((c) => (
						<span key={c.href}>
							<Link href={c.href}>{c.label}</Link>
							<span class="faint" aria-hidden="true">
								/
							</span>
						</span>
					))}
				</nav>
			)}
			<div class="head-line">
				<h1>{title}</h1>
				{after}
				<div class="head-actions">{actions}</div>
			</div>
			{children}
		</header>
	);
}
