-- Whether our schema and its table of migrations are there.
SELECT to_regnamespace('cairn') IS NOT NULL AS has_schema, to_regclass('cairn.migration') IS NOT NULL AS has_table
