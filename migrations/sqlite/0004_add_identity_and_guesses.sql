-- Several processes may serve one database: what they must have in common, and what one must know of the others.

-- Whose database this is. One row.
CREATE TABLE identity (
    one         INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    tenant      TEXT    NOT NULL,
    signing_key BLOB    NOT NULL CHECK (length(signing_key) = 32)
) STRICT;

-- Wrong client secrets in a row.
CREATE TABLE guesses (
    principal     TEXT    NOT NULL PRIMARY KEY REFERENCES principals (client_id),
    wrong         INTEGER NOT NULL CHECK (wrong > 0),
    blocked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
