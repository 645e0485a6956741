-- The calls to sources, without content. migrations/postgres holds the same.

-- +goose Up

-- Of a question that was not put, attempt, called_out and called_back are 0.
-- flags is a sum: 1 hedged, 2 coalesced, 4 probe. warnings are codes, separated
-- by commas.
CREATE TABLE source_calls (
    id          INTEGER PRIMARY KEY,
    source      TEXT   NOT NULL CHECK (source <> ''),
    dataset     TEXT   NOT NULL,
    department  TEXT   NOT NULL,
    called_in   BIGINT NOT NULL,
    called_out  BIGINT NOT NULL,
    called_back BIGINT NOT NULL,
    done        BIGINT NOT NULL,
    bytes       BIGINT NOT NULL CHECK (bytes >= 0),
    records     BIGINT NOT NULL CHECK (records >= 0),
    result      TEXT   NOT NULL CHECK (result <> ''),
    attempt     BIGINT NOT NULL CHECK (attempt >= 0),
    attempts    BIGINT NOT NULL,
    flags       BIGINT NOT NULL CHECK (flags BETWEEN 0 AND 7),
    warnings    TEXT   NOT NULL,
    CHECK ((attempt = 0) = (called_out = 0))
);
CREATE INDEX source_calls_by_source ON source_calls (source, called_in, id);
CREATE INDEX source_calls_by_time ON source_calls (called_in);
