-- What is written with every resolution (写入路径). What migrations/postgres changes of
-- locks and of rows by statement, SQLite does not have.

-- +goose Up

-- How manieth link of its person each of a leaf's links is, in their order. Before,
-- each access was written again when its entry was sealed; those keep what they have.
ALTER TABLE ledger_leaves ADD COLUMN nths TEXT NOT NULL DEFAULT '';

ALTER TABLE ledger_pending ADD COLUMN ids TEXT; -- always null: a row is one entry
CREATE VIEW ledger_waiting AS SELECT entry_id AS noted, entry_id FROM ledger_pending;
