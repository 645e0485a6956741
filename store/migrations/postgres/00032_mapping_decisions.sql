-- What policy staff said of the names of materials (映射决定). migrations/sqlite holds the same.

-- +goose Up

-- One row for each name and candidate: what was said last. name_key is the name as names
-- are compared.
CREATE TABLE mapping_decisions (
    name_key   TEXT    NOT NULL CHECK (name_key <> ''),
    kind       TEXT    NOT NULL CHECK (kind IN ('standard_material', 'common_material', 'dataset')),
    code       TEXT    NOT NULL CHECK (code <> ''),
    name       TEXT    NOT NULL CHECK (name <> ''),
    accepted   BOOLEAN NOT NULL,
    department TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    at         BIGINT  NOT NULL,
    PRIMARY KEY (name_key, kind, code)
);
CREATE INDEX mapping_decisions_by_time ON mapping_decisions (at, name_key, kind, code);
