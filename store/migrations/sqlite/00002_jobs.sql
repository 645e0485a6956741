-- Work that outlives the process, and where systems are told about it.
-- migrations/postgres holds the same.

-- +goose Up

-- claimable_at is when anybody may take the job: run_at while it waits, the end
-- of the lease while it runs. ended_at is 0 until it has failed.
CREATE TABLE jobs (
    id           TEXT   PRIMARY KEY CHECK (id <> ''),
    kind         TEXT   NOT NULL CHECK (kind <> ''),
    key          TEXT   NOT NULL,
    payload      TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('waiting', 'running', 'failed')),
    run_at       BIGINT NOT NULL,
    claimable_at BIGINT NOT NULL,
    owner        TEXT   NOT NULL,
    attempts     BIGINT NOT NULL CHECK (attempts >= 0),
    reason       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL,
    CHECK ((state = 'running') = (owner <> '')),
    CHECK ((state = 'failed') = (ended_at <> 0))
);
CREATE UNIQUE INDEX jobs_waiting_by_key ON jobs (kind, key) WHERE state = 'waiting' AND key <> '';
CREATE INDEX jobs_claimable ON jobs (claimable_at, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_failed ON jobs (ended_at, id) WHERE state = 'failed';

-- The secret of an endpoint is derived from its generation and never stored.
CREATE TABLE webhook_endpoints (
    system     TEXT    PRIMARY KEY REFERENCES systems (id),
    url        TEXT    NOT NULL CHECK (url <> ''),
    network    TEXT    NOT NULL CHECK (network IN ('', 'private', 'local')),
    generation BIGINT  NOT NULL CHECK (generation > 0),
    rotated_at BIGINT  NOT NULL,
    disabled   BOOLEAN NOT NULL,
    reason     TEXT    NOT NULL
);
