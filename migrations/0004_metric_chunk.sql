-- Where points go from metric_tail: compressed, in order, without exact duplicates (server/ingest/README.md). A point is in exactly
-- one row of metric_tail or metric_chunk; every statement names the run first, so that these tables can be partitioned by run_id.

CREATE TABLE metric_chunk (
	run_id bigint NOT NULL,
	key_id int NOT NULL,                  -- from 1: a metric's number. Below 0: a bundle of short series, those of the 256 numbers from
	                                      -- 256 * (-key_id - 1)
	step_lo bigint NOT NULL,              -- least and greatest step and time among its points
	seq bigint NOT NULL,                  -- of metric_seq; tells rows apart, its order means nothing
	step_hi bigint NOT NULL,
	time_lo_unix_ms bigint NOT NULL,
	time_hi_unix_ms bigint NOT NULL,
	n int NOT NULL,                       -- points in data
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(), -- the transaction that wrote it: who follows a run asks what is newer than a snapshot
	preview bytea,                        -- a few buckets of it, for charts; NULL: too few points, or a bundle
	data bytea NOT NULL,
	PRIMARY KEY (run_id, key_id, step_lo, seq)
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE metric_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE metric_chunk ALTER COLUMN preview SET STORAGE EXTERNAL;
COMMENT ON TABLE metric_chunk IS 'Points of one series, or of several short ones, packed';

CREATE TABLE run_summary (
	run_id bigint NOT NULL,
	part int NOT NULL,                    -- key numbers 256 * part to 256 * part + 255
	data bytea NOT NULL,                  -- per series: count, sum, first, last, least and greatest of what is in metric_chunk
	PRIMARY KEY (run_id, part)
) WITH (fillfactor = 70, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE run_summary ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE run_summary IS 'What metric_chunk holds, in a few numbers a series; written by compaction alone';

-- The formats of rows that a server can read: 1 metric_tail, 2 metric_chunk and run_summary too. Nobody writes what one of the living
-- cannot read.
ALTER TABLE server ADD COLUMN reads_format int NOT NULL DEFAULT 1;
