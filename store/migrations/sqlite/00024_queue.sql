-- The queue of a department (收件台): where each case stands, papers that may
-- follow later, and what each person did, all without opening what is sealed.
-- migrations/postgres holds the same.

-- +goose Up
ALTER TABLE cases ADD COLUMN state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'waiting', 'needs_input', 'done', 'closed'));
-- The newest resolution, and how many of its materials are settled, being checked,
-- and to be submitted; null where it was made before they were counted.
ALTER TABLE cases ADD COLUMN resolution_id TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN settled BIGINT;
ALTER TABLE cases ADD COLUMN checking BIGINT;
ALTER TABLE cases ADD COLUMN to_submit BIGINT;

UPDATE cases SET
    resolution_id = COALESCE((SELECT id FROM resolutions WHERE case_id = cases.id ORDER BY seq DESC LIMIT 1), ''),
    state = CASE WHEN closed_at IS NOT NULL THEN 'closed' ELSE COALESCE((SELECT CASE status
        WHEN 'pending' THEN 'waiting' WHEN 'complete' THEN 'done' ELSE status END
        FROM resolutions WHERE case_id = cases.id ORDER BY seq DESC LIMIT 1), 'new') END;

CREATE INDEX cases_by_opening ON cases (department, created_at, id);
CREATE INDEX cases_by_state ON cases (department, state, created_at, id);
CREATE INDEX cases_by_subject ON cases (department, subject, created_at, id);
CREATE INDEX cases_open ON cases (department, created_at, id) WHERE closed_at IS NULL;
CREATE INDEX cases_open_by_subject ON cases (department, subject, created_at, id) WHERE closed_at IS NULL;

-- Papers that may follow later (容缺后补), of cases that are open: from the first
-- resolution that said so until one does not.
CREATE TABLE follow_ups (
    case_id    TEXT   NOT NULL REFERENCES cases (id),
    material   TEXT   NOT NULL,
    party      TEXT   NOT NULL,
    department TEXT   NOT NULL,
    since      BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    PRIMARY KEY (case_id, material, party)
);
CREATE INDEX follow_ups_by_department ON follow_ups (department, due_at, case_id, material, party);

CREATE INDEX assist_tasks_by_receiver ON assist_tasks (receiver, state, due_at, id);

-- Who did what in person, by his opaque identifier: how he finds his own acts. It
-- is no part of the ledger.
CREATE TABLE acts (
    person   TEXT   NOT NULL CHECK (person <> ''),
    entry_id BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    ask      TEXT   NOT NULL,
    PRIMARY KEY (person, entry_id)
);
CREATE INDEX acts_outcomes ON acts (ask) WHERE kind = 'outcome' AND ask <> '';
INSERT INTO acts (person, entry_id, kind, ask)
    SELECT json_extract(body, '$.person'), id, kind, COALESCE(json_extract(body, '$.ask'), '') FROM ledger_entries WHERE body LIKE '%"person":"_%';
