import { Link } from "./link.tsx";

interface Props {
	label: string;
	tabs: { id: string; label: string; count?: number | undefined; href: string }[];
	current: string;
}

/** Tabs that are places: each has its address. */
export function Tabs({ label, tabs, current }: Props) {
	return (
		<nav class="tabs" aria-label={label}>
			{tabs.map((t) => (
				<Link key={t.id} href={t.href} current={t.id === current}>
					{t.label}
					{t.count !== undefined && <span class="count">{t.count}</span>}
				</Link>
			))}
		</nav>
	);
}

interface ChoiceProps<T extends string> {
	label: string;
	options: readonly { id: T; label: string }[];
	value: T;
	onChange: (value: T) => void;
}

/** A few exclusive options side by side. */
export function Choice<T extends string>({ label, options, value, onChange }: ChoiceProps<T>) {
	return (
		<div class="choice" role="group" aria-label={label}>
			{options.map((o) => (
				<button key={o.id} type="button" aria-pressed={o.id === value} onClick={() => onChange(o.id)}>
					{o.label}
				</button>
			))}
		</div>
	);
}
