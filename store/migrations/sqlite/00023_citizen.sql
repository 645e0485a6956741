-- What a person's list of accesses is filtered and put together by, beside whom
-- an entry concerns. migrations/postgres holds the same.

-- +goose Up
ALTER TABLE accesses ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE accesses ADD COLUMN department TEXT NOT NULL DEFAULT '';
ALTER TABLE accesses ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accesses ADD COLUMN ask TEXT NOT NULL DEFAULT '';

-- The outcome of an intent is found by what the two have in common.
CREATE INDEX accesses_outcomes ON accesses (ask) WHERE kind = 'outcome' AND ask <> '';

-- Whom the entries about a link to a file concern.
ALTER TABLE file_links ADD COLUMN concerns TEXT NOT NULL DEFAULT '';
