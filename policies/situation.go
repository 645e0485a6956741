package policies

import (
	"time"

	"mianti/catalog"
)

// Situation is everything that a settlement follows from. It is built by the
// exchange and never changed here.
type Situation struct {
	Catalog *catalog.Revision
	Plan    *catalog.Plan
	// System is the client id of the system that asks; empty when a person does.
	System string
	// Receiver is the code of the department whose case it is.
	Receiver string
	Parties  []catalog.Party
	Facts    catalog.Facts
	// Permissions are what counts of what was said of look-ups about a party, by
	// party id; for a child it is what the guardians have said. Of a party without an
	// entry, what came with the case stands for the case.
	Permissions map[string]Permission
	Grants      *Grants
	Stops       Stops
	Now         time.Time
	// Since is when the resolution began that this one goes on with; zero for a
	// first one.
	Since time.Time
	// Today is midnight UTC of the date in Asia/Shanghai.
	Today time.Time
	// Results are the reported results of granted matters, by matter code.
	Results map[string]Reported
	// Answers are what sources have said so far, in the order in which they said
	// it: a question is asked again when more of its fields are needed.
	Answers map[Ask][]Answer
	// Handed are the papers handed in before, newest first.
	Handed []Handed
	// Previews are what the persons have said to what was found about them.
	Previews []Preview
}

// Reported is the result of a granted matter, as the authority reported it.
type Reported struct {
	Number     string
	IssuedOn   string // "2006-01-02"
	ValidUntil string // "2006-01-02", or empty
	ReportedAt time.Time
	Fields     map[string]any // by field code of the result's dataset
	// Party is whose result it is, by id; empty for the case's own.
	Party string
}

// Handed is a paper that a party handed in before.
type Handed struct {
	StandardMaterial string
	Material         string
	Party            string // id in this case
	On               time.Time
	Digest           string
}

// Ask is one question to one department: which record, of whom, by which way.
type Ask struct {
	Mode    catalog.Mode // elicense, data or assist
	Dataset string
	Party   string
	// Material is what an officer is asked to confirm (mode assist), in place of
	// the dataset.
	Material string
}

// Wish is an Ask that has been allowed, with what allowed it.
type Wish struct {
	Ask
	Use      catalog.Use
	Fields   []string // that it reads, sorted
	Decision Decision
	// Assistant is the department whose officer is asked, within Days working
	// days (mode assist).
	Assistant string
	Days      int
}

// Answer is what a source said to an Ask, reduced to what the rule may see.
type Answer struct {
	Result Result // OK: exactly one record of the asked subject
	// Recorded is how it ended as the ledger keeps it, where the caller is told
	// less; empty where he is told the same.
	Recorded  Result
	Asked     []string // the fields that were asked for
	Fields    map[string]any
	Revoked   bool
	Source    string // code of the source
	Reference string // the source's own number of the answer
	Proof     string // what binds the answer to the question, where the source gives such a thing
	AsOf      time.Time
	FetchedAt time.Time
	Millis    int64
	Fault     string // kind of fault when Result is SourceDown
	Mismatch  string // what does not agree when Result is Mismatch
	// RetryAt is when asking again makes sense, if the source said so.
	RetryAt time.Time
	// Task is the assist task that was opened, and DueAt until when it is to be
	// answered, when Result is Pending.
	Task  string
	DueAt time.Time
}

// permission is what a party has said. What came with the case holds for
// whatever the case needs, as long as the case is open.
func (s *Situation) permission(p *catalog.Party) Permission {
	if said, known := s.Permissions[p.ID]; known {
		return said
	}
	return Permission{State: p.Consent, Everything: true}
}

// guardians are what the guardians in the case have said of a child.
func (s *Situation) guardians(child *catalog.Party) []Permission {
	if said, known := s.Permissions[child.ID]; known {
		return []Permission{said}
	}
	var said []Permission
	for i := range s.Parties {
		if s.Parties[i].In(guardianRole) {
			said = append(said, s.permission(&s.Parties[i]))
		}
	}
	return said
}

// guardianRole is the role that consents for a child.
const guardianRole = "guardian"
