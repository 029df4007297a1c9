-- The oldest agent that may make backups in a vault; NULL: any.
ALTER TABLE vaults ADD COLUMN minimum_agent_version TEXT;
