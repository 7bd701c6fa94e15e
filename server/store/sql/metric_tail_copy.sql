-- New tail rows, in PostgreSQL's binary form.
COPY metric_tail (run_id, seq, n, data) FROM STDIN (FORMAT binary)
