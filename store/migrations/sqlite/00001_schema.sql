-- The first schema. Moments are microseconds since 1970 in UTC; JSON is text,
-- so that both dialects keep it byte for byte. migrations/postgres holds the same.

-- +goose Up
CREATE TABLE catalog_revisions (
    number    BIGINT PRIMARY KEY CHECK (number > 0),
    digest    TEXT   NOT NULL,
    title     TEXT   NOT NULL,
    version   TEXT   NOT NULL,
    content   BLOB   NOT NULL,
    loaded_at BIGINT NOT NULL
);

CREATE TABLE systems (
    id          TEXT    PRIMARY KEY CHECK (id <> ''),
    department  TEXT    NOT NULL CHECK (department <> ''),
    name        TEXT    NOT NULL,
    secret_hash TEXT    NOT NULL,
    jwks        TEXT    NOT NULL,
    disabled    BOOLEAN NOT NULL,
    created_at  BIGINT  NOT NULL
);

CREATE TABLE grants (
    id          TEXT   PRIMARY KEY CHECK (id <> ''),
    department  TEXT   NOT NULL,
    matter      TEXT   NOT NULL,
    dataset     TEXT   NOT NULL,
    fields      TEXT   NOT NULL,
    basis       TEXT   NOT NULL,
    valid_from  BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('active', 'suspended', 'terminated')),
    created_at  BIGINT NOT NULL,
    CHECK (valid_from < valid_until)
);
CREATE INDEX grants_by_use ON grants (matter, department);

CREATE TABLE cases (
    id          TEXT   PRIMARY KEY CHECK (id <> ''),
    system      TEXT   NOT NULL REFERENCES systems (id),
    department  TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    body_digest TEXT   NOT NULL,
    revision    BIGINT NOT NULL REFERENCES catalog_revisions (number),
    subject     TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    facts       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL CHECK (version > 0),
    UNIQUE (department, number)
);

CREATE TABLE case_results (
    case_id     TEXT   NOT NULL REFERENCES cases (id),
    matter      TEXT   NOT NULL,
    outcome     TEXT   NOT NULL CHECK (outcome IN ('granted', 'refused')),
    body        TEXT   NOT NULL,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (case_id, matter)
);

-- seq counts the resolutions of one case.
CREATE TABLE resolutions (
    id         TEXT   PRIMARY KEY CHECK (id <> ''),
    case_id    TEXT   NOT NULL REFERENCES cases (id),
    revision   BIGINT NOT NULL REFERENCES catalog_revisions (number),
    status     TEXT   NOT NULL CHECK (status IN ('needs_input', 'pending', 'complete')),
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seq        BIGINT NOT NULL CHECK (seq > 0),
    UNIQUE (case_id, seq)
);

-- The same paper handed in twice for one material is one row; a new version of
-- it is another.
CREATE TABLE submissions (
    case_id           TEXT   NOT NULL REFERENCES cases (id),
    material          TEXT   NOT NULL,
    standard_material TEXT   NOT NULL,
    subject_digest    TEXT   NOT NULL,
    digest            TEXT   NOT NULL,
    submitted_at      BIGINT NOT NULL,
    PRIMARY KEY (case_id, material, subject_digest, digest)
);
CREATE INDEX submissions_by_paper ON submissions (subject_digest, standard_material, submitted_at);

-- No reference to cases: the record outlives what it is about.
CREATE TABLE ledger_entries (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT   NOT NULL CHECK (kind <> ''),
    case_id       TEXT   NOT NULL,
    resolution_id TEXT   NOT NULL,
    at            BIGINT NOT NULL,
    body          TEXT   NOT NULL
);
CREATE INDEX ledger_entries_by_case ON ledger_entries (case_id, id);

-- +goose StatementBegin
CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is append-only');
END;
-- +goose StatementEnd
-- REPLACE deletes past the trigger above on connections without recursive
-- triggers, so it is stopped before it deletes.
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_no_replace BEFORE INSERT ON ledger_entries
WHEN EXISTS (SELECT 1 FROM ledger_entries WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is append-only');
END;
-- +goose StatementEnd

CREATE TABLE idempotency_keys (
    system         TEXT   NOT NULL REFERENCES systems (id),
    key            TEXT   NOT NULL,
    request_digest TEXT   NOT NULL,
    resource       TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (system, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE used_assertions (
    jti        TEXT   NOT NULL,
    system     TEXT   NOT NULL REFERENCES systems (id),
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (system, jti)
);
CREATE INDEX used_assertions_by_expiry ON used_assertions (expires_at);
