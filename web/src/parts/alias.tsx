/** "champion → v17" */
export function AliasChip({ alias, version }: { alias: string; version?: string }) {
	return (
		<span class="chip" title={version === undefined ? alias : `${alias} is version ${version}`}>
			<span>{alias}</span>
			{version !== undefined && <b class="num">v{version}</b>}
		</span>
	);
}
