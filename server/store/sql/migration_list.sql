-- The migrations that ran here, in their order.
SELECT number, name, sha256 FROM cairn.migration ORDER BY number
