-- What came to some runs since a snapshot: tail rows that it did not see, and whether compaction has moved points since, new ones
-- perhaps among them, which shows in the summaries. xmin, of 32 bits, is widened by the transaction that is next here.
-- $1 text: the snapshot
-- $2 bigint[]: run_ids
WITH since AS (
	SELECT pg_snapshot_xmax($1::text::pg_snapshot)::text::bigint AS hi,
		ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip($1::text::pg_snapshot) x) AS running,
		pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
)
SELECT t.run_id, false AS moved, t.data
FROM since s, metric_tail t,
	LATERAL (SELECT t.xmin::text::bigint AS low) x,
	LATERAL (SELECT x.low + (s.next >> 32 << 32) - CASE WHEN x.low >= s.next & 4294967295 THEN 4294967296 ELSE 0 END AS xid) w
WHERE t.run_id = ANY ($2) AND (w.xid >= s.hi OR w.xid = ANY (s.running))
UNION ALL
SELECT DISTINCT u.run_id, true, NULL::bytea
FROM since s, run_summary u,
	LATERAL (SELECT u.xmin::text::bigint AS low) x,
	LATERAL (SELECT x.low + (s.next >> 32 << 32) - CASE WHEN x.low >= s.next & 4294967295 THEN 4294967296 ELSE 0 END AS xid) w
WHERE u.run_id = ANY ($2) AND (w.xid >= s.hi OR w.xid = ANY (s.running))
