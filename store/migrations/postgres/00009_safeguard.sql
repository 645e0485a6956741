-- Stops, quotas, what is counted, alarms, and failed logins. migrations/sqlite
-- holds the same.

-- +goose Up
CREATE TABLE stops (
    kind       TEXT   NOT NULL CHECK (kind IN ('system', 'grant', 'dataset', 'source')),
    id         TEXT   NOT NULL CHECK (id <> ''),
    reason     TEXT   NOT NULL CHECK (reason <> ''),
    put_by     TEXT   NOT NULL,
    department TEXT   NOT NULL,
    owner      TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE quotas (
    kind              TEXT   NOT NULL CHECK (kind IN ('grant', 'system', 'person', 'matter')),
    id                TEXT   NOT NULL CHECK (id <> ''),
    calls_per_hour    BIGINT NOT NULL CHECK (calls_per_hour >= 0),
    calls_per_day     BIGINT NOT NULL CHECK (calls_per_day >= 0),
    subjects_per_hour BIGINT NOT NULL CHECK (subjects_per_hour >= 0),
    subjects_per_day  BIGINT NOT NULL CHECK (subjects_per_day >= 0),
    PRIMARY KEY (kind, id)
);

CREATE TABLE usage_totals (
    kind     TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    span     TEXT   NOT NULL CHECK (span IN ('hour', 'day')),
    start_at BIGINT NOT NULL,
    calls    BIGINT NOT NULL,
    subjects BIGINT NOT NULL,
    outcomes BIGINT NOT NULL,
    unknown  BIGINT NOT NULL,
    PRIMARY KEY (kind, id, span, start_at)
);
CREATE INDEX usage_totals_by_start ON usage_totals (span, start_at);

-- Whom a meter has asked about in a window, by keyed digest.
CREATE TABLE usage_subjects (
    kind     TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    span     TEXT   NOT NULL,
    start_at BIGINT NOT NULL,
    subject  TEXT   NOT NULL,
    PRIMARY KEY (kind, id, span, start_at, subject)
);
CREATE INDEX usage_subjects_by_start ON usage_subjects (span, start_at);

CREATE TABLE alarms (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            TEXT   NOT NULL CHECK (kind IN ('quota_near', 'quota_exceeded', 'off_hours', 'fan_out', 'enumeration')),
    meter_kind      TEXT   NOT NULL,
    meter_id        TEXT   NOT NULL,
    department      TEXT   NOT NULL,
    span            TEXT   NOT NULL,
    start_at        BIGINT NOT NULL,
    times           BIGINT NOT NULL CHECK (times > 0),
    value           BIGINT NOT NULL,
    threshold       BIGINT NOT NULL,
    first_at        BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    acknowledged_at BIGINT,
    acknowledged_by TEXT   NOT NULL,
    UNIQUE (kind, meter_kind, meter_id, span, start_at),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by = ''))
);
CREATE INDEX alarms_by_department ON alarms (department, id);

-- Failed authentications, by minute. What a caller claimed to be is a digest.
CREATE TABLE login_failures (
    kind     TEXT   NOT NULL CHECK (kind IN ('address', 'client')),
    digest   TEXT   NOT NULL,
    start_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    PRIMARY KEY (kind, digest, start_at)
);
CREATE INDEX login_failures_by_start ON login_failures (start_at);
