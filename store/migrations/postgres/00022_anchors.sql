-- Checkpoints of the ledger that parties outside hold, and why one holds
-- nothing newer. migrations/sqlite holds the same.

-- +goose Up
CREATE TABLE anchors (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       TEXT   NOT NULL CHECK (kind IN ('witness', 'timestamp')),
    name       TEXT   NOT NULL CHECK (name <> ''),
    size       BIGINT NOT NULL CHECK (size > 0),
    root       TEXT   NOT NULL CHECK (length(root) = 44),
    checkpoint TEXT   NOT NULL,
    body       BYTEA  NOT NULL,
    stated_at  BIGINT NOT NULL,
    kept_at    BIGINT NOT NULL
);
CREATE INDEX anchors_by_name ON anchors (kind, name, id);
CREATE INDEX anchors_by_size ON anchors (kind, size);

CREATE TABLE anchor_troubles (
    kind     TEXT   NOT NULL CHECK (kind IN ('witness', 'timestamp')),
    name     TEXT   NOT NULL CHECK (name <> ''),
    trouble  TEXT   NOT NULL CHECK (trouble <> ''),
    since_at BIGINT NOT NULL,
    tried_at BIGINT NOT NULL CHECK (tried_at >= since_at),
    PRIMARY KEY (kind, name)
);
