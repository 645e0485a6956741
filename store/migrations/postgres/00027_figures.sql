-- What leaders and departments count: materials and cases by day, and the uses
-- of datasets. None of it is about anybody. migrations/sqlite holds the same.

-- +goose Up

-- A day is that of Asia/Shanghai on which the purpose of the case was done. A
-- case is counted once: counted_at says that it was.
CREATE TABLE material_counts (
    day        TEXT   NOT NULL,
    department TEXT   NOT NULL,
    matter     TEXT   NOT NULL,
    one_thing  TEXT   NOT NULL,
    material   TEXT   NOT NULL,
    way        TEXT   NOT NULL CHECK (way IN ('exempt', 'committed', 'chosen', 'upload', 'later', 'unsettled', 'not_applicable')),
    mode       TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    n          BIGINT NOT NULL CHECK (n > 0),
    PRIMARY KEY (day, department, matter, one_thing, material, way, mode, reason)
);
CREATE INDEX material_counts_by_department ON material_counts (department, day);

CREATE TABLE case_counts (
    day        TEXT   NOT NULL,
    department TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    finished   BIGINT NOT NULL CHECK (finished >= 0),
    at_once    BIGINT NOT NULL CHECK (at_once >= 0 AND at_once <= finished),
    withdrawn  BIGINT NOT NULL CHECK (withdrawn >= 0),
    PRIMARY KEY (day, department, subject)
);

ALTER TABLE case_keys ADD COLUMN counted_at BIGINT;
CREATE INDEX case_keys_uncounted ON case_keys (done_at, case_id) WHERE counted_at IS NULL AND done_at IS NOT NULL;

-- An index over the sealed log: the look-ups in a dataset that were answered,
-- and those that were denied. It says nothing that the entry does not say.
CREATE TABLE dataset_uses (
    entry_id   BIGINT PRIMARY KEY,
    dataset    TEXT   NOT NULL CHECK (dataset <> ''),
    at         BIGINT NOT NULL,
    department TEXT   NOT NULL,
    matter     TEXT   NOT NULL,
    material   TEXT   NOT NULL,
    result     TEXT   NOT NULL,
    case_id    TEXT   NOT NULL,
    grant_id   TEXT   NOT NULL
);
CREATE INDEX dataset_uses_by_dataset ON dataset_uses (dataset, at, entry_id);

CREATE TABLE dataset_use_counts (
    dataset    TEXT   NOT NULL,
    day        TEXT   NOT NULL,
    department TEXT   NOT NULL,
    matter     TEXT   NOT NULL,
    result     TEXT   NOT NULL,
    n          BIGINT NOT NULL CHECK (n > 0),
    PRIMARY KEY (dataset, day, department, matter, result)
);

-- The calls to sources by day, probes apart. took is the upper bound, in
-- milliseconds, of the class in which the time until the answer lies; -1 for a call
-- that did not come back, -2 for a question that was not put.
CREATE TABLE source_call_counts (
    day        TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    dataset    TEXT   NOT NULL,
    department TEXT   NOT NULL,
    result     TEXT   NOT NULL,
    took       BIGINT NOT NULL CHECK (took >= -2),
    n          BIGINT NOT NULL CHECK (n > 0),
    newest     BIGINT NOT NULL,
    PRIMARY KEY (day, source, dataset, department, result, took)
);

-- What was sealed before there was this index.
INSERT INTO dataset_uses (entry_id, dataset, at, department, matter, material, result, case_id, grant_id)
SELECT e.id, e.body::jsonb ->> 'dataset', e.at, e.body::jsonb ->> 'department', COALESCE(e.body::jsonb ->> 'matter', ''),
    COALESCE(e.body::jsonb ->> 'material', ''), CASE e.kind WHEN 'denied' THEN 'denied' ELSE COALESCE(e.body::jsonb ->> 'result', '') END,
    e.case_id, COALESCE(e.body::jsonb ->> 'grant', '')
FROM ledger_entries e JOIN ledger_leaves l ON l.entry_id = e.id
WHERE e.kind IN ('outcome', 'denied') AND COALESCE(e.body::jsonb ->> 'dataset', '') <> '';
INSERT INTO dataset_use_counts (dataset, day, department, matter, result, n)
SELECT dataset, to_char(to_timestamp(at / 1000000 + 28800) AT TIME ZONE 'UTC', 'YYYY-MM-DD'), department, matter, result, COUNT(*)
FROM dataset_uses GROUP BY 1, 2, 3, 4, 5;
