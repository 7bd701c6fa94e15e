-- Removing deleted runs for good looks for them by when they were deleted.

CREATE INDEX run_deleted ON run (deleted_unix_ms) WHERE deleted;
