-- Assist tasks, and resolutions that go on by themselves. migrations/postgres holds
-- the same.

-- +goose Up
CREATE TABLE assist_tasks (
    id         TEXT   PRIMARY KEY CHECK (id <> ''),
    task_key   TEXT   NOT NULL UNIQUE,
    department TEXT   NOT NULL,
    receiver   TEXT   NOT NULL,
    case_id    TEXT   NOT NULL REFERENCES cases (id),
    state      TEXT   NOT NULL CHECK (state IN ('open', 'answered')),
    asked_at   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    answer     TEXT   NOT NULL,
    CHECK ((state = 'answered') = (answer <> ''))
);
CREATE INDEX assist_tasks_by_department ON assist_tasks (department, state, due_at, id);

ALTER TABLE resolutions ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE resolutions ADD COLUMN retry_at BIGINT;

-- What a resolution said before it went on.
CREATE TABLE resolution_versions (
    resolution_id TEXT   NOT NULL REFERENCES resolutions (id),
    version       BIGINT NOT NULL CHECK (version > 0),
    body          TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (resolution_id, version)
);
