-- What this transaction sees, and the cluster whose transactions it counts: its identifier, mixed with the moment of its last recovery,
-- which resets statistics. A transaction that was lost in a crash leaves its number to a later one, so that a snapshot from before means nothing.
SELECT pg_current_snapshot()::text AS snapshot,
	(SELECT system_identifier FROM pg_control_system())
	# (SELECT coalesce((extract(epoch FROM stats_reset) * 1000000)::bigint, 0) FROM pg_stat_archiver) AS system_identifier
