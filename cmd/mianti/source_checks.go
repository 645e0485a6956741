package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

const (
	// promptly is how soon a call has to end once it may not go on: far longer
	// than it takes, far shorter than a person would wait.
	promptly = 500 * time.Millisecond
	// together is how many questions are put at once.
	together = 8
)

// answer is what came of a question, and how long it took.
type answer struct {
	reply connectors.Reply
	err   error
	took  time.Duration
}

// put asks about a subject as soon as the quota allows it.
func (e *examination) put(ctx context.Context, s connectors.Subject, fields []string) answer {
	if err := e.pace.Wait(ctx); err != nil {
		return answer{err: err}
	}
	begin := time.Now()
	reply, err := e.ask(ctx, e.query(s, fields))
	return answer{reply, err, time.Since(begin)}
}

func (e *examination) hasSecrets(context.Context) outcome {
	if len(e.source.SecretRefs()) == 0 {
		return notFor("这个数源不需要密钥")
	}
	var missing []string
	for _, f := range secretCheck(e.secrets)(e.dataset, e.source) {
		missing = append(missing, f.Reason)
	}
	if len(missing) > 0 {
		return failed("%s", strings.Join(missing, "；"))
	}
	return passed("")
}

func (e *examination) findsProbe(ctx context.Context) outcome {
	got := e.put(ctx, e.probe, e.allFields())
	switch {
	case got.err != nil:
		return faulty(got.err)
	case len(got.reply.Records) == 0:
		return failed("查无记录；请部门确认这个测试对象还在")
	}
	for _, record := range got.reply.Records {
		if !sameNumber(record.Subject.Number, e.probe.Number) || record.Subject.Name != e.probe.Name {
			return failed("记录的姓名或号码与探测对象不一致")
		}
	}
	e.found = &got
	return passed("%d 条记录", len(got.reply.Records))
}

// notFound is what follows from the probe not being found.
const notFound = "探测对象没有查到"

// typesFields needs no look at the types: an answer with a wrong one is a
// fault. It looks for the fields that did not come.
func (e *examination) typesFields(context.Context) outcome {
	if e.found == nil {
		return notFor(notFound)
	}
	var without []string
	for _, f := range e.dataset.Fields {
		given := slices.ContainsFunc(e.found.reply.Records, func(r connectors.Record) bool { _, ok := r.Fields[f.Code]; return ok })
		if !given {
			without = append(without, f.Code)
		}
	}
	switch len(without) {
	case 0:
		return passed("%d 个字段都有", len(e.dataset.Fields))
	case len(e.dataset.Fields):
		return failed("一个字段也没有，请核对位置")
	default:
		return passed("没有给 %s；若部门有这些数据，请核对位置", strings.Join(without, "、"))
	}
}

func (e *examination) answersSoon(context.Context) outcome {
	if e.found == nil {
		return notFor(notFound)
	}
	if half := e.deadline / 2; e.found.took > half {
		return failed("用了 %d 毫秒，超过时限 %d 毫秒的一半，忙时会超时", e.found.took.Milliseconds(), e.deadline.Milliseconds())
	}
	return passed("%d 毫秒，时限 %d 毫秒", e.found.took.Milliseconds(), e.deadline.Milliseconds())
}

// givesOneField asks for a field that the probe has.
func (e *examination) givesOneField(ctx context.Context) outcome {
	if e.found == nil {
		return notFor(notFound)
	}
	fields := e.found.reply.Records[0].Fields
	i := slices.IndexFunc(e.dataset.Fields, func(f catalog.Field) bool { _, ok := fields[f.Code]; return ok })
	if i < 0 {
		return notFor("探测对象的记录没有一个字段")
	}
	one := e.dataset.Fields[i].Code
	got := e.put(ctx, e.probe, []string{one})
	switch {
	case got.err != nil:
		return faulty(got.err)
	case len(got.reply.Records) == 0:
		return failed("只问 %s 时查无记录", one)
	}
	for _, record := range got.reply.Records {
		if _, ok := record.Fields[one]; !ok {
			return failed("只问 %s 时没有给它", one)
		}
		if len(record.Fields) > 1 {
			return failed("只问 %s，却给了 %d 个字段", one, len(record.Fields))
		}
	}
	return passed("")
}

func (e *examination) findsNobody(ctx context.Context) outcome {
	got := e.put(ctx, absent(e.probe), e.allFields())
	switch {
	case got.err != nil && e.found != nil:
		out := faulty(got.err)
		out.why += "；部门用什么表示“查无记录”，要写进目录（not_found、not_found_status）"
		return out
	case got.err != nil:
		return faulty(got.err)
	case len(got.reply.Records) > 0:
		return failed("给了 %d 条记录", len(got.reply.Records))
	}
	return passed("")
}

