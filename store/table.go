package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// tableOf is a question to one table, or a change of it, whose rows are of type T.
// It has what this package uses of GORM's generic interface, which costs the
// compiler more than a second for each type of row.
type tableOf[T any] struct{ db *gorm.DB }

// table begins a question or a change. What db was narrowed to before does not
// count.
func table[T any](db *gorm.DB, clauses ...clause.Expression) tableOf[T] {
	return tableOf[T]{db.Session(&gorm.Session{NewDB: true}).Clauses(clauses...)}
}

func (t tableOf[T]) Where(condition string, args ...any) tableOf[T] {
	return tableOf[T]{t.db.Where(condition, args...)}
}

func (t tableOf[T]) Order(by string) tableOf[T] { return tableOf[T]{t.db.Order(by)} }
func (t tableOf[T]) Limit(n int) tableOf[T]     { return tableOf[T]{t.db.Limit(n)} }

// Select names the columns: those that are read, or those that are written.
func (t tableOf[T]) Select(columns string, more ...any) tableOf[T] {
	return tableOf[T]{t.db.Select(columns, more...)}
}

// Take gives one row; gorm.ErrRecordNotFound for none.
func (t tableOf[T]) Take(ctx context.Context) (T, error) {
	var row T
	err := t.db.WithContext(ctx).Take(&row).Error
	return row, err
}

// Find gives all rows; no row is no error.
func (t tableOf[T]) Find(ctx context.Context) ([]T, error) {
	var rows []T
	err := t.db.WithContext(ctx).Find(&rows).Error
	return rows, err
}

// Scan reads rows into what to points to, such as a slice of one column.
func (t tableOf[T]) Scan(ctx context.Context, to any) error {
	return t.db.WithContext(ctx).Model(new(T)).Find(to).Error
}

func (t tableOf[T]) Count(ctx context.Context, column string) (int64, error) {
	var n int64
	err := t.db.WithContext(ctx).Model(new(T)).Select(column).Count(&n).Error
	return n, err
}

func (t tableOf[T]) Create(ctx context.Context, row *T) error {
	return t.db.WithContext(ctx).Create(row).Error
}

func (t tableOf[T]) CreateInBatches(ctx context.Context, rows *[]T, size int) error {
	return t.db.WithContext(ctx).CreateInBatches(rows, size).Error
}

// Update sets one column, and gives the number of rows that it was set in.
func (t tableOf[T]) Update(ctx context.Context, column string, value any) (int, error) {
	done := t.db.WithContext(ctx).Model(new(T)).Update(column, value)
	return int(done.RowsAffected), done.Error
}

// Updates sets the columns that are not zero, or those that Select names.
func (t tableOf[T]) Updates(ctx context.Context, row T) (int, error) {
	done := t.db.WithContext(ctx).Updates(row)
	return int(done.RowsAffected), done.Error
}

// Set sets columns by expressions.
func (t tableOf[T]) Set(ctx context.Context, assignments clause.Set) (int, error) {
	done := t.db.WithContext(ctx).Model(new(T)).Clauses(assignments).Updates(map[string]any{})
	return int(done.RowsAffected), done.Error
}

func (t tableOf[T]) Delete(ctx context.Context) (int, error) {
	done := t.db.WithContext(ctx).Delete(new(T))
	return int(done.RowsAffected), done.Error
}
