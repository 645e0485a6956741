-- Drafts of the catalog. migrations/postgres holds the same.

-- +goose Up

-- body is the draft without its edits.
CREATE TABLE drafts (
    id         TEXT   PRIMARY KEY CHECK (id <> ''),
    title      TEXT   NOT NULL CHECK (title <> ''),
    department TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('editing', 'submitted', 'returned', 'approved', 'scheduled', 'published', 'withdrawn')),
    base       BIGINT NOT NULL REFERENCES catalog_revisions (number),
    things     BIGINT NOT NULL CHECK (things >= 0),
    publish_at BIGINT,
    revision   BIGINT REFERENCES catalog_revisions (number),
    updated_at BIGINT NOT NULL,
    version    BIGINT NOT NULL CHECK (version > 0),
    body       TEXT   NOT NULL,
    CHECK ((publish_at IS NULL) = (state <> 'scheduled')),
    CHECK ((revision IS NULL) = (state <> 'published'))
);
CREATE INDEX drafts_by_state ON drafts (state, id);
-- A revision comes from one draft at most.
CREATE UNIQUE INDEX drafts_by_revision ON drafts (revision) WHERE revision IS NOT NULL;

-- What a draft does to one thing of the catalog. An empty value removes it.
CREATE TABLE draft_edits (
    draft_id TEXT NOT NULL REFERENCES drafts (id),
    kind     TEXT NOT NULL CHECK (kind <> ''),
    code     TEXT NOT NULL CHECK (code <> ''),
    held_in  TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (draft_id, kind, code)
);
CREATE INDEX draft_edits_by_code ON draft_edits (code);
