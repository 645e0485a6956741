-- The roles of an exchange, with the least rights. Run it as a superuser in the
-- database of the exchange before the first `mianti migrate`, and again after each
-- migration and each restore; it can be run as often as one likes:
--
--     psql -d mianti -f roles.sql
--     \password mianti_owner      (and so for the others: psql sends no password in clear)
--
-- mianti_owner   migrates, backs up and restores. Nobody else may change the schema.
-- mianti_app     is what mianti serve and the other commands run as: it adds to the
--                ledger, and can neither change nor delete what is in it.
-- mianti_reader  reads, for reports and a replica; it sees no wrapped key.

DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['mianti_owner', 'mianti_app', 'mianti_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', name);
        END IF;
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO mianti_owner, mianti_app, mianti_reader', current_database());
END
$$;

ALTER SCHEMA public OWNER TO mianti_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO mianti_app, mianti_reader;

-- What an earlier run, or a restore, made as somebody else.
DO $$
DECLARE thing RECORD;
BEGIN
    FOR thing IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND r.rolname <> 'mianti_owner' LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO mianti_owner', thing.name);
    END LOOP;
    FOR thing IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
        WHERE p.pronamespace = 'public'::regnamespace AND r.rolname <> 'mianti_owner' LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO mianti_owner', thing.name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO mianti_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO mianti_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO mianti_reader;
-- What the exchange itself has made later, such as a partition of the ledger, it may
-- read and add to; the rest of the rights of a new table come with the next run.
ALTER DEFAULT PRIVILEGES FOR ROLE mianti_owner IN SCHEMA public REVOKE ALL ON TABLES FROM mianti_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mianti_owner IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO mianti_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mianti_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO mianti_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mianti_owner IN SCHEMA public GRANT SELECT ON TABLES TO mianti_reader;

-- Some functions run with the rights of the owner.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO mianti_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mianti_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE mianti_owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO mianti_app;

-- The ledger only grows, and the schema is the owner's. Partitions have rights of
-- their own, so those of the ledger are named by their beginning.
DO $$
DECLARE thing RECORD;
BEGIN
    FOR thing IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND (c.relname ~ '^ledger_(entries|leaves|nodes|checkpoints|keys)' OR c.relname IN ('goose_db_version', 'schema_compatibility')) LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM mianti_app', thing.name);
    END LOOP;
    FOR thing IN SELECT c.oid::regclass AS name, c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
        AND c.relname IN ('goose_db_version', 'schema_compatibility', 'secrets', 'case_keys', 'batch_keys', 'sessions') LOOP
        IF thing.relname IN ('goose_db_version', 'schema_compatibility') THEN
            EXECUTE format('REVOKE INSERT ON %s FROM mianti_app', thing.name);
        ELSE
            EXECUTE format('REVOKE ALL ON %s FROM mianti_reader', thing.name);
        END IF;
        -- What was destroyed is cleaned out of the files at once where the server lets
        -- somebody else than the owner do so; before PostgreSQL 17 autovacuum does it.
        IF thing.relname IN ('case_keys', 'batch_keys') AND current_setting('server_version_num')::int >= 170000 THEN
            EXECUTE format('GRANT MAINTAIN ON %s TO mianti_app', thing.name);
        END IF;
    END LOOP;
END
$$;
-- Sessions that stand still hold locks; the program's own statements are short.
ALTER ROLE mianti_app SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE mianti_app SET lock_timeout = '10s';
ALTER ROLE mianti_reader SET default_transaction_read_only = on;
