-- Revisions of the catalog by what changed (目录分册). migrations/postgres holds the same.

-- +goose Up

-- The content of a file, once for all revisions that have it. content and tree are
-- compressed; tree is what a one-thing is read from, and empty for all else.
CREATE TABLE catalog_parts (
    digest    TEXT   PRIMARY KEY CHECK (digest <> ''),
    content   BLOB   NOT NULL,
    tree      BLOB   NOT NULL,
    matters   INTEGER NOT NULL CHECK (matters >= 0),
    materials INTEGER NOT NULL CHECK (materials >= 0)
);

-- What a revision has otherwise than the one before it; an empty part is a file that
-- is no longer there.
CREATE TABLE catalog_paths (
    path     TEXT NOT NULL CHECK (path <> ''),
    revision INTEGER NOT NULL REFERENCES catalog_revisions (number),
    part     TEXT NOT NULL,
    PRIMARY KEY (path, revision)
);
CREATE INDEX catalog_paths_revision ON catalog_paths (revision);

-- Where a matter is found by its implementation code, whose last 13 characters local
-- is: the level and the basic code. until is the revision from which it is otherwise,
-- 0 while there is none.
CREATE TABLE catalog_matters (
    code       TEXT NOT NULL CHECK (code <> ''),
    since      INTEGER NOT NULL REFERENCES catalog_revisions (number),
    until      INTEGER NOT NULL CHECK (until = 0 OR until > since),
    one_thing  TEXT NOT NULL,
    name       TEXT NOT NULL,
    department TEXT NOT NULL,
    local      TEXT NOT NULL,
    PRIMARY KEY (code, since)
);
CREATE INDEX catalog_matters_local ON catalog_matters (local, department);
CREATE INDEX catalog_matters_thing ON catalog_matters (one_thing, until);

-- content is no longer written: it held all files of a revision. state is what the
-- next revision's digest is continued from; empty for one that was stored whole.
ALTER TABLE catalog_revisions ADD COLUMN state BLOB   NOT NULL DEFAULT x'';
ALTER TABLE catalog_revisions ADD COLUMN one_things INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalog_revisions ADD COLUMN matters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalog_revisions ADD COLUMN materials INTEGER NOT NULL DEFAULT 0;
