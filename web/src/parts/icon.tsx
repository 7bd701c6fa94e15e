const shapes = {
	cairn: "M12 22c5.2 0 9.5-1.6 9.5-3.6S17.2 14.8 12 14.8 2.5 16.4 2.5 18.4 6.8 22 12 22Zm-.6-7c3.6 0 6.6-1.3 6.6-3s-3-3-6.6-3-6.6 1.3-6.6 3 3 3 6.6 3Zm1-6.800c2.3 0 4.1-1.1 4.1-2.500s-1.8-2.5-4.1-2.5-4.1 1.1-4.1 2.5 1.8 2.5 4.1 2.500Z",
	sun: "M12 7.500a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM12 2v2.500M12 19.500V22M2 12h2.500M19.5 12H22M4.9 4.900l1.8 1.800M17.3 17.300l1.8 1.800M4.9 19.100l1.8-1.800M17.3 6.700l1.8-1.8",
	moon: "M20 14.500A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.500Z",
	system: "M3 5h18v11H3zM9 20h6M12 16v4",
	user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.500c.8-3.7 3.8-6 7.5-6s6.7 2.3 7.5 6",
	search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 21 21",
	plus: "M12 5v14M5 12h14",
	close: "M6 6l12 12M18 6 6 18",
	down: "M6 9l6 6 6-6",
	right: "M9 6l6 6-6 6",
	up: "M6 15l6-6 6 6",
	arrowUp: "M12 19V5M6 11l6-6 6 6",
	arrowDown: "M12 5v14M6 13l6 6 6-6",
	copy: "M9 9h11v11H9zM5 15H4V4h11v1",
	check: "M5 12.500l4.5 4.500L19 7.5",
	more: "M5 12h.01M12 12h.01M19 12h.01",
	download: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
	folder: "M3 6.500h6.500l2 2.500H21v10H3z",
	file: "M6 3h8l4 4v14H6zM14 3v4h4",
	refresh: "M20 11a8 8 0 1 0-2.3 6.300M20 5v6h-6",
	columns: "M4 5h16v14H4zM9.5 5v14M14.5 5v14",
	compare: "M4 18l5-7 4 3 7-9M4 6l5 6 4-2 7 8",
	warning: "M12 4 2.5 20h19zM12 10v4.500M12 17.200v.1",
	lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
	archive: "M4 4h16v4H4zM5.5 8v12h13V8M10 12h4",
	edit: "M4 20h4L19 9l-4-4L4 16z",
	flask: "M9.5 3h5M10.5 3v6L5 19.500h14L13.5 9V3M8 15h8",
	box: "M12 3l8 4.500v9L12 21l-8-4.500v-9zM4 7.500l8 4.5 8-4.500M12 12v9",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
	const filled = name === "cairn";
	const dots = name === "more";
	return (
		<svg class={filled ? "icon icon-filled" : dots ? "icon icon-dots" : "icon"} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
			<path d={shapes[name]} />
		</svg>
	);
}
