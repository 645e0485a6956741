package policy

import (
	"slices"

	"mianti/catalog"
	"mianti/web/frame"
)

// materials is the list of the materials.
func (s *section) materials(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "materials")
	if err != nil {
		return frame.Answer{}, err
	}
	matches, mode, unsettled := matcher(v), bitOf(catalog.Mode(v.Query("mode"))), v.Query("without") != ""
	department, thing, need := v.Query("department"), v.Query("one_thing"), v.Query("need")
	origin, standard, common := v.Query("origin"), v.Query("standard"), v.Query("common")
	view := listed(v, b, shelf.materials, order(v, shelf.materialOrders), func(m *materialRow) bool {
		return m.modes&mode == mode && is(department, m.department) && is(thing, m.thing) && is(need, string(m.Need)) &&
			is(origin, m.Origin) && is(common, m.Common) && (standard == "" || slices.Contains(standardsOf(m.Material), standard)) &&
			!(unsettled && m.settles()) && matches(m.text)
	}, "department", "one_thing", "mode", "need", "origin", "standard", "common", "without")
	view.Departments, view.Things, view.Choices = shelf.departmentOptions(v), shelf.thingOptions(v), modeOptions(v)
	view.Sorts = options(v, "", "目录顺序", "name", "按名称", "department", "按部门")
	view.More = options(v, "", "必要与否", "required", "必要", "conditional", "有条件")
	return frame.Show("materials.html", "材料", view), nil
}

// settles reports whether the chain has a way to settle the material without the
// applicant.
func (m *materialRow) settles() bool {
	return m.modes&^(bitOf(catalog.ModeUpload)|bitOf(catalog.ModeCommit)|bitOf(catalog.ModeDefer)|bitOf(catalog.ModeWait)) != 0
}

// KindName gives the kind in Chinese.
func (m *materialRow) KindName() string { return kindName(m.Kind) }

// NeedName gives the need in Chinese.
func (m *materialRow) NeedName() string { return needName(m.Need) }

// OriginName gives the origin in Chinese.
func (m *materialRow) OriginName() string { return originName(m.Origin) }

// Modes lists the steps in the order of trial.
func (m *materialRow) Modes() []stepView { return stepsOf(nil, m.Material) }
