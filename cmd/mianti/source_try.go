package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/guard"
	"mianti/connectors/mapping"
)

type sourceTryCommand struct {
	reachSettings
	subjectFlags
	Source     string   `arg:"" help:"Code of the source, such as GA.D-GA01.query."`
	Field      []string `help:"Codes of the fields to ask for. Default: all of the dataset."`
	ShowValues bool     `help:"Show the values of the record too; for the test subject of the catalog only."`
}

// Run asks one question. A fault of the source is a failure of the command.
func (c *sourceTryCommand) Run(ctx context.Context, con console) error {
	r, err := c.reach(ctx, c.Source, con.Err)
	if err != nil {
		return err
	}
	defer r.close()
	subject, isProbe, err := c.subject(r.source, os.Stdin)
	if err != nil {
		return err
	}
	if c.ShowValues && !isProbe {
		return errors.New("--show-values 只能用于目录中的探测对象，不能用于其他人")
	}
	if err := checkFields(r.dataset, c.Field); err != nil {
		return err
	}
	fields := c.Field
	if len(fields) == 0 {
		fields = r.allFields()
	}
	t := r.try(ctx, r.query(subject, fields))
	t.print(con.Out, r)
	if t.verdict.fault != "" {
		return fmt.Errorf("数源 %s 没有给出可用的答复（%s）", r.source.Code, t.verdict.fault)
	}
	if c.ShowValues {
		fmt.Fprintln(con.Err, "注意：以下是数源答复的原值，只应是测试数据，不要截图外传。")
		t.printValues(con.Out, r.dataset)
	}
	return nil
}

// trial is one question and what came of it.
type trial struct {
	query   connectors.Query
	request string // masked
	pages   []explained
	reply   connectors.Reply
	size    int64
	took    time.Duration
	verdict verdict
}

// explained is a page of an answer, and how it is read.
type explained struct {
	status int
	steps  []mapping.Step
}

// tracer is a connector whose answers are described by the catalog.
type tracer interface {
	Trace(ctx context.Context, q connectors.Query, see func(mapping.Page)) (connectors.Reply, error)
}

// try puts one question and keeps what there is to see of it.
func (r *reached) try(ctx context.Context, q connectors.Query) *trial {
	t := &trial{query: q, request: r.generalRequest(q)}
	begin := time.Now()
	var err error
	if by, ok := r.asker.(tracer); ok {
		t.reply, err = r.tryPages(ctx, t, by)
	} else {
		t.reply, err = r.ask(ctx, q)
		t.size = t.reply.Size
	}
	t.took = time.Since(begin)
	t.verdict = r.judge(q, t.reply, err, time.Now())
	return t
}

// tryPages asks as the connector does, and explains each page.
func (r *reached) tryPages(ctx context.Context, t *trial, by tracer) (connectors.Reply, error) {
	m, err := mapping.Compile(r.dataset, r.source)
	if err != nil {
		return connectors.Reply{}, err
	}
	now := time.Now()
	if t.request, err = m.Masked(t.query, now); err != nil {
		return connectors.Reply{}, err
	}
	if x := r.source.XRoad; x != nil { // what X-Road itself puts before it
		line, rest, _ := strings.Cut(t.request, "\n")
		method, path, _ := strings.Cut(line, " ")
		t.request = method + " /r1/" + x.Service + path + "\nX-Road-Client: " + x.Client + "\n" + rest
	}
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	reply, err := by.Trace(ctx, t.query, func(page mapping.Page) {
		t.size += page.Size
		t.pages = append(t.pages, explained{page.Status, m.Explain(t.query, page.Status, page.Body, now)})
	})
	if err != nil {
		return connectors.Reply{}, err
	}
	return guard.Admit(t.query, reply)
}

// generalRequest says what is asked where no request is described.
func (r *reached) generalRequest(q connectors.Query) string {
	how := map[catalog.SourceKind]string{
		catalog.SourceElicense: "按持证主体查证照目录，再取证照数据", catalog.SourceSQLView: "按号码查视图", catalog.SourceSnapshot: "在已载入的文件中按号码查找",
	}[r.source.Kind]
	return fmt.Sprintf("%s\n姓名或名称 %s，号码 %s\n", how, mapping.MaskName(q.Subject.Name), mapping.MaskNumber(q.Subject.Number))
}
