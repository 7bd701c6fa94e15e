-- What changed since a snapshot, and the snapshot to ask from next time. A change is new when the old snapshot could not see its
-- transaction: that began later, or was still running then.
-- $1 text: the snapshot of the last look
-- $2 text: server_id
SELECT pg_current_snapshot()::text AS snapshot,
	(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS postmaster_unix_us,
	EXISTS (SELECT FROM server WHERE server_id = $2) AS known,
	coalesce(array_agg(c.run_id), '{}') AS run_ids, coalesce(array_agg(c.experiment_id), '{}') AS experiment_ids
FROM (
	SELECT DISTINCT n.run_id, n.experiment_id
	FROM (
		SELECT run_id, experiment_id FROM run_change WHERE xid >= pg_snapshot_xmax($1::text::pg_snapshot)
		UNION ALL
		SELECT run_id, experiment_id FROM run_change
		WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::text::pg_snapshot)))
	) n
	LIMIT 100001
) c
