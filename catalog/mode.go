package catalog

// SourceFor gives the source that answers for a dataset by a mode: elicense
// asks a source of kind elicense, data asks any other. Nil if there is none.
func (r *Revision) SourceFor(dataset string, mode Mode) *Source {
	d := r.Dataset(dataset)
	if d == nil {
		return nil
	}
	for i := range d.Sources {
		if (d.Sources[i].Kind == SourceElicense) == (mode == ModeElicense) {
			return &d.Sources[i]
		}
	}
	return nil
}

// Reachable reports whether every record of a proof can be asked for by a mode.
func (r *Revision) Reachable(proof *Proof, mode Mode) bool {
	for _, l := range proof.Lookups {
		if r.SourceFor(l.Dataset, mode) == nil {
			return false
		}
	}
	return true
}
