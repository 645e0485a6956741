-- Links to the files of licences: one use, ten minutes, by who asked. A used one
-- is deleted. The other dialect's folder holds the same.

-- +goose Up
CREATE TABLE file_links (
    token_digest  TEXT   PRIMARY KEY CHECK (token_digest <> ''),
    holder        TEXT   NOT NULL CHECK (holder <> ''),
    resolution_id TEXT   NOT NULL REFERENCES resolutions (id),
    case_id       TEXT   NOT NULL REFERENCES cases (id),
    material      TEXT   NOT NULL,
    party         TEXT   NOT NULL,
    identifier    TEXT   NOT NULL CHECK (identifier <> ''),
    source        TEXT   NOT NULL,
    dataset       TEXT   NOT NULL,
    purpose       TEXT   NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX file_links_by_expiry ON file_links (expires_at);
