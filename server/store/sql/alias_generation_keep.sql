-- Remember how far the aliases of a model have come under its name, before it loses that name.
-- $1 bigint: model_id
INSERT INTO alias_generation AS s (model, alias, generation)
SELECT g.name, a.name, a.generation FROM alias a JOIN registered_model g USING (model_id) WHERE a.model_id = $1
ON CONFLICT (model, alias) DO UPDATE SET generation = greatest(s.generation, excluded.generation)