// knowsNames asks with the probe's number and another name. Either there is no
// record, or it says whose it is and the exchange sees that it is not theirs.
func (e *examination) knowsNames(ctx context.Context) outcome {
	if e.found == nil {
		return notFor(notFound)
	}
	other := e.probe
	other.Name = absent(e.probe).Name
	got := e.put(ctx, other, e.allFields())
	if got.err != nil {
		return faulty(got.err)
	}
	for _, record := range got.reply.Records {
		if record.Subject.Name == other.Name {
			return failed("号码对、姓名错，也当作本人给了记录")
		}
	}
	if len(got.reply.Records) == 0 {
		return passed("查无记录")
	}
	return passed("记录上是另一个姓名，不会采信")
}

// overNetwork is why a check does not concern files that are loaded.
const overNetwork = "文件已载入本地，不经网络"

// tooSoon is less time than the source needs: a millisecond, or less where it
// is that quick.
func (e *examination) tooSoon() time.Duration {
	return min(time.Millisecond, e.found.took/4)
}

func (e *examination) keepsDeadline(ctx context.Context) outcome {
	switch {
	case e.source.Kind == catalog.SourceSnapshot:
		return notFor(overNetwork)
	case e.found == nil:
		return notFor(notFound)
	}
	if err := e.pace.Wait(ctx); err != nil {
		return faulty(err)
	}
	short, cancel := context.WithTimeout(ctx, e.tooSoon())
	defer cancel()
	begin := time.Now()
	_, err := e.ask(short, e.query(e.probe, e.allFields()))
	took := time.Since(begin)
	switch {
	case took > promptly:
		return failed("时限 1 毫秒，%d 毫秒后才结束", took.Milliseconds())
	case err == nil:
		return notFor("在 1 毫秒内就答复了")
	case connectors.KindOf(err) != connectors.FaultTimeout:
		return faulty(err)
	}
	return passed("")
}

func (e *examination) endsWhenCancelled(ctx context.Context) outcome {
	switch {
	case e.source.Kind == catalog.SourceSnapshot:
		return notFor(overNetwork)
	case e.found == nil:
		return notFor(notFound)
	}
	if err := e.pace.Wait(ctx); err != nil {
		return faulty(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(e.tooSoon(), cancel)
	defer timer.Stop()
	begin := time.Now()
	_, err := e.ask(cancelled, e.query(e.probe, e.allFields()))
	took := time.Since(begin)
	switch {
	case took > promptly:
		return failed("取消后 %d 毫秒才结束", took.Milliseconds())
	case err == nil:
		return notFor("取消前已答复")
	}
	return passed("")
}

// keepsApart asks about the probe and about nobody in turn, all at once: who
// gets the other's answer is found out.
func (e *examination) keepsApart(ctx context.Context) outcome {
	if e.found == nil {
		return notFor(notFound)
	}
	n := together
	if l := e.source.Limits; l != nil && l.Concurrent > 0 {
		n = min(n, l.Concurrent)
	}
	if n < 2 {
		return notFor("limits 只允许一次问一个")
	}
	answers := make([]answer, n)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			subject := e.probe
			if i%2 == 1 {
				subject = absent(e.probe)
			}
			answers[i] = e.put(ctx, subject, e.allFields())
		})
	}
	all.Wait()
	for i, got := range answers {
		if err := e.mixed(i%2 == 0, got); err != nil {
			return failed("同时问 %d 个时，%v", n, err)
		}
	}
	return passed("同时问了 %d 个", n)
}

// mixed says how an answer differs from what it should be.
func (e *examination) mixed(aboutProbe bool, got answer) error {
	if got.err != nil {
		return errors.New(faulty(got.err).why)
	}
	switch n := len(got.reply.Records); {
	case !aboutProbe && n > 0:
		return errors.New("不可能的号码得到了记录")
	case aboutProbe && n != len(e.found.reply.Records):
		return fmt.Errorf("探测对象得到 %d 条记录，单独问时是 %d 条", n, len(e.found.reply.Records))
	}
	return nil
}

func (e *examination) isFresh(context.Context) outcome {
	switch {
	case e.source.FreshHours == 0:
		return notFor("目录没有规定 fresh_hours")
	case e.found == nil:
		return notFor(notFound)
	}
	now := time.Now()
	for _, record := range e.found.reply.Records {
		if record.AsOf.IsZero() {
			return notFor("答复没有说明数据时间")
		}
		if e.isStale(record, now) {
			return failed("数据时间 %s，比 %d 小时旧", chinaTime(record.AsOf), e.source.FreshHours)
		}
	}
	return passed("数据时间 %s", chinaTime(e.found.reply.Records[0].AsOf))
}
