-- The few resolutions that go on by themselves, among all of a case.
-- migrations/postgres holds the same.

-- +goose Up
CREATE INDEX resolutions_going_on ON resolutions (case_id) WHERE retry_at IS NOT NULL;
