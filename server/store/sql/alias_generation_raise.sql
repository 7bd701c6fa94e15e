-- A model has a name that others had before: its aliases go on from where theirs ended, with a row of history.
-- $1 bigint: model_id
WITH behind AS (
	SELECT a.name, a.generation AS was, s.generation + 1 AS generation
	FROM alias a JOIN registered_model g USING (model_id) JOIN alias_generation s ON s.model = g.name AND s.alias = a.name
	WHERE a.model_id = $1 AND a.generation <= s.generation
), raised AS (
	UPDATE alias a SET generation = behind.generation FROM behind WHERE a.model_id = $1 AND a.name = behind.name
)
INSERT INTO alias_history (model_id, name, generation, version, previous_version, changed_unix_ms, changed_by, changed_token)
SELECT $1, h.name, behind.generation, h.version, h.previous_version, h.changed_unix_ms, h.changed_by, h.changed_token
FROM behind JOIN alias_history h ON h.model_id = $1 AND h.name = behind.name AND h.generation = behind.was
