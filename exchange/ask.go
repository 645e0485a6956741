package exchange

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/policies"
)

// askAll puts the questions in parallel, each with its own deadline. Every
// source has a queue of its own, so that one that hangs costs its own answers
// and nothing else.
func (x *Exchange) askAll(ctx context.Context, c *Case, s *policies.Situation, questions []question) []policies.Answer {
	answers := make([]policies.Answer, len(questions))
	queues := map[string][]int{}
	for i, q := range questions {
		queues[q.source.Code] = append(queues[q.source.Code], i)
	}
	var all sync.WaitGroup
	for _, queue := range queues {
		all.Go(func() {
			var group errgroup.Group
			group.SetLimit(x.Parallel)
			for _, i := range queue {
				group.Go(func() error {
					answers[i] = x.askOne(ctx, c, s, questions[i])
					return nil // a fault is an answer
				})
			}
			_ = group.Wait()
		})
	}
	all.Wait()
	return answers
}

// askOne puts one question and judges whether the answer can be believed.
func (x *Exchange) askOne(ctx context.Context, c *Case, s *policies.Situation, q question) policies.Answer {
	dataset := s.Catalog.Dataset(q.Dataset)
	party := c.party(q.Party)
	answer := policies.Answer{Source: q.source.Code, Asked: q.fields}
	connector := x.Connectors[q.source.Kind]
	if connector == nil {
		answer.Result, answer.Fault = policies.SourceDown, "no connector of kind "+q.source.Kind
		return answer
	}
	ctx, cancel := context.WithTimeout(ctx, x.SourceDeadline)
	defer cancel()
	begun := x.Now()
	reply, err := askTwice(ctx, connector, connectors.Query{
		ID: x.NewID(), Dataset: dataset, Source: q.source, BaseURL: x.BaseURL(dataset.Department),
		Subject: connectors.Subject{Kind: party.Kind, Name: party.Name, Number: party.Number},
		Fields:  q.fields, Purpose: purpose(c, q),
	})
	answer.FetchedAt = x.Now().UTC()
	answer.Millis = answer.FetchedAt.Sub(begun.UTC()).Milliseconds()
	if err != nil {
		x.sourceFailed(ctx, c, q, err)
		answer.Result, answer.Fault = policies.SourceDown, string(connectors.KindOf(err))
		return answer
	}
	answer.Reference = reply.Reference
	judgeReply(&answer, party, reply)
	if answer.Fault == string(connectors.FaultWrongSubject) {
		x.sourceFailed(ctx, c, q, &connectors.Fault{Kind: connectors.FaultWrongSubject})
	}
	return answer
}

// retryAfter is how long a source that was down is left alone before it is
// asked once more.
const retryAfter = 100 * time.Millisecond

// askTwice asks a source that was down once more, within the same deadline: a
// look-up changes nothing, and an outage of a moment is no reason to ask the
// applicant for paper.
func askTwice(ctx context.Context, connector connectors.Connector, q connectors.Query) (connectors.Reply, error) {
	reply, err := connector.Ask(ctx, q)
	if err == nil || connectors.KindOf(err) != connectors.FaultDown {
		return reply, err
	}
	pause := time.NewTimer(retryAfter)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return reply, err
	case <-pause.C:
		return connector.Ask(ctx, q)
	}
}

// judgeReply says what a reply means. The record's subject is looked at before
// anything else of it.
func judgeReply(answer *policies.Answer, party *catalog.Party, reply connectors.Reply) {
	switch len(reply.Records) {
	case 0:
		answer.Result = policies.NotFound
		return
	case 1:
	default:
		answer.Result = policies.Multiple
		return
	}
	record := reply.Records[0]
	if !strings.EqualFold(record.Subject.Number, party.Number) {
		answer.Result, answer.Fault = policies.SourceDown, string(connectors.FaultWrongSubject)
		return
	}
	if !catalog.SameName(record.Subject.Name, party.Name) {
		answer.Result, answer.Mismatch = policies.Mismatch, policies.DetailName
		return
	}
	answer.Result, answer.Fields, answer.Revoked, answer.AsOf = policies.OK, record.Fields, record.Revoked, record.AsOf
	if answer.AsOf.IsZero() {
		answer.AsOf = answer.FetchedAt
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
