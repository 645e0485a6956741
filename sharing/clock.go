package sharing

import "time"

// Workdays counts working days (工作日); internal/workday holds the calendar.
type Workdays interface {
	// Add gives the end of the n-th working day after the day of a moment.
	Add(from time.Time, n int) time.Time
	// Between gives how many working days after the day of from have ended by to.
	Between(from, to time.Time) int
}

// Clause (时限条款) is a time limit of the 政务数据共享条例, in working days.
type Clause struct {
	Article string
	Days    int
	// Longer is by how many days the authority (主管部门) may lengthen it.
	Longer int
}

// Due gives the moment at which the time is over, when it began at a moment and
// was lengthened by some days.
func (c Clause) Due(days Workdays, from time.Time, longer int) time.Time {
	return days.Add(from, c.Days+min(max(longer, 0), c.Longer))
}

// ReplyUnconditional is the time to reply where all fields are shared
// unconditionally (条例, art. 21).
func ReplyUnconditional() Clause { return Clause{Article: "21", Days: 1} }

// ReplyConditional is the time to reply where a field is shared under
// conditions (条例, art. 21).
func ReplyConditional() Clause { return Clause{Article: "21", Days: 10, Longer: 10} }

// Delivery is the time to share what was agreed to (条例, art. 22).
func Delivery() Clause { return Clause{Article: "22", Days: 20} }

// CatalogUpdate is the time to bring the catalog up to date after a change
// (条例, art. 17).
func CatalogUpdate() Clause { return Clause{Article: "17", Days: 10, Longer: 5} }

// CatalogReview is the time in which the authority reviews and publishes a change
// of the catalog (条例, art. 17).
func CatalogReview() Clause { return Clause{Article: "17", Days: 2} }

// replyClause is the time to reply to a request.
func (r *Request) replyClause() Clause {
	if r.conditional() {
		return ReplyConditional()
	}
	return ReplyUnconditional()
}

// replyDeadline is until when the provider has to reply. The clock runs from the
// day of the application; it stands still while its completion is awaited, and
// goes on with the days that were left then, one at least (decision 13).
func (r *Request) replyDeadline(days Workdays) *Deadline {
	clause, from, spent := r.replyClause(), r.ReceivedAt, 0
	if r.Completion != nil && r.Completion.AnsweredAt != nil {
		from, spent = *r.Completion.AnsweredAt, r.Completion.Spent
	}
	longer := 0
	if r.Extension != nil && r.Extension.ConsentedAt != nil {
		longer = min(r.Extension.Days, clause.Longer)
	}
	return &Deadline{Article: clause.Article, DueAt: days.Add(from, max(clause.Days+longer-spent, 1)).UTC()}
}
