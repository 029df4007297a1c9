-- What Azure Resource Manager's clients manage: resource groups, vaults with their settings, roles, policies, states of
-- items and recovery points, operations, and what guards them.

CREATE TABLE resource_groups (
    -- In small letters: names are told apart without regard to case.
    key        TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    location   TEXT    NOT NULL,
    -- JSON, an object of texts.
    tags       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO resource_groups (key, name, location, tags, created_at) VALUES ('default', 'default', 'local', '{}', 0);

-- A vault that was deleted has its id as its name, so that its own is free at once; that stands in deleted_name.
ALTER TABLE vaults ADD COLUMN resource_group TEXT NOT NULL DEFAULT 'default';
ALTER TABLE vaults ADD COLUMN location TEXT NOT NULL DEFAULT 'local';
ALTER TABLE vaults ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
ALTER TABLE vaults ADD COLUMN redundancy TEXT NOT NULL DEFAULT 'LocallyRedundant'
    CHECK (redundancy IN ('LocallyRedundant', 'ZoneRedundant', 'GeoRedundant'));
ALTER TABLE vaults ADD COLUMN cross_region_restore INTEGER NOT NULL DEFAULT 0 CHECK (cross_region_restore IN (0, 1));
ALTER TABLE vaults ADD COLUMN immutability TEXT NOT NULL DEFAULT 'Disabled'
    CHECK (immutability IN ('Disabled', 'Unlocked', 'Locked'));
ALTER TABLE vaults ADD COLUMN soft_delete_days INTEGER NOT NULL DEFAULT 14 CHECK (soft_delete_days BETWEEN 14 AND 180);
-- What clients set and read back that changes nothing here, as JSON.
ALTER TABLE vaults ADD COLUMN monitoring TEXT NOT NULL DEFAULT '{}';
-- Counts changes: the ETag.
ALTER TABLE vaults ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE vaults ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vaults ADD COLUMN deleted_name TEXT;
ALTER TABLE vaults ADD COLUMN deleted_at INTEGER;
ALTER TABLE vaults ADD COLUMN purge_at INTEGER;
-- Bytes that one server may hold in packs, and send within a day; NULL: any.
ALTER TABLE vaults ADD COLUMN server_quota_bytes INTEGER CHECK (server_quota_bytes > 0);
ALTER TABLE vaults ADD COLUMN server_daily_bytes INTEGER CHECK (server_daily_bytes > 0);

-- Who may do what, where: in the whole subscription, in a resource group, in one vault (both in small letters, '' for all).
CREATE TABLE role_assignments (
    principal      TEXT NOT NULL REFERENCES principals (client_id),
    role           TEXT NOT NULL CHECK (role IN ('BackupContributor', 'BackupOperator', 'BackupReader')),
    resource_group TEXT NOT NULL,
    vault          TEXT NOT NULL,
    PRIMARY KEY (principal, role, resource_group, vault),
    CHECK (resource_group <> '' OR vault = '')
) STRICT, WITHOUT ROWID;
INSERT INTO role_assignments (principal, role, resource_group, vault) SELECT client_id, role, '', '' FROM principals;
ALTER TABLE principals DROP COLUMN role;
ALTER TABLE principals ADD COLUMN revoked_at INTEGER;

-- Certificates that principals sign in with instead of a secret.
CREATE TABLE principal_certificates (
    principal  TEXT    NOT NULL REFERENCES principals (client_id),
    -- SHA-256 of the certificate.
    thumbprint BLOB    NOT NULL CHECK (length(thumbprint) = 32),
    -- DER.
    body       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (principal, thumbprint)
) STRICT, WITHOUT ROWID;

-- Assertions of principals that were taken, by the hash of their id.
CREATE TABLE principal_assertions (
    principal  TEXT    NOT NULL REFERENCES principals (client_id),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (principal, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX principal_assertions_by_end ON principal_assertions (expires_at);

CREATE TABLE policies (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    vault      BLOB    NOT NULL REFERENCES vaults (id),
    name       TEXT    NOT NULL,
    -- The policy as JSON, in the form of the room `model`.
    body       TEXT    NOT NULL,
    -- Counts changes: the ETag, and what agents pull it by.
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX policies_by_name ON policies (vault, lower(name));

-- An item is protected unless it was stopped. One that was deleted can be had back until it is purged; from then on it
-- has no purge_at.
ALTER TABLE items ADD COLUMN policy BLOB REFERENCES policies (id);
ALTER TABLE items ADD COLUMN made_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN stopped_at INTEGER;
-- What becomes of a stopped item's points: 'forever' keeps all, 'expire' lets each come to its end.
ALTER TABLE items ADD COLUMN stop_keeps TEXT CHECK (stop_keeps IN ('forever', 'expire'));
ALTER TABLE items ADD COLUMN deleted_at INTEGER;
ALTER TABLE items ADD COLUMN purge_at INTEGER;

-- Until when whoever made it on demand wants it kept; NULL: a scheduled one.
ALTER TABLE points ADD COLUMN retain_until INTEGER;
ALTER TABLE points ADD COLUMN is_on_demand INTEGER NOT NULL DEFAULT 0 CHECK (is_on_demand IN (0, 1));
-- Until when an immutable vault has promised to keep it.
ALTER TABLE points ADD COLUMN promised_until INTEGER;
-- A person agreed that it expires in a run that expires unusually many.
ALTER TABLE points ADD COLUMN expiry_confirmed INTEGER NOT NULL DEFAULT 0 CHECK (expiry_confirmed IN (0, 1));
-- When it expired; it can be had back until it is purged.
ALTER TABLE points ADD COLUMN expired_at INTEGER;
ALTER TABLE points ADD COLUMN purge_at INTEGER;
-- When it could not be had back any more. The row stays: it says that the point was there.
ALTER TABLE points ADD COLUMN purged_at INTEGER;

-- How many words of the vault there are on what became of it.
ALTER TABLE points ADD COLUMN tombstones INTEGER NOT NULL DEFAULT 0;
-- Good points need no pack that was lost.
CREATE INDEX lost_packs ON packs (domain, id) WHERE state = 'lost';

-- Of those words the ones that are not known to be in the store yet, where they are objects of their own.
CREATE TABLE tombstones (
    server            BLOB NOT NULL,
    point             BLOB NOT NULL,
    number            INTEGER NOT NULL CHECK (number > 0),
    sequence          INTEGER NOT NULL,
    act               TEXT NOT NULL CHECK (act IN ('expire', 'soft-delete', 'undelete', 'collect')),
    before            TEXT NOT NULL CHECK (before IN ('live', 'expired', 'soft-deleted')),
    at                INTEGER NOT NULL,
    recoverable_until INTEGER,
    PRIMARY KEY (server, point, number),
    FOREIGN KEY (server, point) REFERENCES points (server, hash)
) STRICT, WITHOUT ROWID;

-- Whether a session makes a recovery point on demand, and until when that is to be kept.
ALTER TABLE sessions ADD COLUMN is_on_demand INTEGER NOT NULL DEFAULT 0 CHECK (is_on_demand IN (0, 1));
ALTER TABLE sessions ADD COLUMN retain_until INTEGER;

-- What was asked for and goes on by itself; clients poll it.
CREATE TABLE operations (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    vault      BLOB    NOT NULL REFERENCES vaults (id),
    status     TEXT    NOT NULL CHECK (status IN ('InProgress', 'Succeeded', 'Failed', 'Canceled')),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    -- The job that does it, if there is one.
    job        BLOB,
    error_code TEXT,
    error      TEXT
) STRICT;
CREATE INDEX operations_by_start ON operations (started_at);

-- When somebody asked for a job to be cancelled; its agent learns it with the answer to its next report.
ALTER TABLE jobs ADD COLUMN cancel_requested_at INTEGER;
-- Of the report, what an item's last backup is found by; NULL in reports that came before these columns.
ALTER TABLE jobs ADD COLUMN item BLOB;
ALTER TABLE jobs ADD COLUMN kind TEXT;
ALTER TABLE jobs ADD COLUMN state TEXT;
CREATE INDEX jobs_by_item ON jobs (server, item, kind, started_at);

-- What agents are asked to do.
CREATE TABLE commands (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    server     BLOB    NOT NULL REFERENCES servers (id),
    job        BLOB    NOT NULL,
    -- JSON.
    body       TEXT    NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    taken_at   INTEGER
) STRICT;
CREATE INDEX commands_by_server ON commands (server, taken_at);

-- Security PINs, by the hash of their digits. Good once.
CREATE TABLE pins (
    vault      BLOB    NOT NULL REFERENCES vaults (id),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    principal  TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    -- So many wrong ones came while it could be used.
    wrong      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (vault, hash)
) STRICT, WITHOUT ROWID;

-- Where a vault has one, some acts need a second person.
CREATE TABLE guards (
    vault      BLOB    NOT NULL REFERENCES vaults (id),
    name       TEXT    NOT NULL,
    -- What the client put, as JSON.
    body       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (vault, name)
) STRICT, WITHOUT ROWID;

-- Acts that wait for a second person, or have their consent.
CREATE TABLE approvals (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    vault       BLOB    NOT NULL REFERENCES vaults (id),
    act         TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    asked_by    TEXT    NOT NULL,
    asked_at    INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    approved_by TEXT,
    approved_at INTEGER,
    used_at     INTEGER
) STRICT;
CREATE INDEX approvals_by_vault ON approvals (vault, asked_at);

-- Every change, each with the hash of the one before.
CREATE TABLE audit (
    number   INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    -- NULL: of the subscription.
    vault    BLOB    REFERENCES vaults (id),
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    act      TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    -- JSON.
    detail   TEXT    NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_by_vault ON audit (vault, number);

CREATE TABLE alerts (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    vault       BLOB    NOT NULL REFERENCES vaults (id),
    severity    TEXT    NOT NULL CHECK (severity IN ('Critical', 'Error', 'Warning', 'Informational')),
    kind        TEXT    NOT NULL,
    -- What it is about: an item, a server, a job.
    subject     TEXT    NOT NULL,
    message     TEXT    NOT NULL,
    raised_at   INTEGER NOT NULL,
    resolved_at INTEGER
) STRICT;
-- One open alert of a kind for each subject.
CREATE UNIQUE INDEX open_alerts ON alerts (vault, kind, subject) WHERE resolved_at IS NULL;
CREATE INDEX alerts_by_vault ON alerts (vault, raised_at);

-- The latest moment that the vault has seen: what expires trusts no clock that jumped. One row.
CREATE TABLE high_water (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    moment INTEGER NOT NULL
) STRICT;

-- Bytes that a server sent in packs, for each day (days since 1970, UTC).
CREATE TABLE ingest (
    server BLOB    NOT NULL REFERENCES servers (id),
    day    INTEGER NOT NULL,
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (server, day)
) STRICT, WITHOUT ROWID;
-- What came before days were counted: day 0.
INSERT INTO ingest (server, day, bytes) SELECT server, 0, sum(length) FROM packs GROUP BY server;
