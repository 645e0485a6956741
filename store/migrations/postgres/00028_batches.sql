-- Lists that are verified in the background (批量核验). migrations/sqlite holds the same.

-- +goose Up

-- wrong, todo, waiting, done, lacking and failed count the rows by state, and change with
-- them. note is JSON, or empty.
CREATE TABLE batches (
    id           TEXT   PRIMARY KEY CHECK (id <> ''),
    number       TEXT   NOT NULL,
    department   TEXT   NOT NULL CHECK (department <> ''),
    system       TEXT   NOT NULL REFERENCES systems (id),
    person       TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    revision     BIGINT NOT NULL REFERENCES catalog_revisions (number),
    purpose      TEXT   NOT NULL,
    basis        TEXT   NOT NULL,
    per_day      BIGINT NOT NULL CHECK (per_day > 0),
    state        TEXT   NOT NULL CHECK (state IN ('receiving', 'invalid', 'ready', 'running', 'paused', 'finished', 'cancelled')),
    note         TEXT   NOT NULL,
    wrong        BIGINT NOT NULL CHECK (wrong >= 0),
    todo         BIGINT NOT NULL CHECK (todo >= 0),
    waiting      BIGINT NOT NULL CHECK (waiting >= 0),
    done         BIGINT NOT NULL CHECK (done >= 0),
    lacking      BIGINT NOT NULL CHECK (lacking >= 0),
    failed       BIGINT NOT NULL CHECK (failed >= 0),
    submitted_at BIGINT NOT NULL,
    started_at   BIGINT,
    ended_at     BIGINT,
    touched_at   BIGINT NOT NULL,
    version      BIGINT NOT NULL CHECK (version > 0),
    UNIQUE (department, number),
    CHECK ((ended_at IS NULL) = (state NOT IN ('finished', 'cancelled')))
);
CREATE INDEX batches_by_department ON batches (department, submitted_at, id);

-- The key of what is kept of a batch's rows, wrapped; null once it was destroyed.
CREATE TABLE batch_keys (
    batch_id     TEXT   PRIMARY KEY REFERENCES batches (id),
    kek          TEXT   NOT NULL,
    payload_key  BYTEA,
    destroyed_at BIGINT,
    CHECK ((payload_key IS NULL) = (destroyed_at IS NOT NULL))
);

-- body is what a row's case is opened with, outcomes what was concluded: personal
-- data, sealed under the batch's key. problems hold none.
CREATE TABLE batch_rows (
    batch_id   TEXT   NOT NULL REFERENCES batches (id),
    line       BIGINT NOT NULL CHECK (line > 0),
    state      TEXT   NOT NULL CHECK (state IN ('wrong', 'todo', 'waiting', 'done', 'lacking', 'failed')),
    number     TEXT   NOT NULL,
    case_id    TEXT   NOT NULL,
    resolution TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    problems   TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    outcomes   TEXT   NOT NULL,
    asked_at   BIGINT,
    checked_at BIGINT,
    PRIMARY KEY (batch_id, line)
);
CREATE INDEX batch_rows_by_state ON batch_rows (batch_id, state, line);
CREATE INDEX batch_rows_by_day ON batch_rows (batch_id, asked_at) WHERE asked_at IS NOT NULL;
