-- Secrets, each under a key-encryption key that is not in the database.
-- migrations/postgres holds the same.

-- +goose Up
CREATE TABLE secrets (
    purpose    TEXT   NOT NULL CHECK (purpose <> ''),
    number     BIGINT NOT NULL CHECK (number > 0),
    kek        TEXT   NOT NULL CHECK (kek <> ''),
    wrapped    BLOB   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (purpose, number)
);
