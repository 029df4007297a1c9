-- What a vault knows, in the form that SQLite's steps 1 to 3 lead to; from the fourth on each step is in both folders. What
-- differs are types alone: flags are 0 and 1 in BIGINT, so that each statement has one text; texts compare by their bytes,
-- whatever the database's own collation is.
--
-- Ids are 16 bytes, hashes 32, times nanoseconds since 1970 in UTC. Secrets are here only as hashes; keys of servers only as
-- public keys; the vault's own key is a file elsewhere.

-- Who may manage: a client id and the hash of its secret.
CREATE TABLE principals (
    client_id   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL CHECK (role IN ('BackupContributor', 'BackupReader')),
    secret_hash BYTEA            NOT NULL CHECK (length(secret_hash) = 32),
    created_at  BIGINT           NOT NULL
);

CREATE TABLE vaults (
    id         BYTEA            NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT           NOT NULL
);
-- Names are told apart without regard to case, as Azure tells them.
CREATE UNIQUE INDEX vaults_by_name ON vaults (lower(name));

CREATE TABLE credentials (
    id           BYTEA            NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    vault        BYTEA            NOT NULL REFERENCES vaults (id),
    purpose      TEXT COLLATE "C" NOT NULL CHECK (purpose IN ('Register', 'Restore')),
    server       BYTEA,
    secret_hash  BYTEA            NOT NULL CHECK (length(secret_hash) = 32),
    uses_allowed BIGINT           NOT NULL CHECK (uses_allowed > 0),
    created_at   BIGINT           NOT NULL,
    expires_at   BIGINT           NOT NULL,
    -- The domain that servers register into with these credentials; NULL: one of their own.
    domain       BYTEA            CHECK (domain IS NULL OR purpose = 'Register'),
    -- The known server that registers again with these credentials; NULL: new ones register.
    again        BYTEA            CHECK (again IS NULL OR purpose = 'Register'),
    CHECK ((purpose = 'Restore') = (server IS NOT NULL))
);

CREATE TABLE servers (
    id               BYTEA            NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    vault            BYTEA            NOT NULL REFERENCES vaults (id),
    label            TEXT COLLATE "C" NOT NULL,
    login_key        BYTEA            NOT NULL CHECK (length(login_key) = 32),
    signing_key      BYTEA            NOT NULL CHECK (length(signing_key) = 32),
    operating_system TEXT COLLATE "C" NOT NULL,
    agent_version    TEXT COLLATE "C" NOT NULL,
    -- The credentials that it registered with: counting these rows counts their uses.
    credential       BYTEA            NOT NULL REFERENCES credentials (id),
    registered_at    BIGINT           NOT NULL,
    seen_at          BIGINT,
    revoked_at       BIGINT,
    -- Whose domain the server has joined; NULL: it is a domain of its own.
    domain           BYTEA            REFERENCES servers (id) CHECK (length(domain) = 16),
    -- When a point was last committed that does not follow the newest one; NULL: never.
    forked_at        BIGINT,
    UNIQUE (vault, login_key)
);
CREATE INDEX servers_by_credential ON servers (credential);
ALTER TABLE credentials ADD FOREIGN KEY (server) REFERENCES servers (id);
ALTER TABLE credentials ADD FOREIGN KEY (domain) REFERENCES servers (id);
ALTER TABLE credentials ADD FOREIGN KEY (again) REFERENCES servers (id);

-- Bearer tokens by their hash: of a principal or of a server.
CREATE TABLE tokens (
    hash       BYTEA            NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    principal  TEXT COLLATE "C" REFERENCES principals (client_id),
    server     BYTEA            REFERENCES servers (id),
    expires_at BIGINT           NOT NULL,
    CHECK ((principal IS NULL) <> (server IS NULL))
);
CREATE INDEX tokens_by_end ON tokens (expires_at);

-- Assertions that were taken, by the hash of their id, until they are too old to be taken again.
CREATE TABLE assertions (
    server     BYTEA  NOT NULL REFERENCES servers (id),
    hash       BYTEA  NOT NULL CHECK (length(hash) = 32),
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (server, hash)
);
CREATE INDEX assertions_by_end ON assertions (expires_at);

