-- The sealed log: a place for every entry, the hashes of the tree over them, and
-- what was published of it. migrations/sqlite holds the same.

-- +goose Up

-- The entries that wait for their place. A row comes and goes with its entry's
-- transaction, whatever its number: numbers do not commit in their order.
CREATE TABLE ledger_pending (
    entry_id BIGINT PRIMARY KEY
);
INSERT INTO ledger_pending (entry_id) SELECT id FROM ledger_entries;

CREATE TABLE ledger_leaves (
    place    BIGINT PRIMARY KEY CHECK (place >= 0),
    entry_id BIGINT NOT NULL UNIQUE,
    hash     BYTEA  NOT NULL CHECK (octet_length(hash) = 32),
    links    TEXT   NOT NULL
);

-- The roots of complete subtrees, of every eighth level: what lies between is
-- computed from those of the level below, which are one tile.
CREATE TABLE ledger_nodes (
    level BIGINT NOT NULL CHECK (level > 0 AND level % 8 = 0),
    place BIGINT NOT NULL CHECK (place >= 0),
    hash  BYTEA  NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, place)
);

-- Numbered without gaps.
CREATE TABLE ledger_checkpoints (
    number       BIGINT PRIMARY KEY CHECK (number > 0),
    size         BIGINT NOT NULL CHECK (size >= 0),
    root         BYTEA  NOT NULL CHECK (octet_length(root) = 32),
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
CREATE FUNCTION await_sealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_pending (entry_id) SELECT id FROM added;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER ledger_entries_await_sealing
    AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION await_sealing();
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_entries_await_sealing;

-- +goose StatementBegin
CREATE FUNCTION refuse_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER ledger_leaves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_log_change();
ALTER TABLE ledger_leaves ENABLE ALWAYS TRIGGER ledger_leaves_append_only;
CREATE TRIGGER ledger_nodes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_log_change();
ALTER TABLE ledger_nodes ENABLE ALWAYS TRIGGER ledger_nodes_append_only;
CREATE TRIGGER ledger_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_log_change();
ALTER TABLE ledger_checkpoints ENABLE ALWAYS TRIGGER ledger_checkpoints_append_only;
CREATE TRIGGER ledger_keys_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_log_change();
ALTER TABLE ledger_keys ENABLE ALWAYS TRIGGER ledger_keys_append_only;
