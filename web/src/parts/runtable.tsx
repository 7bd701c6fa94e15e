// The table of runs. Only the rows and columns in sight are in the document, so ten thousand runs scroll like ten.
// Keys: arrows, Page Up/Down, Home, End move; Space selects; Enter opens.

import { memo } from "./memo.ts";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Run } from "../api.ts";
import { columnId, type Column, type Sort } from "../base/columns.ts";
import { path } from "../base/route.ts";
import { go } from "../state/url.ts";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";
import { Duration, Num, Status, Swatch, Time } from "./text.tsx";

const rowHeight = 32;
const headHeight = 52;
const spare = 8;

interface Place {
	column: Column;
	label: string;
	left: number;
	width: number;
	right: boolean;
}

const attributes: Record<string, { label: string; width: number; right?: boolean }> = {
	status: { label: "Status", width: 104 },
	start_time: { label: "Started", width: 100 },
	duration: { label: "Duration", width: 104, right: true },
	user_id: { label: "User", width: 104 },
};

/** Widths by what is in them: seen runs decide. */
function layout(columns: readonly Column[], runs: readonly Run[], nameWidth: number): Place[] {
	let left = nameWidth;
	return columns.map((column) => {
		const known = column.kind === "attributes" ? attributes[column.key] : undefined;
		const numeric = column.kind === "metrics" || (column.kind === "params" && allNumbers(column.key, runs));
		const width = known?.width ?? Math.min(220, Math.max(numeric ? 92 : 100, column.key.length * 7.2 + 42));
		const place = { column, label: known?.label ?? column.key, left, width, right: known?.right ?? numeric };
		left += width;
		return place;
	});
}

function allNumbers(key: string, runs: readonly Run[]): boolean {
	let seen = 0;
	for (const run of runs.slice(0, 100)) {
		const value = run.params.get(key);
		if (value === undefined) continue;
		if (value.trim() === "" || Number.isNaN(Number(value))) return false;
		seen++;
	}
	return seen > 0;
}

function Cell({ run, column }: { run: Run; column: Column }) {
	switch (column.kind) {
		case "metrics":
			return <Num value={run.metrics.get(column.key)?.value} />;
		case "params":
			return <Text value={run.params.get(column.key)} />;
		case "tags":
			return <Text value={run.tags.get(column.key)} />;
		case "attributes":
			return <Attribute run={run} name={column.key} />;
	}
}

function Text({ value }: { value: string | undefined }) {
	if (value === undefined) return <span class="faint">–</span>;
	return <span title={value}>{value.length > 120 ? value.slice(0, 119) + "…" : value}</span>;
}

function Attribute({ run, name }: { run: Run; name: string }) {
	switch (name) {
		case "status":
			return <Status status={run.status} />;
		case "start_time":
			return <Time at={run.startMs} />;
		case "duration":
			return <Duration run={run} />;
		case "user_id":
			return <Text value={run.user || undefined} />;
		default:
			return null;
	}
}

interface RowProps {
	run: Run;
	index: number;
	places: Place[];
	width: number;
	selected: boolean;
	active: boolean;
	onSelect: (run: Run, index: number, range: boolean) => void;
}

const Row = memo(function Row({ run, index, places, width, selected, active, onSelect }: RowProps) {
	return (
		<div
			role="row"
			id={`row-${index}`}
			aria-rowindex={index + 2}
			aria-selected={selected}
			class={`row${selected ? " selected" : ""}${active ? " active" : ""}`}
			style={{ top: `${headHeight + index * rowHeight}px`, width: `${width}px` }}
		>
			<div role="gridcell" class="cell name">
				<label class="row-check">
					<input
						type="checkbox"
						tabIndex={-1}
						checked={selected}
						aria-label={`Select ${run.name}`}
						onClick={(e) => onSelect(run, index, e.shiftKey)}
					/>
				</label>
				<Swatch runId={run.id} />
				<Link href={path("runs", run.id)} title={run.name} tabIndex={-1}>
					{run.name}
				</Link>
			</div>
			{places.map((p) => (
				<div key={columnId(p.column)} role="gridcell" class={p.right ? "cell right num" : "cell"} style={{ left: `${p.left}px`, width: `${p.width}px` }}>
					<Cell run={run} column={p.column} />
				</div>
			))}
		</div>
	);
});

