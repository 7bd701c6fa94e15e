-- Who keeps runs in memory for searches follows the database by this feed (server/search/README.md).
-- Both tables are UNLOGGED on purpose: a crash empties them together, and a server that does not find its own row any more
-- forgets what it has in memory. So the feed costs no write-ahead log.

CREATE UNLOGGED TABLE run_change (
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(), -- the transaction that changed the run
	run_id bigint NOT NULL,
	experiment_id bigint NOT NULL,
	kind smallint NOT NULL                -- 1 created, 2 changed, 3 metrics logged
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_insert_scale_factor = 0.5,
	autovacuum_vacuum_cost_delay = 0);
CREATE INDEX run_change_xid ON run_change (xid);
COMMENT ON TABLE run_change IS 'Append only: every transaction that changes a run says so; taken away when all live servers have seen it';

CREATE UNLOGGED TABLE server (
	server_id text PRIMARY KEY,           -- random, of one life of one cairnd
	started_unix_ms bigint NOT NULL,      -- by the database's clock, as the next
	seen_unix_ms bigint NOT NULL,
	snapshot pg_snapshot NOT NULL         -- it has seen all changes that are visible in this
);
COMMENT ON TABLE server IS 'The servers that follow run_change';
