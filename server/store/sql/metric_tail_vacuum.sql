-- Give back the room of tail rows that were taken; not when somebody does already, and without the lock that
-- cutting the file would take: it is filled again soon.
VACUUM (SKIP_LOCKED, TRUNCATE false) metric_tail