interface Props {
	runs: readonly Run[];
	columns: readonly Column[];
	sort: Sort;
	onSort: (column: Column) => void;
	selected: ReadonlySet<string>;
	onSelect: (ids: ReadonlySet<string>) => void;
	/** The end of the loaded rows is near. */
	onEnd: () => void;
	busy: boolean;
}

export function RunTable({ runs, columns, sort, onSort, selected, onSelect, onEnd, busy }: Props) {
	const box = useRef<HTMLDivElement>(null);
	const [view, setView] = useState({ top: 0, left: 0, width: 1200, height: 640 });
	const [active, setActive] = useState(0);
	const [focused, setFocused] = useState(false);
	const anchor = useRef(0);
	const nameWidth = view.width < 900 ? 210 : 280;
	const places = useMemo(() => layout(columns, runs, nameWidth), [columns, runs, nameWidth]);
	const width = Math.max(view.width, nameWidth + places.reduce((sum, p) => sum + p.width, 0));

	useLayoutEffect(() => {
		const b = box.current!;
		const measure = () =>
			setView((v) => {
				const next = { top: b.scrollTop, left: b.scrollLeft, width: b.clientWidth, height: b.clientHeight };
				return v.top === next.top && v.left === next.left && v.width === next.width && v.height === next.height ? v : next;
			});
		let frame = 0;
		const scrolled = () => {
			cancelAnimationFrame(frame);
			frame = requestAnimationFrame(measure);
		};
		measure();
		b.addEventListener("scroll", scrolled, { passive: true });
		const resized = new ResizeObserver(measure);
		resized.observe(b);
		return () => {
			cancelAnimationFrame(frame);
			b.removeEventListener("scroll", scrolled);
			resized.disconnect();
		};
	}, []);

	const first = Math.max(0, Math.floor(view.top / rowHeight) - spare);
	const end = Math.min(runs.length, Math.ceil((view.top + view.height) / rowHeight) + spare);
	useEffect(() => {
		if (end >= runs.length - 60) onEnd();
	}, [end, runs.length]);
	const inSight = places.filter((p) => p.left + p.width > view.left + nameWidth - 200 && p.left < view.left + view.width + 200);
	const placesKey = inSight.map((p) => `${columnId(p.column)} ${p.left} ${p.width} ${p.right}`).join("\n");
	const stable = useRef({ key: "", places: inSight });
	if (stable.current.key !== placesKey) stable.current = { key: placesKey, places: inSight };

	const toggle = useRef<RowProps["onSelect"]>(() => {});
	toggle.current = (run, index, range) => {
		const next = new Set(selected);
		const on = !next.has(run.id);
		const [from, to] = range ? [Math.min(anchor.current, index), Math.max(anchor.current, index)] : [index, index];
		for (let i = from; i <= to; i++) {
			const id = runs[i]?.id;
			if (id === undefined) continue;
			if (on) next.add(id);
			else next.delete(id);
		}
		anchor.current = index;
		setActive(index);
		onSelect(next);
	};
	const onToggle = useRef<RowProps["onSelect"]>((run, index, range) => toggle.current(run, index, range)).current;

	const moveTo = (index: number) => {
		const to = Math.max(0, Math.min(runs.length - 1, index));
		setActive(to);
		const b = box.current!;
		const top = to * rowHeight;
		if (top < b.scrollTop) b.scrollTop = top;
		else if (top + rowHeight + headHeight > b.scrollTop + b.clientHeight) b.scrollTop = top + rowHeight + headHeight - b.clientHeight;
	};
	const onKeyDown = (e: KeyboardEvent) => {
		if (e.target !== box.current || e.ctrlKey || e.metaKey || e.altKey) return;
		const page = Math.max(1, Math.floor((view.height - headHeight) / rowHeight) - 1);
		const to: Record<string, number> = {
			ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: runs.length - 1,
		};
		const run = runs[active];
		if (e.key in to) moveTo(to[e.key]!);
		else if (e.key === " " && run !== undefined) onToggle(run, active, e.shiftKey);
		else if (e.key === "Enter" && run !== undefined) go(path("runs", run.id));
		else return;
		e.preventDefault();
	};
	const rows = [];
	for (let i = first; i < end; i++) {
		const run = runs[i]!;
		rows.push(
			<Row key={run.id} run={run} index={i} places={stable.current.places} width={width} selected={selected.has(run.id)} active={focused && i === active} onSelect={onToggle} />,
		);
	}
	const all = runs.length > 0 && runs.every((r) => selected.has(r.id));
	return (
		<div
			ref={box}
			class={`runs-table${view.width < 900 ? " narrow" : ""}${view.left > 0 ? " scrolled" : ""}${busy ? " busy" : ""}`}
			role="grid"
			aria-label="Runs"
			aria-rowcount={runs.length + 1}
			aria-colcount={columns.length + 1}
			aria-multiselectable
			aria-busy={busy}
			aria-activedescendant={focused ? `row-${active}` : undefined}
			tabIndex={0}
			onKeyDown={onKeyDown}
			onFocus={(e) => setFocused(e.target === box.current)}
			onBlur={() => setFocused(false)}
		>
			<div class="runs-inner" style={{ height: `${headHeight + runs.length * rowHeight}px`, width: `${width}px` }}>
				<div role="row" class="runs-head" aria-rowindex={1} style={{ width: `${width}px` }}>
					<div role="columnheader" class="cell name">
						<label class="row-check">
							<input
								type="checkbox"
								checked={all}
								aria-label="Select all loaded runs"
								onClick={() => onSelect(all ? new Set() : new Set(runs.map((r) => r.id)))}
							/>
						</label>
						<Head place={{ column: { kind: "attributes", key: "run_name" }, label: "Run", left: 0, width: 0, right: false }} sort={sort} onSort={onSort} />
					</div>
					<Groups places={inSight} />
					{inSight.map((p) => (
						<div
							key={columnId(p.column)}
							role="columnheader"
							class={p.right ? "cell right" : "cell"}
							aria-sort={same(sort.column, p.column) ? (sort.descending ? "descending" : "ascending") : undefined}
							style={{ left: `${p.left}px`, width: `${p.width}px` }}
						>
							<Head place={p} sort={sort} onSort={onSort} />
						</div>
					))}
				</div>
				{rows}
			</div>
		</div>
	);
}

