package catalog

import "strings"

// Label gives the label of an option, or the value itself where it is none.
func (f *Fact) Label(value string) string {
	for _, o := range f.Options {
		if o.Value == value {
			return o.Label
		}
	}
	return value
}

// Topic gives the question as the name of what is asked for.
func (f *Fact) Topic() string { return topic(f.Ask) }

// statement turns a question into what is so when it is answered with yes, or
// with no: "是否委托他人代办" into "委托他人代办". Where leaving a word out would
// leave it open what is denied, the question is quoted with its answer.
func statement(ask string, yes bool) phrase {
	before, rest, ok := strings.Cut(ask, "是否")
	if !ok || strings.Contains(rest, "是否") {
		return phrase{text: "“" + ask + "”的回答为" + choose(yes, "是", "否")}
	}
	said, clear := assertion(rest, yes)
	if several := strings.ContainsAny(rest, "或且并、，；"); !clear || several && !yes {
		return phrase{text: "“" + before + rest + "”的回答为" + choose(yes, "是", "否")}
	} else if several {
		// What is joined inside would run into what the statement is joined to.
		return phrase{text: before + said, joined: "ask"}
	}
	return phrase{text: before + said}
}

// shown says what a yes-or-no item of a record shows.
func shown(item string, yes bool) string {
	if thing, ok := strings.CutSuffix(item, "有无"); ok {
		return choose(yes, "有", "没有") + thing
	}
	if what, ok := strings.CutPrefix(item, "可否"); ok {
		return choose(yes, "可以", "不可以") + what
	}
	return "“" + item + "”为" + choose(yes, "是", "否")
}

// assertion says the part after 是否, and whether that is clear.
func assertion(rest string, yes bool) (string, bool) {
	for _, word := range []struct{ starts, yes, no string }{
		{"不是", "不是", "是"}, {"不", "不", ""}, {"尚未", "尚未", "已"}, {"未", "未", "已"},
		{"有", "有", "没有"}, {"已", "已", "尚未"}, {"为", "是", "不是"}, {"非", "属于非", "不属于非"},
		{"在", "在", "不在"}, {"含", "含", "不含"}, {"属", "属", "不属"}, {"需", "需", "不需"}, {"须", "须", "不须"},
		{"因", "因", "不因"}, {"超", "超", "不超"}, {"涉及", "涉及", "不涉及"}, {"采用", "采用", "不采用"}, {"申请", "申请", "不申请"},
		{"委托", "委托", "不委托"}, {"愿意", "愿意", "不愿意"}, {"可", "可", "不可"}, {"行驶", "行驶", "不行驶"}, {"刻制", "刻制", "不刻制"},
	} {
		if tail, ok := strings.CutPrefix(rest, word.starts); ok {
			return choose(yes, word.yes, word.no) + tail, true
		}
	}
	return rest, yes
}

// topic turns a question into the name of what is asked for. One that is more
// than a name is quoted.
func topic(ask string) string {
	ask = strings.TrimSuffix(ask, "是什么")
	if strings.ContainsAny(ask, "或哪：？、") || strings.Contains(ask, "是否") || strings.Contains(ask, "还是") {
		return "“" + ask + "”的回答"
	}
	return ask
}

// Name gives the kind in Chinese.
func (k PartyKind) Name() string {
	switch k {
	case KindPerson:
		return "自然人"
	case KindOrganization:
		return "法人或其他组织"
	case KindProperty:
		return "房屋"
	case KindVehicle:
		return "车辆"
	case KindProject:
		return "项目"
	case KindAddress:
		return "地址"
	default:
		return string(k)
	}
}

// Name gives the mode in Chinese.
func (m Mode) Name() string {
	switch m {
	case ModeForm:
		return "表单自动生成"
	case ModeElicense:
		return "电子证照"
	case ModeData:
		return "数据共享"
	case ModePrior:
		return "前序结果复用"
	case ModeHistory:
		return "历史材料复用"
	case ModeWait:
		return "等待数源恢复"
	case ModeAssist:
		return "部门协查"
	case ModeCommit:
		return "告知承诺"
	case ModeDefer:
		return "容缺后补"
	case ModeCancel:
		return "直接取消"
	case ModeUpload:
		return "申请人提交"
	default:
		return string(m)
	}
}

// Modes lists the modes in the order in which a chain usually tries them.
func Modes() []Mode {
	return []Mode{ModeForm, ModePrior, ModeElicense, ModeData, ModeHistory, ModeWait, ModeAssist, ModeCommit, ModeDefer, ModeCancel, ModeUpload}
}
