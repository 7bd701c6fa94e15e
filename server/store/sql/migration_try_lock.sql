-- The lock of whoever migrates, if it is free: 1, else 0. Held until the connection ends.
SELECT pg_try_advisory_lock(4847365120160001)::int
