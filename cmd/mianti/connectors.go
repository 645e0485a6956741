package main

import (
	"context"
	"net/http"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/assist"
	"mianti/connectors/elicense"
	"mianti/connectors/httpjson"
	"mianti/connectors/snapshot"
	"mianti/connectors/sqlview"
	"mianti/connectors/wire"
	"mianti/connectors/xroad"
	"mianti/exchange"
)

// newConnectors makes a connector for every kind of source, and what gets the
// files of licences. The function gives up their connections.
func newConnectors(secrets connectors.Secrets, rows snapshot.Rows, key []byte, desk assist.Desk, carry func(context.Context, http.Header)) (map[catalog.SourceKind]connectors.Connector, licenceFiles, func()) {
	client := wire.NewClient(wire.Options{Secrets: secrets, Now: time.Now, Carry: carry})
	platform := elicense.New(client)
	views := sqlview.New(sqlview.Options{Secrets: secrets, Now: time.Now})
	all := map[catalog.SourceKind]connectors.Connector{
		catalog.SourceHTTPJSON: httpjson.New(client, time.Now),
		catalog.SourceElicense: platform,
		catalog.SourceXRoad:    xroad.New(client, time.Now),
		catalog.SourceSQLView:  views,
		catalog.SourceSnapshot: snapshot.New(rows, key),
		catalog.SourceAssist:   assist.New(desk),
	}
	return all, licenceFiles{platform}, func() {
		client.Close()
		views.Close()
	}
}

// licenceFiles gets the files of licences from the platform that issues them.
type licenceFiles struct {
	platform *elicense.Connector
}

// File has the platform open a link to the file, and gets it at once.
func (l licenceFiles) File(ctx context.Context, q connectors.Query, identifier string) (*connectors.File, error) {
	link, err := l.platform.FileLink(ctx, q, identifier)
	if err != nil {
		return nil, err
	}
	return l.platform.File(ctx, q, link)
}

// officers puts the questions of sources of kind assist to the desk of the
// exchange.
type officers struct {
	desk *exchange.Desk
}

// Task opens a task, or finds the one that is there.
func (o officers) Task(ctx context.Context, q connectors.Query) (assist.Task, error) {
	t, err := o.desk.Open(ctx, exchange.AssistQuestion{
		Case: q.Case, CaseNumber: q.CaseNumber, Receiver: q.Receiver, Party: q.Party, Department: q.Dataset.Department,
		Matter: q.Matter, Material: q.Material, Dataset: q.Dataset.Code, Source: q.Source.Code, Fields: q.Fields,
		Question: "请查《" + q.Dataset.Name + "》，填写所列数据项", Purpose: q.Purpose, Days: q.Days,
		Subject: exchange.AssistSubject{Kind: string(q.Subject.Kind), Name: q.Subject.Name, Number: q.Subject.Number},
	})
	if err != nil {
		return assist.Task{}, err
	}
	out := assist.Task{ID: t.ID, DueAt: t.DueAt}
	if t.Answer != nil {
		out.Answer = &assist.Answer{
			Result: assist.Result(t.Answer.Result), Subject: q.Subject, Fields: typed(q.Dataset, t.Answer.Fields), At: t.Answer.At,
		}
	}
	return out, nil
}

// typed gives the fields of a stored answer back their types: a list comes out
// of JSON as a list of anything.
func typed(d *catalog.Dataset, stored map[string]any) map[string]any {
	out := make(map[string]any, len(stored))
	for code, value := range stored {
		items, isList := value.([]any)
		field := d.Field(code)
		if !isList || field == nil || field.Type != catalog.FieldList {
			out[code] = value
			continue
		}
		texts := make([]string, 0, len(items))
		for _, item := range items {
			if text, ok := item.(string); ok {
				texts = append(texts, text)
			}
		}
		out[code] = texts
	}
	return out
}
