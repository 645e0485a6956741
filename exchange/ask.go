package exchange

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/policies"
)

// askAll puts the questions in parallel, each with its own deadline. What each
// source can bear is the guard's to know.
func (x *Exchange) askAll(ctx context.Context, c *Case, s *policies.Situation, questions []question) []policies.Answer {
	defer x.Outside(ctx)()
	answers := make([]policies.Answer, len(questions))
	var all sync.WaitGroup
	for i := range questions {
		all.Go(func() { answers[i] = x.askOne(ctx, c, s, questions[i]) })
	}
	all.Wait()
	return answers
}

// askOne puts one question and judges whether the answer can be believed.
func (x *Exchange) askOne(ctx context.Context, c *Case, s *policies.Situation, q question) policies.Answer {
	if q.Mode == catalog.ModeAssist {
		return x.askOfficer(ctx, c, q)
	}
	ctx, cancel := context.WithTimeout(ctx, x.SourceDeadline)
	defer cancel()
	party := c.party(q.Party)
	answer := policies.Answer{Source: q.source.Code, Asked: q.fields}
	begun := x.Now()
	reply, err := x.Sources.Ask(ctx, x.query(c, s.Catalog.Dataset(q.Dataset), q))
	answer.FetchedAt = x.Now().UTC()
	if err != nil {
		answer.Millis = answer.FetchedAt.Sub(begun.UTC()).Milliseconds()
		x.judgeFault(ctx, c, q, &answer, err)
		return answer
	}
	answer.Reference, answer.Proof = reply.Reference, reply.Proof
	judgeReply(&answer, party, q.source, reply)
	if answer.Fault == string(connectors.FaultWrongSubject) {
		x.sourceFailed(ctx, c, q, &connectors.Fault{Kind: connectors.FaultWrongSubject})
	}
	if answer.Result == policies.NotFound && party.Kind == catalog.KindPerson {
		x.holdBack(ctx, begun)
	}
	answer.Millis = x.Now().Sub(begun).Milliseconds()
	return answer
}

// query is a question as a connector sees it.
func (x *Exchange) query(c *Case, dataset *catalog.Dataset, q question) connectors.Query {
	party, use := c.party(q.Party), q.wishes[0].Use
	baseURL, network := x.Locate(dataset.Department, q.source)
	return connectors.Query{
		ID: q.id, Dataset: dataset, Source: q.source, BaseURL: baseURL, Network: network,
		Subject: connectors.Subject{Kind: party.Kind, Name: party.Name, Number: party.Number},
		Fields:  q.fields, Purpose: purpose(c, q), Case: c.ID, CaseNumber: c.Number, Party: q.Party, Receiver: c.Department,
		Matter: use.Matter.Code, Material: use.Material.Code, Days: q.source.Days,
	}
}

// judgeFault says what a source that gave no answer means. An officer who has
// been asked is no fault.
func (x *Exchange) judgeFault(ctx context.Context, c *Case, q question, answer *policies.Answer, err error) {
	kind := connectors.KindOf(err)
	if kind == connectors.FaultPending {
		pending := connectors.PendingOf(err)
		answer.Result, answer.Task, answer.DueAt = policies.Pending, pending.Task, pending.DueAt
		return
	}
	x.sourceFailed(ctx, c, q, err)
	answer.Result, answer.Fault, answer.RetryAt = policies.SourceDown, string(kind), connectors.RetryAt(err)
}

// judgeReply says what a reply means. The record's subject is looked at before
// anything else of it.
func judgeReply(answer *policies.Answer, party *catalog.Party, source *catalog.Source, reply connectors.Reply) {
	for i := range reply.Records {
		if !strings.EqualFold(reply.Records[i].Subject.Number, party.Number) {
			answer.Result, answer.Fault = policies.SourceDown, string(connectors.FaultWrongSubject)
			return
		}
	}
	records := reply.Records
	if party.Kind == catalog.KindPerson {
		if records = ofName(records, party.Name); len(records) < len(reply.Records) {
			answer.Recorded = policies.Mismatch
		}
	}
	switch len(records) {
	case 0:
		answer.Result = policies.NotFound
		return
	case 1:
	default:
		answer.Result = policies.Multiple
		return
	}
	record := records[0]
	answer.AsOf = record.AsOf
	if answer.AsOf.IsZero() {
		answer.AsOf = answer.FetchedAt
	}
	if source.FreshHours > 0 && answer.FetchedAt.Sub(answer.AsOf) > time.Duration(source.FreshHours)*time.Hour {
		answer.Result = policies.Stale
		return
	}
	if !catalog.SameName(record.Subject.Name, party.Name) {
		answer.Result, answer.Mismatch = policies.Mismatch, policies.DetailName
		return
	}
	answer.Recorded = ""
	answer.Result, answer.Fields, answer.Revoked = policies.OK, record.Fields, record.Revoked
}

// ofName leaves those records that are the person's of that name. Whoever tries
// numbers must not learn from the answer that a number is somebody's: a record
// under another name is, to him, no record.
func ofName(records []connectors.Record, name string) []connectors.Record {
	var out []connectors.Record
	for _, r := range records {
		if catalog.SameName(r.Subject.Name, name) {
			out = append(out, r)
		}
	}
	return out
}

// holdBack waits until a multiple of the even time has passed since a question
// was begun. A source takes longer over a person whom it knows than over one
// whom it does not; after this the two take the same.
func (x *Exchange) holdBack(ctx context.Context, begun time.Time) {
	if x.EvenTime <= 0 {
		return
	}
	timer := time.NewTimer(x.EvenTime - x.Now().Sub(begun)%x.EvenTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// sourceFailed tells the operator. A record of somebody else is an alarm: the
// source mixes people up.
func (x *Exchange) sourceFailed(ctx context.Context, c *Case, q question, err error) {
	level := slog.LevelWarn
	if connectors.KindOf(err) == connectors.FaultWrongSubject {
		level = slog.LevelError
	}
	x.Log.LogAttrs(ctx, level, "source failed", slog.String("source", q.source.Code),
		slog.String("kind", string(connectors.KindOf(err))), slog.String("case", c.ID), slog.Any("cause", err))
}

// maxPurpose is the longest 用证事由 that the licence interface takes, in
// characters (GB/T 36906 as deployed).
const maxPurpose = 200

// purpose says to the source why it is asked: the case, the matter, the
// material.
func purpose(c *Case, q question) string {
	use := q.wishes[0].Use
	text := "办件" + c.Number + "；事项" + use.Matter.Name + "（" + use.Matter.ImplementationCode + "）；材料" + use.Material.Code
	if utf8.RuneCountInString(text) <= maxPurpose {
		return text
	}
	return string([]rune(text)[:maxPurpose])
}

// at gives a pointer to a moment, nil for none.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
