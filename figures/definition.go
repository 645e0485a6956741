package figures

import "mianti/sharing"

// The definitions are printed beside the numbers, so that nobody has to guess
// what was counted (docs/decisions/0027-figures.md).

func (r *reading) marked() Figure {
	f := Figure{
		Code: "marked", Name: "标注免提交率",
		Definition: "目录中标注可以免提交的材料数 ÷ 目录中各事项的材料总数。可以免提交，指核验链上有共享、核验、承诺、取消等不需要申请人提交的方式；只有上传、容缺后补的不算。按当前目录统计，与起止日期无关。",
	}
	for _, m := range r.rev.Matters() {
		if r.covers(m) {
			can, all := marked(m)
			f.Part += can
			f.Whole += all
		}
	}
	f.Beside = []Beside{}
	return f
}

func actual(byWay map[Way]int) Figure {
	f := Figure{
		Code: "actual", Name: "实际免提交率",
		Definition: "已办结办件中，没有由申请人提交而已核验通过的材料次数 ÷ 适用的材料次数。一个事项向一名当事人索要一种材料计一次；办件以办结或各事项均已决定之日计入，每件只计一次，撤回的不计。不适用的材料不在分子也不在分母；以承诺代替的、申请人选择自行提交的在分母、不在分子。",
		Part:       byWay[Exempt],
		Beside:     []Beside{{"不适用", byWay[NotApplicable]}, {"申请人选择自行提交", byWay[Chosen]}, {"以承诺代替", byWay[Committed]}},
	}
	for way, n := range byWay {
		if way != NotApplicable {
			f.Whole += n
		}
	}
	return f
}

func (r *reading) atOnce() Figure {
	f := Figure{
		Code: "at_once", Name: "一次办结率",
		Definition: "首次核验之后没有再要求申请人补交材料的办结办件 ÷ 经核验办结的办件。按受理办件的部门统计；按事项筛选时，只含单独办理该事项的办件。",
	}
	withdrawn := 0
	for _, c := range r.cases {
		f.Part += c.AtOnce
		f.Whole += c.Finished
		withdrawn += c.Withdrawn
	}
	f.Beside = []Beside{{"撤回的办件", withdrawn}}
	return f
}

// fieldShare has no number: the forms are those of the approval systems.
func fieldShare() Figure {
	return Figure{
		Code: "field_share", Name: "字段共享率",
		Definition: "由共享数据预填的表单字段数 ÷ 全部表单字段数。",
		Absent:     "申请表单由各审批系统制作和保存，平台不知道一张表单有多少字段、其中多少由共享数据预填，因此不给出数字。",
		Beside:     []Beside{},
	}
}

func (r *reading) demand() Figure {
	f := Figure{
		Code: "demand", Name: "需求满足率",
		Definition: "在法定期限内答复并且全部同意的共享申请 ÷ 收到的共享申请（政务数据共享条例第二十一条）。按提供部门统计；按收到之日计入。撤回的、正在补正的和尚在答复期限内的不计；部分同意的不计为满足，单列。",
	}
	part, waiting := 0, 0
	for i := range r.requests {
		request := &r.requests[i]
		if r.q.Department != "" && request.Provider != r.q.Department {
			continue
		}
		replied, late := request.Reply(r.days)
		switch {
		case request.State == sharing.Withdrawn:
		case replied.IsZero() && !late(r.now):
			waiting++
		default:
			f.Whole++
			agreed := request.Agreed()
			if !replied.IsZero() && !late(replied) && agreed == len(request.Items) {
				f.Part++
			} else if agreed > 0 && agreed < len(request.Items) {
				part++
			}
		}
	}
	f.Beside = []Beside{{"部分同意", part}, {"尚未到期", waiting}}
	return f
}

// correctionDays is how long the provider has to answer (条例, art. 26).
const correctionDays = 10

func (r *reading) inTime() Figure {
	f := Figure{
		Code: "correction", Name: "校核按期率",
		Definition: "在十个工作日内核实答复的数据校核 ÷ 已经答复或者已过期限的数据校核（政务数据共享条例第二十六条）。按提供部门统计；按提出之日计入，转由其他部门办理的，自转出之日起算。撤回的和尚在期限内的不计。",
	}
	waiting := 0
	for _, c := range r.corrections {
		if c.Withdrawn || r.q.Department != "" && c.Provider != r.q.Department {
			continue
		}
		due := r.days.Add(c.OpenedAt, correctionDays)
		answered := c.AnsweredAt
		if answered.IsZero() && r.now.Before(due) {
			waiting++
			continue
		}
		f.Whole++
		if !answered.IsZero() && answered.Before(due) {
			f.Part++
		}
	}
	f.Beside = []Beside{{"尚未到期", waiting}}
	return f
}

// SourceDefinition says how the times of sources are counted.
func SourceDefinition() string {
	return "P95 应答时间：同一数源有应答的调用从发出到收回，按时间从短到长排列，第 95% 的一次所用的时间（最近序位法）。时间分档计数，取所在档的上限，比实际多不到一成。没有应答的调用不在其中，另计为失败；定时探测不计。"
}
