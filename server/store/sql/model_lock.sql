-- Lock a registered model to change it: versions get their numbers and aliases move under this lock.
-- $1 text: name
SELECT model_id FROM registered_model WHERE name = $1 FOR UPDATE
