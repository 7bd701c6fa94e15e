import { useState } from "preact/hooks";
import { columnId, type Column } from "../base/columns.ts";
import { Dialog } from "./dialog.tsx";
import { Search } from "./search.tsx";

interface Props {
	known: Record<"metrics" | "params" | "tags", string[]>;
	chosen: readonly Column[];
	automatic: boolean;
	/** null: choose for me. */
	onChange: (columns: Column[] | null) => void;
	onClose: () => void;
}

const groups = [
	{ kind: "metrics", label: "Metrics" },
	{ kind: "params", label: "Parameters" },
	{ kind: "tags", label: "Tags" },
] as const;

export function ColumnChooser({ known, chosen, automatic, onChange, onClose }: Props) {
	const [words, setWords] = useState("");
	const on = new Set(chosen.map(columnId));
	const needle = words.trim().toLowerCase();
	const ordered = (ids: Set<string>) =>
		groups.flatMap(({ kind }) => {
			const keys = new Set([...known[kind], ...chosen.filter((c) => c.kind === kind).map((c) => c.key)]);
			return [...keys].map((key): Column => ({ kind, key })).filter((c) => ids.has(columnId(c)));
		});
	const toggle = (c: Column) => {
		const next = new Set(on);
		if (!next.delete(columnId(c))) next.add(columnId(c));
		onChange(ordered(next));
	};
	const setAll = (kind: Column["kind"], keys: string[], to: boolean) => {
		const next = new Set(on);
		for (const key of keys) {
			if (to) next.add(columnId({ kind, key }));
			else next.delete(columnId({ kind, key }));
		}
		onChange(ordered(next));
	};
	return (
		<Dialog title="Columns" wide onClose={onClose}>
			<div class="toolbar">
				<Search label="Find a column" value={words} onChange={setWords} quiet={0} />
				<div class="toolbar-end">
					<button type="button" class="button" disabled={automatic} onClick={() => onChange(null)}>
						{automatic ? "Chosen automatically" : "Choose automatically"}
					</button>
				</div>
			</div>
			<div class="column-groups">
				{groups.map(({ kind, label }) => {
					const keys = known[kind].filter((k) => k.toLowerCase().includes(needle));
					const all = keys.length > 0 && keys.every((key) => on.has(columnId({ kind, key })));
					return (
						<section key={kind}>
							<h3>
								{label} <span class="count">{known[kind].length}</span>
								{keys.length > 1 && (
									<button type="button" class="link-button" onClick={() => setAll(kind, keys, !all)}>
										{all ? "none" : "all"}
									</button>
								)}
							</h3>
							<ul>
								{keys.slice(0, 400).map((key) => (
									<li key={key}>
										<label class="check" title={key}>
											<input type="checkbox" checked={on.has(columnId({ kind, key }))} onChange={() => toggle({ kind, key })} />
											<span>{key}</span>
										</label>
									</li>
								))}
							</ul>
							{keys.length === 0 && <p class="faint">{known[kind].length === 0 ? "none logged" : "none called so"}</p>}
						</section>
					);
				})}
			</div>
		</Dialog>
	);
}
