import { useState } from "preact/hooks";
import { Search } from "./search.tsx";

export interface Fact {
	name: string;
	text: string;
}

interface Props {
	title: string;
	facts: Fact[];
	empty: string;
}

const long = 180;

function Value({ text }: { text: string }) {
	const [whole, setWhole] = useState(false);
	if (text === "") return <span class="faint">empty</span>;
	if (text.length <= long || whole) return <>{text}</>;
	return (
		<>
			{text.slice(0, long - 20)}…{" "}
			<button type="button" class="link-button" onClick={() => setWhole(true)}>
				all {text.length} characters
			</button>
		</>
	);
}

/** Names and values, with a search once there are many. */
export function Facts({ title, facts, empty }: Props) {
	const [words, setWords] = useState("");
	const [all, setAll] = useState(false);
	const needle = words.trim().toLowerCase();
	const found = facts.filter((f) => f.name.toLowerCase().includes(needle) || f.text.toLowerCase().includes(needle));
	const shown = all ? found : found.slice(0, 40);
	return (
		<section class="panel">
			<header>
				<h2>{title}</h2>
				{facts.length > 0 && <span class="count">{facts.length}</span>}
				{facts.length > 15 && (
					<div class="end">
						<Search label={`Find in ${title.toLowerCase()}`} placeholder="Find" value={words} quiet={0} onChange={setWords} />
					</div>
				)}
			</header>
			{facts.length === 0 ? (
				<p class="panel-empty">{empty}</p>
			) : (
				<dl class="facts">
					{shown.map((f) => (
						<div key={f.name}>
							<dt>{f.name}</dt>
							<dd>
								<Value text={f.text} />
							</dd>
						</div>
					))}
				</dl>
			)}
			{found.length > shown.length && (
				<p class="panel-empty">
					<button type="button" class="link-button" onClick={() => setAll(true)}>
						Show all {found.length}
					</button>
				</p>
			)}
		</section>
	);
}
