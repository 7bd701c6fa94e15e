import type { ComponentChildren } from "preact";
import { go } from "../state/url.ts";

interface Props {
	href: string;
	class?: string | undefined;
	title?: string | undefined;
	children: ComponentChildren;
	current?: boolean | undefined;
	"aria-label"?: string;
	tabIndex?: number;
}

/** A link within the UI: an ordinary one to the browser, without loading the page anew. */
export function Link({ current, ...props }: Props) {
	const onClick = (e: MouseEvent) => {
		if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
		e.preventDefault();
		go(props.href);
	};
	return <a {...props} aria-current={current === true ? "page" : undefined} onClick={onClick} />;
}