const groupNames = { attributes: "", metrics: "Metrics", params: "Parameters", tags: "Tags" };

/** The words above the keys: where metrics, parameters and tags begin. */
function Groups({ places }: { places: Place[] }) {
	const groups: { kind: Column["kind"]; left: number; width: number }[] = [];
	for (const p of places) {
		const last = groups[groups.length - 1];
		if (last !== undefined && last.kind === p.column.kind) last.width += p.width;
		else groups.push({ kind: p.column.kind, left: p.left, width: p.width });
	}
	return (
		<>
			{groups
				.filter((g) => g.kind !== "attributes")
				.map((g) => (
					<div key={`${g.kind} ${g.left}`} class="runs-group" aria-hidden="true" style={{ left: `${g.left}px`, width: `${g.width}px` }}>
						<span>{groupNames[g.kind]}</span>
					</div>
				))}
		</>
	);
}

function same(a: Column, b: Column): boolean {
	return a.kind === b.kind && a.key === b.key;
}

function Head({ place, sort, onSort }: { place: Place; sort: Sort; onSort: (column: Column) => void }) {
	const current = same(sort.column, place.column);
	if (place.column.kind === "attributes" && place.column.key === "duration") return <span class="sort plain">{place.label}</span>;
	return (
		<button type="button" class={current ? "sort current" : "sort"} title={`Sort by ${place.column.key}`} onClick={() => onSort(place.column)}>
			<span class="sort-label">{place.label}</span>
			{current && <Icon name={sort.descending ? "arrowDown" : "arrowUp"} size={11} />}
		</button>
	);
}
