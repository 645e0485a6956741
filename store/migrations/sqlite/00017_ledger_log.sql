-- The sealed log: a place for every entry, the hashes of the tree over them, and
-- what was published of it. migrations/postgres holds the same.

-- +goose Up

-- The entries that wait for their place. A row comes and goes with its entry's
-- transaction, whatever its number: numbers do not commit in their order.
CREATE TABLE ledger_pending (
    entry_id INTEGER PRIMARY KEY
);
INSERT INTO ledger_pending (entry_id) SELECT id FROM ledger_entries;

CREATE TABLE ledger_leaves (
    place    INTEGER PRIMARY KEY CHECK (place >= 0),
    entry_id BIGINT NOT NULL UNIQUE,
    hash     BLOB  NOT NULL CHECK (length(hash) = 32),
    links    TEXT   NOT NULL
);

-- The roots of complete subtrees, of every eighth level: what lies between is
-- computed from those of the level below, which are one tile.
CREATE TABLE ledger_nodes (
    level BIGINT NOT NULL CHECK (level > 0 AND level % 8 = 0),
    place BIGINT NOT NULL CHECK (place >= 0),
    hash  BLOB  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
);

-- Numbered without gaps.
CREATE TABLE ledger_checkpoints (
    number       INTEGER PRIMARY KEY CHECK (number > 0),
    size         BIGINT NOT NULL CHECK (size >= 0),
    root         BLOB  NOT NULL CHECK (length(root) = 32),
    note         TEXT   NOT NULL CHECK (note <> ''),
    published_at BIGINT NOT NULL
);

-- Every key that has signed, and from which size on.
CREATE TABLE ledger_keys (
    vkey     TEXT   PRIMARY KEY CHECK (vkey <> ''),
    size     BIGINT NOT NULL,
    added_at BIGINT NOT NULL
);

-- +goose StatementBegin
CREATE TRIGGER ledger_entries_await_sealing AFTER INSERT ON ledger_entries
BEGIN
    INSERT INTO ledger_pending (entry_id) VALUES (NEW.id);
END;
-- +goose StatementEnd

-- Whoever replaces a row deletes it without a word where recursive triggers are
-- off, hence the third of each.
-- +goose StatementBegin
CREATE TRIGGER ledger_leaves_no_update BEFORE UPDATE ON ledger_leaves
BEGIN
    SELECT RAISE(ABORT, 'ledger_leaves is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_leaves_no_delete BEFORE DELETE ON ledger_leaves
BEGIN
    SELECT RAISE(ABORT, 'ledger_leaves is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_leaves_no_replace BEFORE INSERT ON ledger_leaves
WHEN EXISTS (SELECT 1 FROM ledger_leaves WHERE place = NEW.place OR entry_id = NEW.entry_id)
BEGIN
    SELECT RAISE(ABORT, 'ledger_leaves is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_nodes_no_update BEFORE UPDATE ON ledger_nodes
BEGIN
    SELECT RAISE(ABORT, 'ledger_nodes is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_nodes_no_delete BEFORE DELETE ON ledger_nodes
BEGIN
    SELECT RAISE(ABORT, 'ledger_nodes is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_nodes_no_replace BEFORE INSERT ON ledger_nodes
WHEN EXISTS (SELECT 1 FROM ledger_nodes WHERE level = NEW.level AND place = NEW.place)
BEGIN
    SELECT RAISE(ABORT, 'ledger_nodes is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_checkpoints_no_update BEFORE UPDATE ON ledger_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'ledger_checkpoints is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_checkpoints_no_delete BEFORE DELETE ON ledger_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'ledger_checkpoints is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_checkpoints_no_replace BEFORE INSERT ON ledger_checkpoints
WHEN EXISTS (SELECT 1 FROM ledger_checkpoints WHERE number = NEW.number)
BEGIN
    SELECT RAISE(ABORT, 'ledger_checkpoints is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_keys_no_update BEFORE UPDATE ON ledger_keys
BEGIN
    SELECT RAISE(ABORT, 'ledger_keys is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_keys_no_delete BEFORE DELETE ON ledger_keys
BEGIN
    SELECT RAISE(ABORT, 'ledger_keys is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_keys_no_replace BEFORE INSERT ON ledger_keys
WHEN EXISTS (SELECT 1 FROM ledger_keys WHERE vkey = NEW.vkey)
BEGIN
    SELECT RAISE(ABORT, 'ledger_keys is append-only');
END;
-- +goose StatementEnd
