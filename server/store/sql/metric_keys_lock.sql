-- One transaction at a time numbers new metric names of an experiment.
-- $1 bigint: experiment_id
SELECT pg_advisory_xact_lock(hashtextextended('cairn.metric_key', $1))
