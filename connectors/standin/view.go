package standin

import (
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"mianti/catalog"
)

// rows are the records of the number that was bound, whatever the name.
func (s *session) rows(p *portal, b behaviour) ([][][]byte, error) {
	server := s.database.server
	var subject *entity
	for _, kind := range p.view.dataset.AskedBy {
		if e := server.registry.byNumber[kind][p.number]; e != nil && subject == nil {
			subject = e
		}
	}
	held, err := server.held(p.view, subject, b)
	if err != nil {
		return nil, err
	}
	types := pgtype.NewMap()
	out := make([][][]byte, 0, len(held))
	for i := range held {
		row := make([][]byte, 0, len(p.columns))
		for j, c := range p.columns {
			value := valueIn(&held[i], c)
			if value == nil {
				row = append(row, nil)
				continue
			}
			text, err := types.Encode(c.oid, p.format(j), value, nil)
			if err != nil {
				return nil, err
			}
			row = append(row, spoiltCell(c, text, b.fault))
		}
		out = append(out, row)
	}
	return out, nil
}

// spoiltCell plays the faults of texts on a value.
func spoiltCell(c column, text []byte, fault Fault) []byte {
	if c.oid != pgtype.TextOID || strings.HasPrefix(c.name, "subject_") {
		return text
	}
	switch fault {
	case FaultHuge:
		return []byte(strings.Repeat("x", 5<<20))
	case FaultBadUTF8, FaultDamaged:
		return spoilt(text, fault, "")
	}
	return text
}

// valueIn is a column of a record.
func valueIn(h *holding, c column) any {
	switch c.name {
	case "subject_name", "subject_number":
		if h.anonymous {
			return nil
		}
		if c.name == "subject_name" {
			return h.name
		}
		return h.number
	case "as_of":
		return h.asOf
	case "revoked":
		return h.revoked
	}
	value := h.fields[c.name]
	if text, is := value.(string); is && c.oid == pgtype.DateOID {
		if day, err := time.Parse(time.DateOnly, text); err == nil {
			return day
		}
	}
	return value
}

// view finds the dataset of a view.
func (d *Database) view(name string) *template {
	name = strings.ReplaceAll(name, `"`, "")
	for code, t := range d.server.templates {
		plain := strings.ToLower(t.dataset.Department) + "." + strings.ReplaceAll(strings.ToLower(code), "-", "_")
		if plain == name {
			return t
		}
	}
	return nil
}

// columnType is a column's type, or 0 when the view has none such.
func columnType(d *catalog.Dataset, name string) uint32 {
	switch name {
	case "subject_name", "subject_number":
		return pgtype.TextOID
	case "as_of":
		return pgtype.TimestamptzOID
	case "revoked":
		return pgtype.BoolOID
	}
	field := fieldOf(d, name)
	if field == nil {
		return 0
	}
	switch field.Type {
	case catalog.FieldNumber:
		return pgtype.Float8OID
	case catalog.FieldBool:
		return pgtype.BoolOID
	case catalog.FieldDate:
		return pgtype.DateOID
	case catalog.FieldList:
		return pgtype.TextArrayOID
	default:
		return pgtype.TextOID
	}
}
