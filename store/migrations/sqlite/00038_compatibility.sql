-- Which programs may go on under a newer schema, and which backups were made.
-- migrations/postgres holds the same.

-- +goose Up

-- A migration that programs of earlier schemas can live with says so here, in its
-- own file: oldest is the earliest schema whose programs go on under version. What
-- has no row bears no earlier program.
CREATE TABLE schema_compatibility (
    version INTEGER PRIMARY KEY,
    oldest  INTEGER NOT NULL CHECK (oldest > 0 AND oldest <= version)
);

-- The backups that were made and checked, so that it is seen when there is none.
-- manifest is the SHA-256 of the backup's manifest, in hexadecimal.
CREATE TABLE backups (
    manifest TEXT   PRIMARY KEY CHECK (length(manifest) = 64),
    made_at  INTEGER NOT NULL,
    entries  INTEGER NOT NULL CHECK (entries >= 0),
    bytes    INTEGER NOT NULL CHECK (bytes >= 0)
);
CREATE INDEX backups_made ON backups (made_at);
