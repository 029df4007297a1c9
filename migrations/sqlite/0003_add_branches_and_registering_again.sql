-- A server's recovery points may branch: when its home was copied, both copies go on, each from its own newest point. So a
-- sequence number may be there twice, and the order in which points were committed is a column of its own.
CREATE TABLE points_in_branches (
    -- The order in which they were committed.
    number      INTEGER NOT NULL PRIMARY KEY,
    server      BLOB    NOT NULL,
    sequence    INTEGER NOT NULL CHECK (sequence > 0),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    item        BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    pack_bytes  INTEGER NOT NULL,
    -- 0 until the receipt object is known to be durable; receipts of such points are made again at the next start.
    receipted   INTEGER NOT NULL DEFAULT 0 CHECK (receipted IN (0, 1)),
    UNIQUE (server, hash),
    FOREIGN KEY (server, item) REFERENCES items (server, id)
) STRICT;
INSERT INTO points_in_branches (server, sequence, hash, item, received_at, pack_bytes, receipted)
    SELECT server, sequence, hash, item, received_at, pack_bytes, receipted FROM points ORDER BY server, sequence;
DROP TABLE points;
ALTER TABLE points_in_branches RENAME TO points;
CREATE INDEX points_by_number ON points (server, number);
CREATE INDEX points_by_item ON points (server, item, sequence);
CREATE INDEX points_without_receipt ON points (server) WHERE receipted = 0;

-- The known server that registers again with these credentials; NULL: new ones register.
ALTER TABLE credentials ADD COLUMN again BLOB REFERENCES servers (id) CHECK (again IS NULL OR purpose = 'Register');

-- When a point was last committed that does not follow the newest one; NULL: never.
ALTER TABLE servers ADD COLUMN forked_at INTEGER;
