-- Lock a logged model to change it.
-- $1 text: uuid
SELECT logged_model_id FROM logged_model WHERE uuid = $1 FOR NO KEY UPDATE
