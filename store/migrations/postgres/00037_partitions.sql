-- What every resolution adds to is kept in partitions (docs/decisions/0042-many-at-once.md).
-- Each table as it is becomes the first partition of its successor: nothing is copied.
-- Each statement is done by itself, and again without harm: what takes long, the look
-- at all rows, keeps nobody from writing.

-- +goose NO TRANSACTION
-- +goose Up

-- take_partition makes table_name a partitioned table of which what was table_name is the
-- partition below past, with the same columns, checks, indexes, triggers, numbering and rights.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION take_partition(table_name text, key text, lowest text, past bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first_name text := table_name || '_first';
    make text[]; -- what is made anew on the successor
    item record;
    numbered text; -- the sequence of the numbers
    next_number bigint;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = table_name::regclass) = 'p' THEN
        RETURN;
    END IF;
    PERFORM set_config('lock_timeout', '10s', true);
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', table_name);
    SELECT array_agg(pg_get_triggerdef(t.oid) ORDER BY t.oid) ||
        COALESCE(array_agg(format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', table_name, t.tgname)) FILTER (WHERE t.tgenabled = 'A'), '{}')
        INTO make FROM pg_trigger t WHERE t.tgrelid = table_name::regclass AND NOT t.tgisinternal;
    make := COALESCE(make, '{}');
    FOR item IN SELECT a.privilege_type, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = table_name::regclass LOOP
        make := make || format('GRANT %s ON %I TO %s', item.privilege_type, table_name, item.grantee);
    END LOOP;
    -- Constraints and indexes of the successor bear the names.
    FOR item IN SELECT c.relname, pg_get_indexdef(i.indexrelid) AS made_by, i.indisprimary
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = table_name::regclass LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', item.relname, overlay(item.relname placing first_name from 1 for length(table_name)));
        IF item.indisprimary THEN
            CONTINUE WHEN item.made_by !~ ('\m' || key || '\M'); -- of calls: a number alone is not unique over partitions
            make := make || format('ALTER TABLE %I ADD %s', table_name,
                (SELECT pg_get_constraintdef(o.oid) FROM pg_constraint o WHERE o.conrelid = table_name::regclass AND o.contype = 'p'));
        ELSE
            make := make || item.made_by;
        END IF;
    END LOOP;
    SELECT pg_get_serial_sequence(table_name, attname) INTO numbered FROM pg_attribute
        WHERE attrelid = table_name::regclass AND attname = 'id' AND attidentity <> '';
    IF numbered IS NOT NULL THEN
        EXECUTE format('SELECT last_value + is_called::int FROM %s', numbered) INTO next_number;
        EXECUTE format('ALTER TABLE %I ALTER COLUMN id DROP IDENTITY', table_name);
        make := make || format('ALTER TABLE %I ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (START WITH %s)', table_name, next_number);
    END IF;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', table_name, first_name);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) PARTITION BY RANGE (%I)', table_name, first_name, key);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', table_name, table_name || '_below');
    FOR item IN SELECT unnest(make) AS statement LOOP
        EXECUTE item.statement;
    END LOOP;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', table_name, first_name, lowest, past);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', first_name, table_name || '_below');
END
$$;
-- +goose StatementEnd

-- first_bound says, in a check that is not looked at yet, below what all rows of a table
-- are: those that come while the migration runs too.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION first_bound(table_name text, key text, past bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = table_name::regclass) = 'r'
        AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = table_name::regclass AND conname = table_name || '_below') THEN
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%I < %s) NOT VALID', table_name, table_name || '_below', key, past);
    END IF;
END
$$;
-- +goose StatementEnd

-- bound_of reads the number in the check of first_bound.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION bound_of(table_name text) RETURNS bigint LANGUAGE sql AS $$
    SELECT (regexp_match(pg_get_constraintdef(oid), '(\d+)'))[1]::bigint FROM pg_constraint
    WHERE conrelid = to_regclass(table_name) AND conname = table_name || '_below'
$$;
-- +goose StatementEnd

