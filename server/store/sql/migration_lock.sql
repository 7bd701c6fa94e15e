-- The lock of whoever migrates, waiting for it. Held until the connection ends.
SELECT pg_advisory_lock(4847365120160001)::text
