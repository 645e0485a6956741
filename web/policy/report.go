package policy

import (
	"strconv"

	"mianti/catalog"
	"mianti/catalog/reduction"
	"mianti/web/frame"
)

// reportView is what a revision takes off applicants.
type reportView struct {
	base
	Form      *frame.Form
	Revisions []frame.Option
	Since     int // the earlier revision; 0 for none
	Report    *reduction.Report
	Things    []reportThing // of this page
	Chart     reduction.Chart
	Pager     frame.Pager
	Classes   []reduction.Class
}

// reportThing is a one-thing with its matters, which fold.
type reportThing struct {
	reduction.ReportRow
	Matters []reduction.ReportRow
}

// reductionKept is a report with the revisions that it is of; the last one is kept,
// because the next part of it is likely to be asked for.
type reductionKept struct {
	now, earlier *catalog.Revision
	report       *reduction.Report
	matters      map[string][]reduction.ReportRow // by one-thing
}

// reported gives the report of a revision beside an earlier one; nil for none.
func (s *section) reported(now, earlier *catalog.Revision) *reductionKept {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.kept; k != nil && k.now == now && k.earlier == earlier {
		return k
	}
	var was *reduction.Tally
	if earlier != nil {
		was = reduction.Count(earlier)
	}
	k := &reductionKept{now: now, earlier: earlier, report: reduction.Make(reduction.Count(now), was), matters: map[string][]reduction.ReportRow{}}
	for _, m := range k.report.ByMatter {
		k.matters[m.OneThing] = append(k.matters[m.OneThing], m)
	}
	s.kept = k
	return k
}

// revisionsOfReport gives the revision that a report is asked for, and the earlier one.
func (s *section) revisionsOfReport(v *frame.Visit) (now, earlier *catalog.Revision, b base, err error) {
	shelf, b, err := s.at(v, "report")
	if err != nil {
		return nil, nil, b, err
	}
	if since := v.Number("since", 1, 1<<30, 0); since != 0 {
		earlier, err = s.numbered(v, since)
	}
	return shelf.rev, earlier, b, err
}

func (s *section) report(v *frame.Visit) (frame.Answer, error) {
	now, earlier, b, err := s.revisionsOfReport(v)
	if err != nil {
		return frame.Answer{}, err
	}
	k := s.reported(now, earlier)
	view := &reportView{base: b, Form: frame.NewForm(v, "since", "q"), Report: k.report, Since: v.Number("since", 1, 1<<30, 0), Classes: reduction.Classes()}
	if view.Revisions, err = s.revisionOptions(v); err != nil {
		return frame.Answer{}, err
	}
	view.Revisions = append(options(v, "", "不比较"), view.Revisions...)
	matches, page, total := matcher(v), v.Number("page", 1, 1<<20, 1), 0
	var rows []reduction.ReportRow
	for _, row := range k.report.ByOneThing {
		if !matches(lower(row.Code, row.Name)) {
			continue
		}
		if total++; total > (page-1)*pageSize && len(rows) < pageSize {
			rows = append(rows, row)
			view.Things = append(view.Things, reportThing{row, k.matters[row.Code]})
		}
	}
	view.Chart = reduction.Draw(rows)
	view.Pager = pager(v, total, page, pageSize)
	return frame.Show("report.html", "减材料报告", view), nil
}

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// reportWorkbook sends the whole report with every material in it.
func (s *section) reportWorkbook(v *frame.Visit) (frame.Answer, error) {
	now, earlier, _, err := s.revisionsOfReport(v)
	if err != nil {
		return frame.Answer{}, err
	}
	body, err := reduction.Workbook(s.reported(now, earlier).report, now)
	if err != nil {
		return frame.Answer{}, err
	}
	return frame.Send(workbookType, "减材料报告-修订"+strconv.Itoa(now.Number)+".xlsx", body), nil
}

// reportPicture sends the chart as a picture.
func (s *section) reportPicture(v *frame.Visit) (frame.Answer, error) {
	now, earlier, _, err := s.revisionsOfReport(v)
	if err != nil {
		return frame.Answer{}, err
	}
	chart := reduction.Draw(s.reported(now, earlier).report.ByOneThing)
	return frame.Send("image/svg+xml", "减材料-修订"+strconv.Itoa(now.Number)+".svg", chart.SVG("减材料："+now.Title)), nil
}
