-- What each version of a resolution followed from, so that it can be worked out
-- again. migrations/sqlite holds the same.

-- +goose Up
CREATE TABLE resolution_inputs (
    resolution_id TEXT   NOT NULL REFERENCES resolutions (id),
    version       BIGINT NOT NULL CHECK (version > 0),
    case_id       TEXT   NOT NULL REFERENCES cases (id),
    body          TEXT   NOT NULL,
    PRIMARY KEY (resolution_id, version)
);
CREATE INDEX resolution_inputs_by_case ON resolution_inputs (case_id);
