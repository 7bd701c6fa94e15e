-- What this transaction sees, and the cluster whose transactions it counts.
SELECT pg_current_snapshot()::text AS snapshot, (SELECT system_identifier FROM pg_control_system()) AS system_identifier
