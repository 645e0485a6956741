-- The cases that were resolved last are found by time (影响测算). migrations/sqlite holds the same.

-- +goose Up

CREATE INDEX resolutions_by_time ON resolutions (created_at, id);
