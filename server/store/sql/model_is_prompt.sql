-- Is that registered model a prompt?
-- $1 text: model name
SELECT EXISTS (
	SELECT FROM registered_model_tag t JOIN registered_model m USING (model_id)
	WHERE m.name = $1 AND t.key = 'mlflow.prompt.is_prompt' AND lower(t.value) = 'true'
) AS is_prompt
