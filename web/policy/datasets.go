package policy

import (
	"mianti/web/frame"
)

// datasets is the list of the datasets.
func (s *section) datasets(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "datasets")
	if err != nil {
		return frame.Answer{}, err
	}
	matches, department, sharing, unused := matcher(v), v.Query("department"), v.Query("sharing"), v.Query("use")
	view := listed(v, b, shelf.datasets, order(v, shelf.datasetOrders), func(d *datasetRow) bool {
		return is(department, d.Department) && is(sharing, string(d.Sharing)) && (unused == "" || (unused == "none") == (len(d.Uses) == 0)) && matches(d.text)
	}, "department", "sharing", "use")
	view.Departments = shelf.departmentOptions(v)
	view.Choices = options(v, "", "全部共享属性", "unconditional", "无条件共享", "conditional", "有条件共享", "withheld", "不予共享")
	view.More = options(v, "", "用到与否", "used", "有材料用到", "none", "没有材料用到")
	view.Sorts = options(v, "", "目录顺序", "name", "按名称", "uses", "用到多的在前")
	return frame.Show("datasets.html", "数据资源", view), nil
}

// SharingName gives the sharing class in Chinese.
func (d *datasetRow) SharingName() string { return sharingName(d.Sharing) }

// SharingChip gives the kind of chip that the class has.
func (d *datasetRow) SharingChip() string { return sharingChip(d.Sharing) }

// UpdateName says how often it is brought up to date.
func (d *datasetRow) UpdateName() string { return updateName(d.Update) }
