-- The first of a block of numbers for tail rows; the sequence's increment is the block's size.
SELECT nextval('metric_seq') AS seq
