-- Corrections of departments' records. migrations/postgres holds the same.

-- +goose Up

-- subject is the keyed digest of whose record it is, opener that of the citizen
-- who opened it (empty for a department). body is personal data.
CREATE TABLE corrections (
    id        TEXT   PRIMARY KEY CHECK (id <> ''),
    dataset   TEXT   NOT NULL CHECK (dataset <> ''),
    subject   TEXT   NOT NULL CHECK (subject <> ''),
    provider  TEXT   NOT NULL CHECK (provider <> ''),
    receiver  TEXT   NOT NULL CHECK (receiver <> ''),
    case_id   TEXT   NOT NULL REFERENCES cases (id),
    opener    TEXT   NOT NULL,
    state     TEXT   NOT NULL CHECK (state IN ('open', 'taken', 'corrected', 'upheld', 'negotiating', 'mediating', 'referred', 'ordered', 'withdrawn')),
    step      BIGINT NOT NULL CHECK (step BETWEEN 0 AND 3),
    article   TEXT   NOT NULL,
    due_at    BIGINT,
    opened_at BIGINT NOT NULL,
    version   BIGINT NOT NULL CHECK (version > 0),
    body      TEXT   NOT NULL,
    CHECK ((due_at IS NULL) = (article = '')),
    CHECK ((due_at IS NULL) = (state NOT IN ('open', 'taken', 'ordered')))
);
CREATE INDEX corrections_by_provider ON corrections (provider, opened_at, id);
CREATE INDEX corrections_by_receiver ON corrections (receiver, opened_at, id);
CREATE INDEX corrections_by_opener ON corrections (opener, opened_at, id) WHERE opener <> '';
CREATE INDEX corrections_by_step ON corrections (opened_at, id) WHERE step > 1;
CREATE INDEX corrections_by_due ON corrections (due_at) WHERE due_at IS NOT NULL;

-- What is being corrected now: one correction of a field of a record at a time. The
-- field is empty for a record that was not found.
CREATE TABLE corrected_fields (
    dataset       TEXT NOT NULL,
    subject       TEXT NOT NULL,
    field         TEXT NOT NULL,
    correction_id TEXT NOT NULL REFERENCES corrections (id),
    PRIMARY KEY (subject, dataset, field)
);
CREATE INDEX corrected_fields_by_correction ON corrected_fields (correction_id);
