// Runs before the first paint, so that a chosen theme does not flash; state/theme.ts owns the choice afterwards.
try {
	const chosen = localStorage.getItem("cairn.theme");
	if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
} catch {
	// no storage: the system's theme it is
}
