// Package mapping says what is sent to a JSON interface and what its answer
// means, by the catalog's description of it (catalog.HTTPCall). It is pure: no
// I/O, no clock, no state.
//
// What a source is asked is put in as values, so that nothing in a name can add
// to the structure of a request. What it answers is believed in nothing: the
// text is read strictly, whose record it is comes before anything else of it,
// and only the fields that were asked for are read. Every failure is a
// *connectors.Fault whose text is written here.
//
// A source that is not described speaks the plain JSON of Plain.
package mapping

import (
	"errors"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// The limits of an answer.
const (
	maxRecords   = 100  // more than anyone can choose from
	maxReference = 128  // characters
	maxText      = 4000 // characters of one value
	maxList      = 1000 // items of one value
	// maxAhead is how far a source's clock may be ahead of ours.
	maxAhead = 24 * time.Hour
)

// Mapping is the description of one source, checked and taken apart. It never
// changes and is safe for use by many goroutines.
type Mapping struct {
	dataset  *catalog.Dataset
	path     string
	call     *catalog.HTTPCall
	uses     []string // the variables of the request
	meanings map[string]meaning
	fields   []field // of the dataset, in its order
	plain    bool    // the source is not described
	dated    bool    // the age of a record matters
	at       places
}

// places are where things are: code, records and reference in the answer, the
// others in one record.
type places struct {
	code, records, reference                           pointer
	subjectName, subjectNumber, asOf, revoked, content pointer
}

// meaning is what a source's own status says.
type meaning string

const (
	meansOK       meaning = "ok"
	meansNotFound meaning = "not_found"
	meansRefused  meaning = "refused"
	meansBusy     meaning = "busy"
)

// Compile checks the description of a source and takes it apart. It checks all
// that the catalog has checked: a description can come another way. The error
// is a *connectors.Fault of kind misset.
func Compile(d *catalog.Dataset, s *catalog.Source) (*Mapping, error) {
	call := s.HTTP
	if call == nil {
		call = Plain()
	}
	m := &Mapping{dataset: d, path: s.Path, call: call, meanings: map[string]meaning{}, plain: s.HTTP == nil, dated: s.FreshHours > 0}
	for _, step := range []func() error{m.compilePath, m.compileRequest, m.compileMeanings, m.compilePlaces, m.compileFields} {
		if err := step(); err != nil {
			return nil, &connectors.Fault{Kind: connectors.FaultMisset, Cause: err}
		}
	}
	return m, nil
}

// Accept are the HTTP statuses besides 200 that say something here.
func (m *Mapping) Accept() []int { return slices.Clone(m.call.Answer.NotFoundStatus) }

// Charset is that of the answer, as the description names it.
func (m *Mapping) Charset() string { return m.call.Charset }

func misset(reason string) *connectors.Fault {
	return &connectors.Fault{Kind: connectors.FaultMisset, Cause: errors.New(reason)}
}
