-- Notice of changes (变更通知): what nodes hold in memory of the database, and
-- when it last changed. docs/decisions/0036-notice-of-changes.md.
-- Besides: the sets of grants that resolutions were made from, each once.
-- +goose Up
CREATE TABLE grant_sets (
    digest TEXT PRIMARY KEY CHECK (digest <> ''), -- of the body
    body   TEXT NOT NULL -- JSON; of nobody in person, so that it stays when a case is destroyed
);

CREATE TABLE notices (
    topic  TEXT   NOT NULL, -- '' is the counter
    item   TEXT   NOT NULL, -- what of the topic has changed; '' for all of it
    serial BIGINT NOT NULL, -- of the change; the counter's is the last one
    tx     BIGINT NOT NULL DEFAULT 0, -- that has counted last, for the counter
    PRIMARY KEY (topic, item)
);
CREATE INDEX notices_by_serial ON notices (serial);
INSERT INTO notices (topic, item, serial) VALUES ('', '', 1);

-- note_change counts once for each transaction, however many rows it changes. It
-- runs when the transaction commits: the counter is the last thing that is locked,
-- so that nobody waits in a ring, and serials are in the order of the commits.
-- +goose StatementBegin
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last    BIGINT;
    changed TEXT;
BEGIN
    UPDATE notices SET serial = serial + 1, tx = txid_current() WHERE topic = '' AND tx <> txid_current();
    SELECT serial INTO last FROM notices WHERE topic = '';
    FOR changed IN
        SELECT DISTINCT COALESCE(one ->> TG_ARGV[1], '') FROM unnest(ARRAY[to_jsonb(OLD), to_jsonb(NEW)]) AS one WHERE one IS NOT NULL
    LOOP
        INSERT INTO notices (topic, item, serial) VALUES (TG_ARGV[0], changed, last)
            ON CONFLICT (topic, item) DO UPDATE SET serial = EXCLUDED.serial WHERE notices.serial <> EXCLUDED.serial;
    END LOOP;
    PERFORM pg_notify('mianti_notices', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- A revoked token that has ended by itself is no news.
-- +goose StatementBegin
CREATE FUNCTION forget_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM notices WHERE topic = 'tokens' AND item = OLD.jti;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER grants_noted AFTER INSERT OR UPDATE OR DELETE ON grants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_change('grants', 'matter');
CREATE CONSTRAINT TRIGGER stops_noted AFTER INSERT OR UPDATE OR DELETE ON stops
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_change('stops', '');
CREATE CONSTRAINT TRIGGER quotas_noted AFTER INSERT OR UPDATE OR DELETE ON quotas
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_change('quotas', '');
CREATE CONSTRAINT TRIGGER systems_noted AFTER INSERT OR UPDATE OR DELETE ON systems
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_change('systems', 'id');
CREATE CONSTRAINT TRIGGER credentials_noted AFTER INSERT OR UPDATE OR DELETE ON system_credentials
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_change('systems', 'system');
CREATE CONSTRAINT TRIGGER revoked_tokens_noted AFTER INSERT OR UPDATE ON revoked_tokens
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_change('tokens', 'jti');
CREATE TRIGGER revoked_tokens_forgotten AFTER DELETE ON revoked_tokens
    FOR EACH ROW EXECUTE FUNCTION forget_notice();
CREATE CONSTRAINT TRIGGER catalog_revisions_noted AFTER INSERT OR UPDATE OR DELETE ON catalog_revisions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_change('catalogs', '');
CREATE CONSTRAINT TRIGGER corrected_fields_noted AFTER INSERT OR UPDATE OR DELETE ON corrected_fields
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_change('corrections', '');
