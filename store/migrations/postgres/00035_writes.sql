-- What is written with every resolution (写入路径). migrations/sqlite has a file of
-- this number that changes nothing.

-- +goose Up

ALTER TABLE usage_totals SET (fillfactor = 50);

-- How manieth link of its person each of a leaf's links is, in their order. Before,
-- each access was written again when its entry was sealed; those keep what they have.
ALTER TABLE ledger_leaves ADD COLUMN nths TEXT NOT NULL DEFAULT '';

-- What one statement adds to the ledger waits as one row: entry_id is the first of ids,
-- which is null in a row from before.
ALTER TABLE ledger_pending ADD COLUMN ids BIGINT[];
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION await_sealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_pending (entry_id, ids) SELECT min(id), array_agg(id) FROM added HAVING count(*) > 0;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE VIEW ledger_waiting AS SELECT entry_id AS noted, unnest(COALESCE(ids, ARRAY[entry_id])) AS entry_id FROM ledger_pending;

-- Everybody who stored a resolution locked the one row of the current revision, or of
-- the case that the resolution refers to anyway. Revisions are never deleted, and an
-- input's resolution is of its case.
ALTER TABLE resolutions DROP CONSTRAINT resolutions_revision_fkey;
ALTER TABLE resolution_inputs DROP CONSTRAINT resolution_inputs_case_id_fkey;
