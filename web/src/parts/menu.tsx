import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export interface MenuItem {
	label: string;
	run: () => void;
	danger?: boolean;
	checked?: boolean;
}

interface Props {
	label: string;
	button: ComponentChildren;
	items: MenuItem[];
	class?: string;
}

/** A button that opens a list of actions: arrows move, Enter does, Escape closes. */
export function Menu({ label, button, items, class: className = "icon-button" }: Props) {
	const [open, setOpen] = useState(false);
	const box = useRef<HTMLDivElement>(null);
	const opener = useRef<HTMLButtonElement>(null);
	useEffect(() => {
		if (!open) return;
		box.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
		const outside = (e: PointerEvent) => {
			if (!box.current?.contains(e.target as Node)) setOpen(false);
		};
		document.addEventListener("pointerdown", outside);
		return () => document.removeEventListener("pointerdown", outside);
	}, [open]);
	const close = () => {
		setOpen(false);
		opener.current?.focus();
	};
	const onKeyDown = (e: KeyboardEvent) => {
		if (!open) return;
		const all = [...(box.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
		const at = all.indexOf(document.activeElement as HTMLElement);
		const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
		if (e.key === "Escape") close();
		else if (e.key === "Tab") return setOpen(false);
		else if (e.key in to) all[(to[e.key]! + all.length) % all.length]?.focus();
		else return;
		e.preventDefault();
		e.stopPropagation();
	};
	return (
		<div class="menu" ref={box} onKeyDown={onKeyDown}>
			<button type="button" ref={opener} class={className} title={label} aria-label={label} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
				{button}
			</button>
			{open && (
				<div class="menu-list" role="menu" aria-label={label}>
					{items.map((item) => (
						<button
							key={item.label}
							type="button"
							role={item.checked === undefined ? "menuitem" : "menuitemradio"}
							aria-checked={item.checked}
							class={item.danger === true ? "danger" : ""}
							onClick={() => {
								close();
								item.run();
							}}
						>
							{item.label}
						</button>
					))}
				</div>
			)}
		</div>
	);
}
