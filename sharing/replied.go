package sharing

import "time"

// Reply gives when the provider replied, zero while it has not, and whether a
// moment is later than it had to.
func (r *Request) Reply(days Workdays) (replied time.Time, late func(time.Time) bool) {
	for _, note := range r.History {
		if note.Act == string(Decide) {
			replied = note.At
		}
	}
	if r.State == Incomplete { // the clock stands still
		return replied, func(time.Time) bool { return false }
	}
	due := r.replyDeadline(days).DueAt
	return replied, func(at time.Time) bool { return !at.Before(due) }
}

// Agreed counts the fields that the provider has agreed to.
func (r *Request) Agreed() int {
	n := 0
	for _, item := range r.Items {
		if item.Agreed != nil && *item.Agreed {
			n++
		}
	}
	return n
}
