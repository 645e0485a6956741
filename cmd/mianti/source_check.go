package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/time/rate"

	"mianti/connectors"
)

type sourceCheckCommand struct {
	reachSettings
	Source string `arg:"" help:"Code of the source, such as GA.D-GA01.query."`
}

// Run tries a live source. It asks about its test subject, and about someone
// who cannot be.
func (c *sourceCheckCommand) Run(ctx context.Context, con console) error {
	r, err := c.reach(ctx, c.Source, con.Err)
	if err != nil {
		return err
	}
	defer r.close()
	if r.source.Probe == nil {
		return withoutProbe(r.source)
	}
	fmt.Fprintf(con.Out, "数源 %s（%s，%s），只问目录中的探测对象和不可能存在的号码\n", r.source.Code, r.dataset.Name, r.source.Kind)
	failed, err := newExamination(r).run(ctx, con.Out)
	switch {
	case err != nil:
		return err
	case failed > 0:
		return fmt.Errorf("数源 %s 有 %d 项没有通过", r.source.Code, failed)
	}
	return nil
}

// outcome is what a check came to.
type outcome struct {
	result checkResult
	why    string // Chinese, without an identity
}

// checkResult is printed as it is.
type checkResult string

const (
	checkOK     checkResult = "ok"
	checkFailed checkResult = "FAILED"
	checkNot    checkResult = "not applicable"
)

func passed(format string, args ...any) outcome {
	return outcome{checkOK, fmt.Sprintf(format, args...)}
}
func failed(format string, args ...any) outcome {
	return outcome{checkFailed, fmt.Sprintf(format, args...)}
}
func notFor(why string) outcome { return outcome{checkNot, why} }

// faulty is a check that failed because the source could not be asked or not
// be believed.
func faulty(err error) outcome {
	kind := connectors.KindOf(err)
	means, _ := advice(kind)
	var fault *connectors.Fault
	if errors.As(err, &fault) && fault.Cause != nil {
		return failed("%s（%s）：%s", means, kind, printable(fault.Cause.Error()))
	}
	return failed("%s（%s）", means, kind)
}

// examination is the checks of one source.
type examination struct {
	*reached
	probe connectors.Subject
	// pace keeps to the quota that the department grants.
	pace *rate.Limiter
	// found is the answer about the probe, once there is one.
	found *answer
}

func newExamination(r *reached) *examination {
	p := r.source.Probe
	e := &examination{
		reached: r, probe: connectors.Subject{Kind: p.Kind, Name: p.Name, Number: p.Number}, pace: rate.NewLimiter(rate.Inf, 1),
	}
	if l := r.source.Limits; l != nil && l.PerSecond > 0 {
		e.pace = rate.NewLimiter(rate.Limit(l.PerSecond), max(1, l.Burst))
	}
	return e
}

// check is one rule that a source has to keep.
type check struct {
	name string
	run  func(context.Context) outcome
}

func (e *examination) checks() []check {
	return []check{
		{"密钥齐全", e.hasSecrets},
		{"探测对象查得到，且就是其本人", e.findsProbe},
		{"每个字段的类型都对", e.typesFields},
		{"答复够快", e.answersSoon},
		{"只问一个字段也行，不多给", e.givesOneField},
		{"不可能的号码查无记录", e.findsNobody},
		{"姓名不符的不当作本人", e.knowsNames},
		{"时限一到就结束", e.keepsDeadline},
		{"取消后就结束", e.endsWhenCancelled},
		{"同时的多个提问不混", e.keepsApart},
		{"数据够新", e.isFresh},
	}
}

// run prints a line for each check. Without its secrets a source is not asked:
// refusals would count against the department's patience.
func (e *examination) run(ctx context.Context, w io.Writer) (int, error) {
	counts := map[checkResult]int{}
	blocked := false
	for i, c := range e.checks() {
		got := notFor("密钥不全，没有询问")
		if !blocked {
			got = c.run(ctx)
		}
		blocked = blocked || i == 0 && got.result == checkFailed
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		counts[got.result]++
		fmt.Fprintf(w, "%-14s  %s%s\n", got.result, c.name, because(got.why))
	}
	fmt.Fprintf(w, "共 %d 项：通过 %d，没有通过 %d，不适用 %d\n", len(e.checks()), counts[checkOK], counts[checkFailed], counts[checkNot])
	return counts[checkFailed], nil
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return "：" + why
}
