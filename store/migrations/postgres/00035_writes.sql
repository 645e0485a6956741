-- What is written with every resolution (写入路径). migrations/sqlite has a file of
-- this number that changes nothing.

-- +goose Up

-- An access is written when its entry is, and gets its place and its link a second
-- later: with room on its page, that touches no index.
ALTER TABLE accesses SET (fillfactor = 60);
ALTER TABLE usage_totals SET (fillfactor = 50);

-- Everybody who stored a resolution locked the one row of the current revision, or of
-- the case that the resolution refers to anyway. Revisions are never deleted, and an
-- input's resolution is of its case.
ALTER TABLE resolutions DROP CONSTRAINT resolutions_revision_fkey;
ALTER TABLE resolution_inputs DROP CONSTRAINT resolution_inputs_case_id_fkey;
