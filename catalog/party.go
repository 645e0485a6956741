package catalog

import "log/slog"

// ConsentState is what a person has said to a look-up about him.
type ConsentState string

// The states. The zero value is silence, which is not consent.
const (
	ConsentUnknown ConsentState = ""
	ConsentGiven   ConsentState = "given"
	ConsentRefused ConsentState = "refused"
)

// RoleApplicant is the role whose own act the application is.
const RoleApplicant = "applicant"

// Party (当事人) is a person, a body or a thing in a case.
type Party struct {
	ID    string    `json:"id"` // the caller's own, unique in the case, such as "p2"
	Roles []string  `json:"roles"`
	Kind  PartyKind `json:"kind"`
	Name  string    `json:"name"`
	// Number identifies it, see PartyKind. Empty for a body that is yet to be
	// registered, or is registered abroad: then nobody can be asked about it.
	Number  string       `json:"number,omitempty"`
	Consent ConsentState `json:"consent,omitempty"`
}

// In reports whether the party is in the case for that role.
func (p *Party) In(role string) bool {
	for _, r := range p.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// LogValue keeps name and number out of logs.
func (p Party) LogValue() slog.Value { return slog.StringValue(p.ID + " " + string(p.Kind)) }
