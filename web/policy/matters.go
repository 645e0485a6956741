package policy

import (
	"mianti/web/frame"
)

// matters is the list of the matters.
func (s *section) matters(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "matters")
	if err != nil {
		return frame.Answer{}, err
	}
	matches, department, thing := matcher(v), v.Query("department"), v.Query("one_thing")
	view := listed(v, b, shelf.matters, order(v, shelf.matterOrders), func(m *matterRow) bool {
		return is(department, m.Department) && is(thing, m.OneThing) && matches(m.text)
	}, "department", "one_thing")
	view.Departments, view.Things = shelf.departmentOptions(v), shelf.thingOptions(v)
	view.Sorts = options(v, "", "目录顺序", "name", "按名称", "materials", "材料多的在前", "asked", "要申请人交的多的在前", "days", "承诺时限长的在前")
	return frame.Show("matters.html", "事项", view), nil
}
