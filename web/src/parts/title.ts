import { useEffect } from "preact/hooks";

/** The window's title. */
export function useTitle(text: string): void {
	useEffect(() => {
		document.title = text === "" ? "Cairn" : `${text} · Cairn`;
	}, [text]);
}
