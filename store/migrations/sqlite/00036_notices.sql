-- Notice of changes (变更通知): what a process holds in memory of the database, and
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
    tx     BIGINT NOT NULL DEFAULT 0, -- used on PostgreSQL
    PRIMARY KEY (topic, item)
);
CREATE INDEX notices_by_serial ON notices (serial);
INSERT INTO notices (topic, item, serial) VALUES ('', '', 1);

-- A trigger writes nothing but this view, which counts once for each row.
CREATE VIEW noted AS SELECT topic, item FROM notices;
-- +goose StatementBegin
CREATE TRIGGER note_change INSTEAD OF INSERT ON noted
BEGIN
    UPDATE notices SET serial = serial + 1 WHERE topic = '' AND item = '';
    INSERT INTO notices (topic, item, serial) SELECT NEW.topic, NEW.item, serial FROM notices WHERE topic = '' AND item = ''
        ON CONFLICT (topic, item) DO UPDATE SET serial = excluded.serial;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER grants_noted_insert AFTER INSERT ON grants
BEGIN
    INSERT INTO noted (topic, item) VALUES ('grants', NEW.matter);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER grants_noted_update AFTER UPDATE ON grants
BEGIN
    INSERT INTO noted (topic, item) VALUES ('grants', OLD.matter);
    INSERT INTO noted (topic, item) VALUES ('grants', NEW.matter);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER grants_noted_delete AFTER DELETE ON grants
BEGIN
    INSERT INTO noted (topic, item) VALUES ('grants', OLD.matter);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER stops_noted_insert AFTER INSERT ON stops
BEGIN
    INSERT INTO noted (topic, item) VALUES ('stops', '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stops_noted_update AFTER UPDATE ON stops
BEGIN
    INSERT INTO noted (topic, item) VALUES ('stops', '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stops_noted_delete AFTER DELETE ON stops
BEGIN
    INSERT INTO noted (topic, item) VALUES ('stops', '');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER quotas_noted_insert AFTER INSERT ON quotas
BEGIN
    INSERT INTO noted (topic, item) VALUES ('quotas', '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER quotas_noted_update AFTER UPDATE ON quotas
BEGIN
    INSERT INTO noted (topic, item) VALUES ('quotas', '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER quotas_noted_delete AFTER DELETE ON quotas
BEGIN
    INSERT INTO noted (topic, item) VALUES ('quotas', '');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER systems_noted_insert AFTER INSERT ON systems
BEGIN
    INSERT INTO noted (topic, item) VALUES ('systems', NEW.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER systems_noted_update AFTER UPDATE ON systems
BEGIN
    INSERT INTO noted (topic, item) VALUES ('systems', OLD.id);
    INSERT INTO noted (topic, item) VALUES ('systems', NEW.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER systems_noted_delete AFTER DELETE ON systems
BEGIN
    INSERT INTO noted (topic, item) VALUES ('systems', OLD.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER system_credentials_noted_insert AFTER INSERT ON system_credentials
BEGIN
    INSERT INTO noted (topic, item) VALUES ('systems', NEW.system);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER system_credentials_noted_update AFTER UPDATE ON system_credentials
BEGIN
    INSERT INTO noted (topic, item) VALUES ('systems', OLD.system);
    INSERT INTO noted (topic, item) VALUES ('systems', NEW.system);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER system_credentials_noted_delete AFTER DELETE ON system_credentials
BEGIN
    INSERT INTO noted (topic, item) VALUES ('systems', OLD.system);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER revoked_tokens_noted_insert AFTER INSERT ON revoked_tokens
BEGIN
    INSERT INTO noted (topic, item) VALUES ('tokens', NEW.jti);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER revoked_tokens_noted_update AFTER UPDATE ON revoked_tokens
BEGIN
    INSERT INTO noted (topic, item) VALUES ('tokens', OLD.jti);
    INSERT INTO noted (topic, item) VALUES ('tokens', NEW.jti);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_revisions_noted_insert AFTER INSERT ON catalog_revisions
BEGIN
    INSERT INTO noted (topic, item) VALUES ('catalogs', '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalog_revisions_noted_update AFTER UPDATE ON catalog_revisions
BEGIN
    INSERT INTO noted (topic, item) VALUES ('catalogs', '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalog_revisions_noted_delete AFTER DELETE ON catalog_revisions
BEGIN
    INSERT INTO noted (topic, item) VALUES ('catalogs', '');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER corrected_fields_noted_insert AFTER INSERT ON corrected_fields
BEGIN
    INSERT INTO noted (topic, item) VALUES ('corrections', '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER corrected_fields_noted_update AFTER UPDATE ON corrected_fields
BEGIN
    INSERT INTO noted (topic, item) VALUES ('corrections', '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER corrected_fields_noted_delete AFTER DELETE ON corrected_fields
BEGIN
    INSERT INTO noted (topic, item) VALUES ('corrections', '');
END;
-- +goose StatementEnd

-- A revoked token that has ended by itself is no news.
-- +goose StatementBegin
CREATE TRIGGER revoked_tokens_forgotten AFTER DELETE ON revoked_tokens
BEGIN
    DELETE FROM notices WHERE topic = 'tokens' AND item = OLD.jti;
END;
-- +goose StatementEnd
