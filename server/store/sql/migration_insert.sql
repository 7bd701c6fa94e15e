-- Record a migration, in the transaction that ran it.
-- $1 integer: number
-- $2 text: name of the file
-- $3 bytea: SHA-256 of the file
-- $4 bigint: now, unix ms
INSERT INTO cairn.migration (number, name, sha256, applied_unix_ms) VALUES ($1, $2, $3, $4)
