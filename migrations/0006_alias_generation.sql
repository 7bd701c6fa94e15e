-- How far aliases had come under a name that their model does not have any more. Hosts that follow model@alias keep the highest
-- generation they saw and take none below it, so the next model of that name goes on from here.

CREATE TABLE alias_generation (
	model text COLLATE "C" NOT NULL,      -- the name, when the model was deleted or renamed
	alias text COLLATE "C" NOT NULL,
	generation bigint NOT NULL,           -- the highest there was
	PRIMARY KEY (model, alias)
);
COMMENT ON TABLE alias_generation IS 'The generations of aliases whose model was deleted or renamed';
