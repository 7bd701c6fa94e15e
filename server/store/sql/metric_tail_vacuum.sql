-- Give back the room of tail rows that were taken; not when somebody does already.
VACUUM (SKIP_LOCKED) metric_tail