-- add_partition makes a partition of one of these tables and puts it in its place. It runs
-- with the rights of whoever migrated, so that the exchange needs none to make tables.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION add_partition(table_name text, label text, lowest bigint, past bigint) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
    new_name text := table_name || '_' || label;
    item record;
BEGIN
    IF table_name NOT IN ('ledger_entries', 'accesses', 'dataset_uses', 'source_calls') THEN
        RAISE EXCEPTION 'add_partition: % is not partitioned', table_name;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', new_name, table_name);
    -- How full its pages are made, and the like, as in the partition before.
    FOR item IN SELECT unnest(c.reloptions) AS option FROM pg_class c WHERE c.oid = (
        SELECT i.inhrelid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid WHERE i.inhparent = table_name::regclass AND p.reloptions IS NOT NULL
        ORDER BY i.inhrelid DESC LIMIT 1) LOOP
        EXECUTE format('ALTER TABLE %I SET (%s)', new_name, item.option);
    END LOOP;
    IF table_name = 'source_calls' THEN -- what came before its partition
        EXECUTE format('WITH moved AS (DELETE FROM source_calls_other WHERE called_in >= %s AND called_in < %s RETURNING *) INSERT INTO %I SELECT * FROM moved',
            lowest, past, new_name);
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', table_name, new_name, lowest, past);
    -- A trigger for a statement is for the table that the statement names.
    FOR item IN SELECT t.tgname, t.tgenabled, replace(pg_get_triggerdef(t.oid), '.' || quote_ident(table_name) || ' ', '.' || quote_ident(new_name) || ' ') AS made_by
        FROM pg_trigger t WHERE t.tgrelid = table_name::regclass AND NOT t.tgisinternal LOOP
        EXECUTE item.made_by;
        IF item.tgenabled = 'A' THEN
            EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', new_name, item.tgname);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- drop_calls drops the partitions of source_calls that end before a moment, and says how
-- many. It does not wait for who reads them.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION drop_calls(before bigint) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '500ms' AS $$
DECLARE
    item record;
    n bigint := 0;
BEGIN
    FOR item IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'source_calls'::regclass
        AND (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''(\d+)''\)'))[1]::bigint <= before LOOP
        EXECUTE format('DROP TABLE %I', item.relname);
        n := n + 1;
    END LOOP;
    RETURN n;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    -- The first partition takes sixteen million more than there are.
    past bigint := ((SELECT COALESCE(MAX(id), 0) FROM ledger_entries) / 16777216 + 2) * 16777216;
    month bigint := (extract(epoch FROM date_trunc('month', greatest(now(), (SELECT to_timestamp(MAX(called_in) / 1000000) FROM source_calls))
        AT TIME ZONE 'UTC') + interval '2 months') * 1000000)::bigint;
BEGIN
    -- What an earlier run said stays said.
    past := COALESCE(bound_of('ledger_entries'), past);
    PERFORM first_bound('ledger_entries', 'id', past);
    PERFORM first_bound('accesses', 'entry_id', past);
    PERFORM first_bound('dataset_uses', 'entry_id', past);
    PERFORM first_bound('source_calls', 'called_in', month);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT conrelid::regclass AS table_name, conname FROM pg_constraint
        WHERE conname IN ('ledger_entries_below', 'accesses_below', 'dataset_uses_below', 'source_calls_below')
        AND NOT convalidated LOOP
        EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', item.table_name, item.conname);
    END LOOP;
END
$$;
-- +goose StatementEnd

SELECT take_partition('ledger_entries', 'id', 'MINVALUE', bound_of('ledger_entries'));
SELECT take_partition('accesses', 'entry_id', 'MINVALUE', bound_of('accesses'));
SELECT take_partition('dataset_uses', 'entry_id', 'MINVALUE', bound_of('dataset_uses'));
SELECT take_partition('source_calls', 'called_in', 'MINVALUE', bound_of('source_calls'));

-- Calls of a month whose partition is not there.
CREATE TABLE IF NOT EXISTS source_calls_other PARTITION OF source_calls DEFAULT;

DROP FUNCTION take_partition, first_bound, bound_of;
