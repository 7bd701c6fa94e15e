import { Component, h, type ComponentChildren, type FunctionComponent } from "preact";

/** Draw again only when a property is another one. */
export function memo<P extends object>(view: FunctionComponent<P>): FunctionComponent<P> {
	class Memo extends Component<P> {
		override shouldComponentUpdate(next: Readonly<P>): boolean {
			const before = this.props as Record<string, unknown>;
			const after = next as Record<string, unknown>;
			return Object.keys(after).some((k) => before[k] !== after[k]);
		}
		override render(): ComponentChildren {
			return h(view, this.props as P);
		}
	}
	return Memo as unknown as FunctionComponent<P>;
}
