-- New chunks, in PostgreSQL's binary form.
COPY metric_chunk (run_id, key_id, step_lo, seq, step_hi, time_lo_unix_ms, time_hi_unix_ms, n, preview, data, first_unix_ms) FROM STDIN (FORMAT binary)
