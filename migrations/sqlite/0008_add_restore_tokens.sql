-- A token may be of somebody who restores with vault credentials: it reads the things of one server.

ALTER TABLE tokens ADD COLUMN credential BLOB REFERENCES credentials (id);
