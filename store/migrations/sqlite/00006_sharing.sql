-- Sharing requests, and what became of the grants that come from them.
-- migrations/postgres holds the same.

-- +goose Up
CREATE TABLE sharing_requests (
    id          TEXT   PRIMARY KEY CHECK (id <> ''),
    applicant   TEXT   NOT NULL CHECK (applicant <> ''),
    provider    TEXT   NOT NULL CHECK (provider <> ''),
    state       TEXT   NOT NULL CHECK (state IN ('submitted', 'incomplete', 'resubmitted', 'agreed', 'partly_agreed', 'refused', 'delivered', 'withdrawn')),
    article     TEXT   NOT NULL,
    due_at      BIGINT,
    received_at BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    version     BIGINT NOT NULL CHECK (version > 0),
    body        TEXT   NOT NULL,
    CHECK ((due_at IS NULL) = (article = '')),
    CHECK ((due_at IS NULL) = (state NOT IN ('submitted', 'resubmitted', 'agreed', 'partly_agreed'))),
    CHECK (applicant <> provider)
);
CREATE INDEX sharing_requests_by_applicant ON sharing_requests (applicant, received_at, id);
CREATE INDEX sharing_requests_by_provider ON sharing_requests (provider, received_at, id);
CREATE INDEX sharing_requests_by_due ON sharing_requests (due_at) WHERE due_at IS NOT NULL;

-- The request is empty for a grant that was given by command.
ALTER TABLE grants ADD COLUMN request    TEXT   NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN scenario   TEXT   NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN scope      TEXT   NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN manner     TEXT   NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN correct_by TEXT   NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN history    TEXT   NOT NULL DEFAULT '[]';
ALTER TABLE grants ADD COLUMN version    BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
CREATE INDEX grants_by_holder ON grants (department, id);
CREATE INDEX grants_by_dataset ON grants (dataset, id);
