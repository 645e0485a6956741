-- What was found and is seen by the person first (先看后用). migrations/sqlite
-- holds the same.

-- +goose Up

-- id stands for the case, the material, the party and what was found, keyed with the
-- case's salt. body is personal data.
CREATE TABLE releases (
    id         TEXT   PRIMARY KEY CHECK (id <> ''),
    case_id    TEXT   NOT NULL REFERENCES cases (id),
    state      TEXT   NOT NULL CHECK (state IN ('awaiting', 'released', 'paper')),
    found_at   BIGINT NOT NULL,
    decided_at BIGINT,
    version    BIGINT NOT NULL CHECK (version > 0),
    body       TEXT   NOT NULL,
    CHECK ((state = 'awaiting') = (decided_at IS NULL))
);
CREATE INDEX releases_by_case ON releases (case_id, id);

-- Who may see it, by keyed digest.
CREATE TABLE release_viewers (
    subject    TEXT NOT NULL CHECK (subject <> ''),
    release_id TEXT NOT NULL REFERENCES releases (id),
    PRIMARY KEY (subject, release_id)
);
