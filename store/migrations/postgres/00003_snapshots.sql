-- The files that departments send. migrations/sqlite holds the same.

-- +goose Up

-- key_id names the key that the rows are stored under; seq counts the snapshots
-- of a source.
CREATE TABLE snapshots (
    source    TEXT   PRIMARY KEY CHECK (source <> ''),
    as_of     BIGINT NOT NULL,
    loaded_at BIGINT NOT NULL,
    rows      BIGINT NOT NULL CHECK (rows >= 0),
    digest    TEXT   NOT NULL CHECK (digest <> ''),
    key_id    TEXT   NOT NULL CHECK (key_id <> ''),
    seq       BIGINT NOT NULL CHECK (seq > 0)
);

-- lookup_key is a keyed digest of the subject, body is encrypted: the table
-- alone tells nothing.
CREATE TABLE snapshot_rows (
    source     TEXT   NOT NULL REFERENCES snapshots (source),
    seq        BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    lookup_key BYTEA  NOT NULL,
    body       BYTEA  NOT NULL,
    PRIMARY KEY (source, seq, position)
);
CREATE INDEX snapshot_rows_by_key ON snapshot_rows (source, seq, lookup_key);
