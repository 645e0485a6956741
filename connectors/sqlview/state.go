package sqlview

import (
	"context"
	"fmt"

	"mianti/connectors"
)

// stateFault says what a SQLSTATE means.
func stateFault(state string) *connectors.Fault {
	kind, reason := connectors.FaultDown, "the database reports a fault"
	switch state {
	case "57014": // query_canceled: by statement_timeout, since we are still waiting
		return &connectors.Fault{Kind: connectors.FaultTimeout, Cause: fmt.Errorf("the database ended the query (SQLSTATE 57014): %w", context.DeadlineExceeded)}
	case "42501":
		kind, reason = connectors.FaultRefused, "the login may not read the view"
	case "25006":
		kind, reason = connectors.FaultMalformed, "the view tries to write"
	case "53300":
		kind, reason = connectors.FaultBusy, "the database has no connection left"
	case "55P03":
		kind, reason = connectors.FaultBusy, "the view is locked"
	default:
		kind, reason = classFault(state, kind, reason)
	}
	return &connectors.Fault{Kind: kind, Cause: fmt.Errorf("%s (SQLSTATE %s)", reason, harmless(state))}
}

// classFault goes by the first two characters of a SQLSTATE, which are its class.
func classFault(state string, kind connectors.FaultKind, reason string) (connectors.FaultKind, string) {
	if len(state) != 5 {
		return kind, reason
	}
	switch state[:2] {
	case "28": // invalid authorization
		return connectors.FaultRefused, "the database refuses the login"
	case "22", "0A": // data exception, not supported
		return connectors.FaultMalformed, "the view gives values that the database itself cannot read"
	case "3D", "3F", "42": // no such database, schema, view or column; wrong types
		return connectors.FaultMalformed, "the database has not the view that the catalog describes"
	case "57": // operator intervention
		return connectors.FaultDown, "the database is shutting down"
	}
	return kind, reason
}

// harmless keeps a SQLSTATE, and nothing else that a server may put in its
// place.
func harmless(state string) string {
	if len(state) != 5 {
		return "unknown"
	}
	for _, r := range state {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return "unknown"
		}
	}
	return state
}
