package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// A rowset (行集) is rows as values of a statement, column by column. PostgreSQL gets
// each column as one array: the text of the statement is the same for any number of
// rows, so that it is parsed once, and an insert of many rows costs a tenth of as
// many inserts (BenchmarkRowset). SQLite gets a list of values.

// column is one of a rowset. Its values are in array, of PostgreSQL's type kind.
type column struct {
	name, kind string
	array      any
	at         func(i int) any
	n          int
}

func texts(name string, values []string) column {
	return column{name: name, kind: "text", array: values, n: len(values), at: func(i int) any { return values[i] }}
}

func ints[T ~int64](name string, values []T) column {
	plain := make([]int64, len(values))
	for i, v := range values {
		plain[i] = int64(v)
	}
	return column{name: name, kind: "bigint", array: plain, n: len(values), at: func(i int) any { return plain[i] }}
}

// maybeInts are ints of which some may be null.
func maybeInts(name string, values []*int64) column {
	return column{name: name, kind: "bigint", array: values, n: len(values), at: func(i int) any { return values[i] }}
}

// blobs are bytes.
func blobs(name string, values [][]byte) column {
	return column{name: name, kind: "bytea", array: values, n: len(values), at: func(i int) any { return values[i] }}
}

// rowset gives the head of a statement, in which the rows are the table v, and the
// arguments for it. All columns MUST be of one length.
func (s *Store) rowset(columns ...column) (with string, args []any) {
	list := columnNames(columns)
	if s.dialect == dialectPostgres {
		arrays := make([]string, len(columns))
		for i, c := range columns {
			arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, c.kind)
			args = append(args, c.array)
		}
		return "WITH v AS (SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ") AS u (" + list + ")) ", args
	}
	for row := range columns[0].n {
		for _, c := range columns {
			args = append(args, c.at(row))
		}
	}
	return "WITH v (" + list + ") AS (VALUES " + placeholders(columns[0].n, len(columns)) + ") ", args
}

// insertAll inserts a row of a table for each row of the rowset, whose columns have
// the names of the table's. more ends the statement.
func (s *Store) insertAll(ctx context.Context, tx *gorm.DB, into, more string, columns ...column) error {
	list := columnNames(columns)
	return s.exec(ctx, tx, "INSERT INTO "+into+" ("+list+") SELECT "+list+" FROM v WHERE true "+more, columns...)
}

func columnNames(columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// sqliteArguments is how many arguments a statement of SQLite has at most.
const sqliteArguments = 32766

// eachPart runs a statement for parts of a rowset that are not too long for it.
func (s *Store) eachPart(columns []column, do func([]column) error) error {
	rows, most := columns[0].n, columns[0].n
	if s.dialect != dialectPostgres {
		most = sqliteArguments / len(columns)
	}
	if rows <= most {
		if rows == 0 {
			return nil
		}
		return do(columns)
	}
	for from := 0; from < rows; from += most {
		part := make([]column, len(columns))
		for i, c := range columns {
			at := c.at
			part[i] = column{name: c.name, kind: c.kind, n: min(most, rows-from), at: func(i int) any { return at(from + i) }}
		}
		if err := do(part); err != nil {
			return err
		}
	}
	return nil
}

// plainly gives the connection of a transaction without the store of prepared
// statements, which would keep one for each number of rows. The driver of PostgreSQL
// has its own.
func plainly(tx *gorm.DB) gorm.ConnPool {
	if prepared, is := tx.Statement.ConnPool.(*gorm.PreparedStmtTX); is {
		return prepared.Tx
	}
	return tx.Statement.ConnPool
}

// exec runs a statement over a rowset.
func (s *Store) exec(ctx context.Context, tx *gorm.DB, statement string, columns ...column) error {
	return s.eachPart(columns, func(part []column) error {
		with, args := s.rowset(part...)
		_, err := plainly(tx).ExecContext(ctx, with+statement, args...)
		return err
	})
}

// query reads the rows of a statement over a rowset.
func (s *Store) query(ctx context.Context, tx *gorm.DB, statement string, row func(rows *sql.Rows) error, columns ...column) error {
	with, args := s.rowset(columns...)
	return each(ctx, tx, with+statement, args, row)
}

// each reads the rows of a statement.
func each(ctx context.Context, tx *gorm.DB, statement string, args []any, row func(rows *sql.Rows) error) error {
	rows, err := plainly(tx).QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := row(rows); err != nil {
			return closing(rows, err)
		}
	}
	return closing(rows, rows.Err())
}

// among is the condition that a number is one of these, of which there MUST be one. It
// names the least and the most, so that PostgreSQL looks in no other partition.
func (s *Store) among(column string, ids []int64) (where string, args []any) {
	least, most := spanOf(ids)
	if s.dialect == dialectPostgres {
		return fmt.Sprintf("%[1]s >= $1 AND %[1]s <= $2 AND %[1]s = ANY($3)", column), []any{least, most, ids}
	}
	args = []any{least, most}
	for _, id := range ids {
		args = append(args, id)
	}
	return fmt.Sprintf("%[1]s >= ? AND %[1]s <= ? AND %[1]s IN %[2]s", column, placeholders(1, len(ids))), args
}
