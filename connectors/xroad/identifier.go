package xroad

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"mianti/connectors"
)

// identifier is the name of a member's subsystem or service, by its parts.
type identifier []string

// parseIdentifier takes an identifier of a number of parts. A part that could
// be read as something else in an address is refused.
func parseIdentifier(text string, parts int) (identifier, error) {
	out := identifier(strings.Split(text, "/"))
	if len(out) != parts || slices.ContainsFunc(out, isAmbiguous) {
		return nil, misset("an identifier of X-Road can be read in more than one way")
	}
	return out, nil
}

func isAmbiguous(part string) bool {
	return part == "" || part == "." || part == ".." || strings.TrimSpace(part) != part || strings.ContainsAny(part, `:;%\?#`) ||
		strings.ContainsFunc(part, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

// escaped writes the identifier as it stands in an address or a header, each
// part percent-encoded by itself (PR-REST §4.2).
func (id identifier) escaped() string {
	parts := make([]string, len(id))
	for i, part := range id {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

// is says whether a header names the identifier. Which characters are escaped
// is the writer's own affair, so the parts are compared.
func (id identifier) is(header string) bool {
	parts := strings.Split(header, "/")
	return slices.EqualFunc(parts, id, func(sent, part string) bool {
		plain, err := url.PathUnescape(sent)
		return err == nil && plain == part
	})
}

func misset(reason string) *connectors.Fault {
	return &connectors.Fault{Kind: connectors.FaultMisset, Cause: errors.New(reason)}
}
