-- What persons were asked and have said of look-ups about them. migrations/sqlite
-- holds the same.

-- +goose Up

-- seq counts the consents of a case. about and subject are keyed digests: of whose
-- records it is about, and of who consents; empty for a party without a number.
CREATE TABLE consents (
    id           TEXT   PRIMARY KEY CHECK (id <> ''),
    case_id      TEXT   NOT NULL REFERENCES cases (id),
    seq          BIGINT NOT NULL CHECK (seq > 0),
    party        TEXT   NOT NULL,
    by_party     TEXT   NOT NULL,
    about        TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('requested', 'given', 'refused', 'withdrawn', 'expired', 'superseded')),
    channel      TEXT   NOT NULL CHECK (channel IN ('own', 'relayed')),
    requested_at BIGINT NOT NULL,
    body         TEXT   NOT NULL,
    UNIQUE (case_id, seq)
);
CREATE UNIQUE INDEX consents_requested ON consents (case_id, party, by_party) WHERE state = 'requested';
CREATE INDEX consents_by_subject ON consents (subject, requested_at, id);
