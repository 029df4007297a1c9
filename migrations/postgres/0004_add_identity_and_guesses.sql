-- Several processes may serve one database: what they must have in common, and what one must know of the others.

-- Whose database this is. One row.
CREATE TABLE identity (
    one         BIGINT           NOT NULL PRIMARY KEY CHECK (one = 1),
    tenant      TEXT COLLATE "C" NOT NULL,
    signing_key BYTEA            NOT NULL CHECK (length(signing_key) = 32)
);

-- Wrong client secrets in a row.
CREATE TABLE guesses (
    principal     TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES principals (client_id),
    wrong         BIGINT           NOT NULL CHECK (wrong > 0),
    blocked_until BIGINT           NOT NULL
);
