-- Deduplication domains: packs belong to a domain, which is one server unless others were let in. Everything else stays
-- a server's own.

-- Whose domain the server has joined; NULL: it is a domain of its own.
ALTER TABLE servers ADD COLUMN domain BLOB REFERENCES servers (id) CHECK (length(domain) = 16);

-- The domain that servers register into with these credentials; NULL: one of their own.
ALTER TABLE credentials ADD COLUMN domain BLOB REFERENCES servers (id) CHECK (domain IS NULL OR purpose = 'Register');

-- A domain has the id of the server that founded it. Until a point refers to a pack, it is the server's that put it.
ALTER TABLE packs RENAME COLUMN server TO domain;
ALTER TABLE packs ADD COLUMN server BLOB REFERENCES servers (id);
UPDATE packs SET server = domain;

-- A pack is needed as long as any server of its domain refers to it.
CREATE TABLE references_in_domains (
    domain         BLOB    NOT NULL,
    server         BLOB    NOT NULL,
    item           BLOB    NOT NULL,
    pack           BLOB    NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence  INTEGER,
    PRIMARY KEY (server, item, pack, first_sequence),
    FOREIGN KEY (domain, pack) REFERENCES packs (domain, id),
    FOREIGN KEY (server, item) REFERENCES items (server, id)
) STRICT, WITHOUT ROWID;
INSERT INTO references_in_domains
    SELECT server, server, item, pack, first_sequence, last_sequence FROM pack_references;
DROP TABLE pack_references;
ALTER TABLE references_in_domains RENAME TO pack_references;
CREATE INDEX open_references ON pack_references (server, item, pack) WHERE last_sequence IS NULL;
CREATE INDEX references_by_pack ON pack_references (domain, pack);
