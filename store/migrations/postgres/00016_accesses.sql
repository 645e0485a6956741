-- Whom the entries of the ledger are about, by keyed digest: how a person finds
-- them. It is no part of the ledger, and is dropped when the term is over.
-- migrations/sqlite holds the same.

-- +goose Up

-- nth and link are given when the entry is sealed: see docs/decisions/0016-keys-and-accesses.md.
CREATE TABLE accesses (
    entry_id BIGINT NOT NULL,
    subject  TEXT   NOT NULL CHECK (subject <> ''),
    case_id  TEXT   NOT NULL,
    nth      BIGINT,
    link     TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (subject, entry_id)
);
CREATE INDEX accesses_by_entry ON accesses (entry_id);

-- key makes a person's links; count is how many there are.
CREATE TABLE access_heads (
    subject TEXT   PRIMARY KEY CHECK (subject <> ''),
    key     BYTEA  NOT NULL,
    count   BIGINT NOT NULL CHECK (count >= 0)
);
