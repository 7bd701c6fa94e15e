-- Which Cairn this database is, and whether it still lies in the cluster where it was made (not so after dump and restore).
SELECT instance_id, system_identifier = (SELECT system_identifier FROM pg_control_system()) AS same_cluster,
	EXISTS (SELECT FROM blob WHERE state = 2) AS has_blobs
FROM instance
