-- Delete a registered model, its versions, tags and aliases with it.
-- $1 bigint: model_id
DELETE FROM registered_model WHERE model_id = $1
