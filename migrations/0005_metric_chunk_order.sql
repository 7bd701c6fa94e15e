-- Compaction finds the rows of a series by where they begin: by step and time of the first point, which is the order of the rows, for
-- rows of one series do not overlap. Bundles overlap as they like.

ALTER TABLE metric_chunk ADD COLUMN first_unix_ms bigint NOT NULL; -- time of the first point; of a bundle: as time_lo_unix_ms
ALTER TABLE metric_chunk DROP CONSTRAINT metric_chunk_pkey, ADD PRIMARY KEY (run_id, key_id, step_lo, first_unix_ms, seq);

COMMENT ON COLUMN run_change.kind IS '1 created, 2 changed, 3 metrics logged, 4 metrics compacted, 5 removed for good';
