-- The credentials of systems, and tokens that were revoked. migrations/sqlite
-- holds the same.

-- +goose Up
CREATE TABLE system_credentials (
    id         TEXT   PRIMARY KEY CHECK (id <> ''),
    system     TEXT   NOT NULL REFERENCES systems (id),
    kind       TEXT   NOT NULL CHECK (kind IN ('secret', 'jwk')),
    key_id     TEXT   NOT NULL,
    content    TEXT   NOT NULL CHECK (content <> ''),
    not_before BIGINT NOT NULL,
    not_after  BIGINT,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);
CREATE INDEX system_credentials_by_system ON system_credentials (system, created_at, id);

-- A system had one secret, and its keys as one JSON Web Key Set.
INSERT INTO system_credentials
SELECT id || '.secret', id, 'secret', '', secret_hash, created_at, NULL, NULL, created_at, 'operator@machine'
FROM systems WHERE secret_hash <> '';
INSERT INTO system_credentials
SELECT s.id || '.key-' || k.n, s.id, 'jwk', COALESCE(k.value ->> 'kid', ''), k.value::text,
    s.created_at, NULL, NULL, s.created_at, 'operator@machine'
FROM systems s, json_array_elements(CASE s.jwks WHEN '' THEN '[]'::json ELSE s.jwks::json -> 'keys' END) WITH ORDINALITY AS k (value, n);
ALTER TABLE systems DROP COLUMN secret_hash;
ALTER TABLE systems DROP COLUMN jwks;

-- What the tokens of a system must be bound to.
ALTER TABLE systems ADD COLUMN requires TEXT NOT NULL DEFAULT '' CHECK (requires IN ('', 'dpop', 'mtls'));

-- A token is kept here until it would have ended by itself.
CREATE TABLE revoked_tokens (
    jti        TEXT   PRIMARY KEY CHECK (jti <> ''),
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);
