-- Take away changes that every server has seen, and those of a database that was restored from another cluster, whose transactions
-- are yet to come here.
-- $1 bigint: how many at most
DELETE FROM run_change WHERE ctid = ANY (ARRAY(
	SELECT c.ctid FROM run_change c
	WHERE c.xid >= pg_snapshot_xmax(pg_current_snapshot())
		OR (c.xid < pg_snapshot_xmax(pg_current_snapshot())
			AND NOT EXISTS (SELECT FROM server s WHERE NOT pg_visible_in_snapshot(c.xid, s.snapshot)))
	ORDER BY c.xid
	LIMIT $1))
