-- What a vault knows. Ids are 16 bytes, hashes 32, times nanoseconds since 1970 in UTC.
-- Secrets are here only as hashes; keys of servers only as public keys; the vault's own key is a file elsewhere.

-- Who may manage: a client id and the hash of its secret.
CREATE TABLE principals (
    client_id   TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    role        TEXT    NOT NULL CHECK (role IN ('BackupContributor', 'BackupReader')),
    secret_hash BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE vaults (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- Names are told apart without regard to case, as Azure tells them.
    name       TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    vault        BLOB    NOT NULL REFERENCES vaults (id),
    purpose      TEXT    NOT NULL CHECK (purpose IN ('Register', 'Restore')),
    server       BLOB    REFERENCES servers (id),
    secret_hash  BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    uses_allowed INTEGER NOT NULL CHECK (uses_allowed > 0),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    CHECK ((purpose = 'Restore') = (server IS NOT NULL))
) STRICT;

CREATE TABLE servers (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    vault            BLOB    NOT NULL REFERENCES vaults (id),
    label            TEXT    NOT NULL,
    login_key        BLOB    NOT NULL CHECK (length(login_key) = 32),
    signing_key      BLOB    NOT NULL CHECK (length(signing_key) = 32),
    operating_system TEXT    NOT NULL,
    agent_version    TEXT    NOT NULL,
    -- The credentials that it registered with: counting these rows counts their uses.
    credential       BLOB    NOT NULL REFERENCES credentials (id),
    registered_at    INTEGER NOT NULL,
    seen_at          INTEGER,
    revoked_at       INTEGER,
    UNIQUE (vault, login_key)
) STRICT;
CREATE INDEX servers_by_credential ON servers (credential);

-- Bearer tokens by their hash: of a principal or of a server.
CREATE TABLE tokens (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    principal  TEXT    REFERENCES principals (client_id),
    server     BLOB    REFERENCES servers (id),
    expires_at INTEGER NOT NULL,
    CHECK ((principal IS NULL) <> (server IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_end ON tokens (expires_at);

-- Assertions that were taken, by the hash of their id, until they are too old to be taken again.
CREATE TABLE assertions (
    server     BLOB    NOT NULL REFERENCES servers (id),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (server, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX assertions_by_end ON assertions (expires_at);

CREATE TABLE items (
    server BLOB NOT NULL REFERENCES servers (id),
    id     BLOB NOT NULL CHECK (length(id) = 16),
    label  TEXT NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('SystemState', 'Files')),
    PRIMARY KEY (server, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    server        BLOB    NOT NULL REFERENCES servers (id),
    secret_hash   BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    kind          TEXT    NOT NULL,
    item          BLOB,
    opened_at     INTEGER NOT NULL,
    lease_until   INTEGER NOT NULL,
    ended_at      INTEGER,
    ended_because TEXT CHECK (ended_because IN ('closed', 'replaced', 'expired')),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
) STRICT;
-- The fence: a server has one open session, whatever the code above does.
CREATE UNIQUE INDEX one_open_session ON sessions (server) WHERE ended_at IS NULL;

-- pending: the row is there before the object is, so that no object lies in the store without a row.
-- stored:  the object is durable, but no recovery point refers to it.
-- live:    at least one recovery point refers to it.
-- lost:    a commit found the object gone or of another length; putting the pack again heals it.
CREATE TABLE packs (
    server BLOB    NOT NULL REFERENCES servers (id),
    id     BLOB    NOT NULL CHECK (length(id) = 32),
    length INTEGER NOT NULL CHECK (length > 0),
    state  TEXT    NOT NULL CHECK (state IN ('pending', 'stored', 'live', 'lost')),
    PRIMARY KEY (server, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE points (
    server      BLOB    NOT NULL,
    sequence    INTEGER NOT NULL CHECK (sequence > 0),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    item        BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    pack_bytes  INTEGER NOT NULL,
    -- 0 until the receipt object is known to be durable; receipts of such points are made again at the next start.
    receipted   INTEGER NOT NULL DEFAULT 0 CHECK (receipted IN (0, 1)),
    PRIMARY KEY (server, sequence),
    UNIQUE (server, hash),
    FOREIGN KEY (server, item) REFERENCES items (server, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX points_without_receipt ON points (server) WHERE receipted = 0;

-- A pack is needed by all points of the item from first_sequence to last_sequence; with no last one, up to the
-- item's newest. So an unchanged backup of a million packs writes nothing here.
CREATE TABLE pack_references (
    server         BLOB    NOT NULL,
    item           BLOB    NOT NULL,
    pack           BLOB    NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence  INTEGER,
    PRIMARY KEY (server, item, pack, first_sequence),
    FOREIGN KEY (server, pack) REFERENCES packs (server, id),
    FOREIGN KEY (server, item) REFERENCES items (server, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_references ON pack_references (server, item, pack) WHERE last_sequence IS NULL;
CREATE INDEX references_by_pack ON pack_references (server, pack);

CREATE TABLE slots (
    server     BLOB    NOT NULL REFERENCES servers (id),
    epoch      INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (server, epoch, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    server      BLOB    NOT NULL REFERENCES servers (id),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    started_at  INTEGER NOT NULL,
    reported_at INTEGER NOT NULL,
    ended       INTEGER NOT NULL CHECK (ended IN (0, 1)),
    -- The report as the agent sent it, as JSON: codes and counts.
    report      TEXT    NOT NULL,
    PRIMARY KEY (server, id)
) STRICT, WITHOUT ROWID;
