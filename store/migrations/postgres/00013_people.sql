-- People who sign in, their duties, and their sessions. migrations/sqlite holds the
-- same.

-- +goose Up
CREATE TABLE persons (
    id          TEXT    PRIMARY KEY CHECK (id <> ''),
    kind        TEXT    NOT NULL CHECK (kind IN ('staff', 'citizen')),
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL CHECK (subject <> ''),
    name        TEXT    NOT NULL,
    deactivated BOOLEAN NOT NULL,
    created_at  BIGINT  NOT NULL,
    UNIQUE (kind, issuer, subject)
);

CREATE TABLE duty_assignments (
    person      TEXT   NOT NULL REFERENCES persons (id),
    department  TEXT   NOT NULL CHECK (department <> ''),
    duty        TEXT   NOT NULL CHECK (duty <> ''),
    assigned_by TEXT   NOT NULL CHECK (assigned_by <> '' AND assigned_by <> person),
    assigned_at BIGINT NOT NULL,
    PRIMARY KEY (person, department, duty)
);
CREATE INDEX duty_assignments_by_department ON duty_assignments (department, duty);

-- A session that has ended stays until it would have expired, so that a request
-- under way cannot bring it back.
CREATE TABLE sessions (
    token      TEXT    PRIMARY KEY CHECK (token <> ''),
    data       TEXT    NOT NULL,
    seen_at    BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL,
    ended      BOOLEAN NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
