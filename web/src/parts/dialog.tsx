import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

interface DialogProps {
	title: string;
	onClose: () => void;
	children: ComponentChildren;
	wide?: boolean;
}

/** A modal; the browser keeps the focus inside and gives it back. */
export function Dialog({ title, onClose, children, wide }: DialogProps) {
	const ref = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => {
		const dialog = ref.current!;
		if (!dialog.open) dialog.showModal();
		return () => dialog.close();
	}, []);
	const onPointerDown = (e: PointerEvent) => {
		if (e.target === ref.current) onClose();
	};
	return (
		<dialog ref={ref} class={wide === true ? "dialog wide" : "dialog"} aria-labelledby={id} onCancel={(e) => (e.preventDefault(), onClose())} onPointerDown={onPointerDown}>
			<div class="dialog-body">
				<header>
					<h2 id={id}>{title}</h2>
					<button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
						<Icon name="close" />
					</button>
				</header>
				{children}
			</div>
		</dialog>
	);
}

interface AskProps {
	title: string;
	action: string;
	danger?: boolean;
	onClose: () => void;
	/** Does it; what it throws is shown and the dialog stays. */
	run: (form: FormData) => Promise<void>;
	children: ComponentChildren;
}

/** A dialog with a form: one action, Cancel, and the server's error under it. */
export function Ask({ title, action, danger, onClose, run, children }: AskProps) {
	const [error, setError] = useState("");
	const [busy, setBusy] = useState(false);
	const submit = async (e: SubmitEvent) => {
		e.preventDefault();
		setBusy(true);
		setError("");
		try {
			await run(new FormData(e.currentTarget as HTMLFormElement));
			onClose();
		} catch (failure) {
			setError(failure instanceof Error ? failure.message : String(failure));
			setBusy(false);
		}
	};
	return (
		<Dialog title={title} onClose={onClose}>
			<form onSubmit={submit}>
				{children}
				{error !== "" && (
					<p class="field-error" role="alert">
						{error}
					</p>
				)}
				<footer>
					<button type="button" class="button" onClick={onClose}>
						Cancel
					</button>
					<button type="submit" class={danger === true ? "button danger" : "button primary"} disabled={busy}>
						{action}
					</button>
				</footer>
			</form>
		</Dialog>
	);
}
