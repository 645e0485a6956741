package overview

import (
	"net/url"

	"mianti/web/frame"
)

// names gives names of the catalog.
type names struct{ *frame.Visit }

func (n names) department(code string) string {
	if n.Catalog != nil {
		if d := n.Catalog.Department(code); d != nil {
			return d.Name
		}
	}
	return code
}

func (n names) dataset(code string) string {
	if n.Catalog != nil {
		if d := n.Catalog.Dataset(code); d != nil {
			return d.Name
		}
	}
	return code
}

// given is the filters of a page, as its address has them.
func (d *view) given() url.Values {
	out := url.Values{}
	for name, value := range map[string]string{
		"from": d.Query.From, "until": d.Query.Until, "department": d.Query.Department, "matter": d.Query.Matter, "one_thing": d.Query.OneThing,
	} {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out
}
