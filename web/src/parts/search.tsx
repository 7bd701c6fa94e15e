import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

interface Props {
	value: string;
	label: string;
	placeholder?: string;
	onChange: (text: string) => void;
	/** Milliseconds of quiet before onChange; -1: only on Enter or when the field is left. */
	quiet?: number;
	invalid?: boolean;
	describedBy?: string;
	/** The page's main search: "/" leads here. */
	main?: boolean;
	mono?: boolean;
}

export function Search({ value, label, placeholder, onChange, quiet = 150, invalid, describedBy, main, mono }: Props) {
	const [text, setText] = useState(value);
	const input = useRef<HTMLInputElement>(null);
	const timer = useRef(0);
	useEffect(() => setText(value), [value]);
	useEffect(() => {
		if (main !== true) return;
		const key = (e: KeyboardEvent) => {
			const typing = e.target instanceof HTMLElement && e.target.closest("input, textarea, select, dialog");
			if (e.key !== "/" || typing || e.ctrlKey || e.metaKey || e.altKey) return;
			e.preventDefault();
			input.current?.focus();
			input.current?.select();
		};
		document.addEventListener("keydown", key);
		return () => document.removeEventListener("keydown", key);
	}, [main]);
	const change = (next: string, at: number) => {
		setText(next);
		clearTimeout(timer.current);
		if (at === 0) onChange(next);
		else if (at > 0) timer.current = setTimeout(() => onChange(next), at);
	};
	const onKeyDown = (e: KeyboardEvent) => {
		if (e.key === "Enter") change(text, 0);
		else if (e.key === "Escape" && text !== "") change("", 0);
		else return;
		e.preventDefault();
	};
	return (
		<div class={`search${mono === true ? " mono" : ""}`}>
			<Icon name="search" size={14} />
			<input
				ref={input}
				type="text"
				spellcheck={false}
				autocomplete="off"
				autocapitalize="off"
				aria-label={label}
				aria-invalid={invalid === true}
				aria-describedby={describedBy}
				placeholder={placeholder ?? label}
				value={text}
				onInput={(e) => change(e.currentTarget.value, quiet)}
				onKeyDown={onKeyDown}
				onBlur={() => text !== value && change(text, 0)}
			/>
			{text !== "" ? (
				<button type="button" class="icon-button" aria-label={`Clear: ${label}`} onClick={() => (change("", 0), input.current?.focus())}>
					<Icon name="close" size={12} />
				</button>
			) : (
				main === true && <kbd aria-hidden="true">/</kbd>
			)}
		</div>
	);
}
