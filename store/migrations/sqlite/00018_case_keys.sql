-- The keys of cases, apart from what they encrypt, so that they can be destroyed,
-- and kept out of backups. migrations/postgres holds the same.

-- +goose Up

-- Both keys are wrapped under the key-encryption key kek. payload_key opens what is
-- kept of the case, salt keys its digests in the ledger; each is null once it was
-- destroyed. done_at is when the purpose of the case was done. A case without a row
-- is from before this table, and lies in clear until its row is made.
CREATE TABLE case_keys (
    case_id           TEXT   PRIMARY KEY REFERENCES cases (id),
    kek               TEXT   NOT NULL,
    payload_key       BLOB,
    salt              BLOB,
    created_at        BIGINT NOT NULL,
    done_at           BIGINT,
    destroyed_at      BIGINT,
    destroyed_for     TEXT   NOT NULL DEFAULT '' CHECK (destroyed_for IN ('', 'purpose_done', 'term_ended')),
    salt_destroyed_at BIGINT,
    CHECK ((destroyed_at IS NULL) = (payload_key IS NOT NULL)),
    CHECK ((destroyed_at IS NULL) = (destroyed_for = '')),
    CHECK ((salt_destroyed_at IS NULL) = (salt IS NOT NULL)),
    CHECK (salt_destroyed_at IS NULL OR destroyed_at IS NOT NULL)
);
CREATE INDEX case_keys_done ON case_keys (done_at, case_id) WHERE destroyed_at IS NULL AND done_at IS NOT NULL;
CREATE INDEX case_keys_open ON case_keys (created_at, case_id) WHERE destroyed_at IS NULL AND done_at IS NULL;
CREATE INDEX case_keys_salt ON case_keys (destroyed_at, case_id) WHERE destroyed_at IS NOT NULL AND salt_destroyed_at IS NULL;
CREATE INDEX case_keys_by_kek ON case_keys (kek) WHERE salt_destroyed_at IS NULL;

-- What remains of a resolution, in clear, once its content was destroyed.
ALTER TABLE resolutions ADD COLUMN outline TEXT NOT NULL DEFAULT '';
ALTER TABLE resolution_versions ADD COLUMN outline TEXT NOT NULL DEFAULT '';
