-- Points that belong to logged models; exact duplicates are dropped, unknown models too. In one order,
-- so that two who log the same points do not lock each other out.
-- $1 text[]: model uuids
-- $2 text[]: run uuids
-- $3 text[]: keys
-- $4 double precision[]: values
-- $5 bigint[]: times, unix ms
-- $6 bigint[]: steps
-- $7 text[]: dataset names, NULL elements for none
-- $8 text[]: dataset digests, NULL elements for none
INSERT INTO logged_model_metric (logged_model_id, run_uuid, key, value, time_unix_ms, step, dataset_name, dataset_digest)
SELECT m.logged_model_id, t.run_uuid, t.key, t.value, t.time_unix_ms, t.step, t.dataset_name, t.dataset_digest
FROM unnest($1::text[], $2::text[], $3::text[], $4::double precision[], $5::bigint[], $6::bigint[], $7::text[], $8::text[])
	AS t (model_uuid, run_uuid, key, value, time_unix_ms, step, dataset_name, dataset_digest)
JOIN logged_model m ON m.uuid = t.model_uuid
ORDER BY m.logged_model_id, t.run_uuid, t.key, t.time_unix_ms, t.step, t.value
ON CONFLICT DO NOTHING
