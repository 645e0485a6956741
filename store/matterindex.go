package store

import (
	"context"
	"strings"

	"mianti/catalog"
)

// FindMatters gives the codes of the matters of a revision that a query chooses, sorted
// as text; at most Limit of those after a code. It reads no file, so that it serves
// catalogs of any size; a text inside a name is looked for in all of them.
func (s *Store) FindMatters(ctx context.Context, number int, q catalog.MatterQuery) ([]string, error) {
	query := table[matterRow](s.db).Select("code").Where("code > ? AND since <= ? AND (until = 0 OR until > ?)", q.After, number, number)
	if q.Department != "" {
		query = query.Where("department = ?", q.Department)
	}
	if q.Text != "" {
		like := "%" + escapeLike.Replace(strings.ToLower(q.Text)) + "%"
		query = query.Where(`LOWER(code) LIKE ? ESCAPE '\' OR LOWER(name) LIKE ? ESCAPE '\' OR local LIKE ? ESCAPE '\'`, like, like, like)
	}
	var codes []string
	err := query.Order("code").Limit(q.Limit).Scan(ctx, &codes)
	return codes, translate(err, "find matters", things{})
}

// escapeLike takes its meaning from what LIKE gives one.
var escapeLike = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)
