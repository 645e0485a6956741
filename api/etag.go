package api

import (
	"fmt"
	"strings"
)

// resolutionTag is the ETag of a version of a resolution. That it goes on by
// itself is part of what is answered, and can end without another version.
func resolutionTag(id string, version int, continues bool) string {
	if continues {
		return fmt.Sprintf(`"%s-%d-continues"`, id, version)
	}
	return fmt.Sprintf(`"%s-%d"`, id, version)
}

// noneMatch reports whether an If-None-Match header rules a tag out: it is "*",
// or a list that holds the tag, weak or strong (RFC 9110 §13.1.2). What cannot be
// read ends the list.
func noneMatch(header, tag string) bool {
	rest := strings.TrimSpace(header)
	if rest == "*" {
		return true
	}
	for {
		rest = strings.TrimPrefix(strings.TrimLeft(rest, ", \t"), "W/")
		opaque, after, closed := strings.Cut(strings.TrimPrefix(rest, `"`), `"`)
		if !closed || !strings.HasPrefix(rest, `"`) {
			return false
		}
		if `"`+opaque+`"` == tag {
			return true
		}
		if rest = strings.TrimLeft(after, " \t"); !strings.HasPrefix(rest, ",") {
			return false
		}
	}
}
