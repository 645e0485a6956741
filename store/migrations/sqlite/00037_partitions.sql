-- SQLite knows no partitions: migrations/postgres alone changes anything.

-- +goose Up
SELECT 1;