CREATE TABLE items (
    server BYTEA            NOT NULL REFERENCES servers (id),
    id     BYTEA            NOT NULL CHECK (length(id) = 16),
    label  TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL CHECK (kind IN ('SystemState', 'Files')),
    PRIMARY KEY (server, id)
);

CREATE TABLE sessions (
    id            BYTEA            NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    server        BYTEA            NOT NULL REFERENCES servers (id),
    secret_hash   BYTEA            NOT NULL CHECK (length(secret_hash) = 32),
    kind          TEXT COLLATE "C" NOT NULL,
    item          BYTEA,
    opened_at     BIGINT           NOT NULL,
    lease_until   BIGINT           NOT NULL,
    ended_at      BIGINT,
    ended_because TEXT COLLATE "C" CHECK (ended_because IN ('closed', 'replaced', 'expired')),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
-- The fence: a server has one open session, whatever the code above does.
CREATE UNIQUE INDEX one_open_session ON sessions (server) WHERE ended_at IS NULL;

-- A domain has the id of the server that founded it. Until a point refers to a pack, it is the server's that put it.
-- pending: the row is there before the object is, so that no object lies in the store without a row.
-- stored:  the object is durable, but no recovery point refers to it.
-- live:    at least one recovery point refers to it.
-- lost:    a commit found the object gone or of another length; putting the pack again heals it.
CREATE TABLE packs (
    domain BYTEA            NOT NULL REFERENCES servers (id),
    id     BYTEA            NOT NULL CHECK (length(id) = 32),
    length BIGINT           NOT NULL CHECK (length > 0),
    state  TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'stored', 'live', 'lost')),
    server BYTEA            REFERENCES servers (id),
    PRIMARY KEY (domain, id)
);

-- A server's recovery points may branch, so a sequence number may be there twice.
CREATE TABLE points (
    -- The order in which they were committed: points of one server are committed one after another.
    number      BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    server      BYTEA  NOT NULL,
    sequence    BIGINT NOT NULL CHECK (sequence > 0),
    hash        BYTEA  NOT NULL CHECK (length(hash) = 32),
    item        BYTEA  NOT NULL,
    received_at BIGINT NOT NULL,
    pack_bytes  BIGINT NOT NULL,
    -- 0 until the receipt object is known to be durable; receipts of such points are made again at the next start.
    receipted   BIGINT NOT NULL DEFAULT 0 CHECK (receipted IN (0, 1)),
    UNIQUE (server, hash),
    FOREIGN KEY (server, item) REFERENCES items (server, id)
);
CREATE INDEX points_by_number ON points (server, number);
CREATE INDEX points_by_item ON points (server, item, sequence);
CREATE INDEX points_without_receipt ON points (server) WHERE receipted = 0;

-- A pack is needed by all points of the item from first_sequence to last_sequence; with no last one, up to the item's
-- newest; and as long as any server of its domain refers to it. So an unchanged backup of a million packs writes nothing.
CREATE TABLE pack_references (
    domain         BYTEA  NOT NULL,
    server         BYTEA  NOT NULL,
    item           BYTEA  NOT NULL,
    pack           BYTEA  NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence  BIGINT,
    PRIMARY KEY (server, item, pack, first_sequence),
    FOREIGN KEY (domain, pack) REFERENCES packs (domain, id),
    FOREIGN KEY (server, item) REFERENCES items (server, id)
);
CREATE INDEX open_references ON pack_references (server, item, pack) WHERE last_sequence IS NULL;
CREATE INDEX references_by_pack ON pack_references (domain, pack);

CREATE TABLE slots (
    server     BYTEA  NOT NULL REFERENCES servers (id),
    epoch      BIGINT NOT NULL,
    hash       BYTEA  NOT NULL CHECK (length(hash) = 32),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (server, epoch, hash)
);

CREATE TABLE jobs (
    server      BYTEA            NOT NULL REFERENCES servers (id),
    id          BYTEA            NOT NULL CHECK (length(id) = 16),
    started_at  BIGINT           NOT NULL,
    reported_at BIGINT           NOT NULL,
    ended       BIGINT           NOT NULL CHECK (ended IN (0, 1)),
    -- The report as the agent sent it, as JSON: codes and counts.
    report      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (server, id)
);
