-- What is written with every resolution (写入路径): nothing to change here. What
-- migrations/postgres changes are locks and pages, which SQLite does not have.

-- +goose Up
SELECT 1;
