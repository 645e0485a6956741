-- Cases that were closed. migrations/postgres holds the same.

-- +goose Up
ALTER TABLE cases ADD COLUMN closed_at BIGINT;
ALTER TABLE cases ADD COLUMN closed_for TEXT NOT NULL DEFAULT '' CHECK (closed_for IN ('', 'withdrawn', 'finished'));
