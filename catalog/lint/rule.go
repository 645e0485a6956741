package lint

import "slices"

// Rule (体检规则) is what a catalog is held against.
type Rule string

// The rules. The first four are the 四个一律.
const (
	Basis       Rule = "basis"
	Vague       Rule = "vague"
	Shared      Rule = "shared"
	Commit      Rule = "commit"
	Government  Rule = "government"
	Prior       Rule = "prior"
	Risk        Rule = "risk"
	Twice       Rule = "twice"
	Overlap     Rule = "overlap"
	Gap         Rule = "gap"
	Unreachable Rule = "unreachable"
	Undecided   Rule = "undecided"
	Conflict    Rule = "conflict"
	Grant       Rule = "grant"
	Source      Rule = "source"
	Exempt      Rule = "exempt"
	Unexplained Rule = "explanation"
)

// ruleCount is how many rules there are.
const ruleCount = 17

// Rules lists the rules, in the order in which findings are reported.
func Rules() []Rule {
	return []Rule{Basis, Vague, Shared, Commit, Government, Prior, Risk, Twice, Overlap, Gap, Unreachable, Undecided, Conflict, Grant, Source, Exempt, Unexplained}
}

// FourRules lists the 四个一律.
func FourRules() []Rule { return Rules()[:4] }

func (r Rule) index() int {
	switch r {
	case Basis:
		return 0
	case Vague:
		return 1
	case Shared:
		return 2
	case Commit:
		return 3
	case Government:
		return 4
	case Prior:
		return 5
	case Risk:
		return 6
	case Twice:
		return 7
	case Overlap:
		return 8
	case Gap:
		return 9
	case Unreachable:
		return 10
	case Undecided:
		return 11
	case Conflict:
		return 12
	case Grant:
		return 13
	case Source:
		return 14
	case Exempt:
		return 15
	default:
		return 16
	}
}

// Known reports whether there is such a rule.
func (r Rule) Known() bool { return slices.Contains(Rules(), r) }

// Name gives the rule in Chinese.
func (r Rule) Name() string { return r.text().name }

// Definition says what is counted, so that whoever reads a figure knows what it is
// of.
func (r Rule) Definition() string { return r.text().definition }

// Remedy says what the rule wants done.
func (r Rule) Remedy() string { return r.text().remedy }

// Clause gives the provision that the rule follows.
func (r Rule) Clause() string { return r.text().clause }

// Severity gives how grave a finding is where the catalog does not say otherwise.
func (r Rule) Severity() Severity { return r.text().severity }

// text is what a rule says of itself.
type text struct {
	name, definition, remedy, clause string
	severity                         Severity
}

func (r Rule) text() text {
	switch r {
	case Basis, Vague, Shared, Commit:
		return r.fourRules()
	case Government, Prior, Risk, Twice:
		return r.materialRules()
	case Overlap, Gap, Unreachable, Undecided, Conflict:
		return r.conditionRules()
	case Grant, Source, Exempt, Unexplained:
		return r.measuredRules()
	default:
		return text{name: string(r), severity: Error}
	}
}

func (r Rule) fourRules() text {
	switch r {
	case Basis:
		return text{
			"没有依据的一律清理",
			"材料没有写设定依据（basis）。来自通用材料的，本处和通用材料都没有写才算；已直接取消（顺位只有 cancel）的不算。",
			"补上法律、法规、规章的条款；查无依据的，删去这份材料或改为直接取消。",
			"四个一律；济南市优化营商环境条例第二十九条（清单外不得索要）", Error,
		}
	case Vague:
		return text{
			"模糊兜底的一律明确",
			"材料名称含有“其他”“相关”“有关”，或以“等”“等材料”“等文件”“等证明”一类结尾，申请人看不出要交什么。",
			"写明具体材料的名称，或按情形拆成几份。",
			"四个一律；行政许可法第三十条（公示全部材料目录）", Error,
		}
	case Shared:
		return text{
			"能共享的一律注明免提交",
			"材料的顺位里没有任何一步能免去提交，而以下之一成立：写了证明组合且数源可问；同一标准材料在别处由数据或证照核验。不予共享的数据资源不算能共享。",
			"在顺位里加上数据共享、电子证照或前序结果复用；确实不能的，在说明文件中写明原因。",
			"四个一律；国令716号第七条；政务数据共享条例第十九条", Warning,
		}
	default:
		return text{
			"能承诺的一律告知选择",
			"同一标准材料或同一通用材料在别的事项里可以告知承诺，在这里却要提交而没有承诺可选；或者有承诺一步却没有条件，等于不由申请人选择。",
			"加上 {mode: commit, when: …}，由申请人选择；风险高不宜承诺的，写明原因。",
			"四个一律；国办发〔2020〕42号（承诺自愿）", Warning,
		}
	}
}

func (r Rule) materialRules() text {
	switch r {
	case Government:
		return text{
			"政府核发仍要提交而未说明",
			"材料由政府部门核发，顺位里没有任何一步能免去提交，目录又没有说明（note）为什么不能免。",
			"接入数源；确实不能免的，在 note 写明原因。",
			"国令716号第七条；政务数据共享条例第十九条（不得重复收集）", Warning,
		}
	case Prior:
		return text{
			"同一件事中前序结果未复用",
			"核验要用同一件事中更早办结的另一事项登记的结果，材料却没有写前序结果复用（prior）。",
			"写上 prior，并在顺位最前面加一步前序结果复用。",
			"国令716号第七条；一件事“一套材料”", Warning,
		}
	case Risk:
		return text{
			"不适用告知承诺的领域用了承诺",
			"顺位里有告知承诺，而事项或材料的名称属于不适用告知承诺的领域（国家安全、公共安全、金融审慎监管、生态环境、人身健康和生命财产安全、重要涉外）。按词判断，须由人核对。",
			"核对风险；确属不适用的，去掉承诺一步；可以适用的，在说明文件中写明。",
			"国办发〔2020〕42号（不适用告知承诺的事项）", Warning,
		}
	default:
		return text{
			"同一件事中重复要同一材料",
			"同一件事里，两份名称相同、向同一角色要的材料都可能要申请人提交，又没有同一标准材料，系统不会合并为一份（见 docs/resolution-rules.md）。条件不可能同时成立的不算。",
			"给两份材料写上同一标准材料；确是两份不同文件的，把名称写得不同。",
			"国令716号第七条；一件事“一套材料”", Warning,
		}
	}
}

func (r Rule) conditionRules() text {
	switch r {
	case Overlap:
		return text{
			"情形交叉",
			"同一事项中（或同一件事的事项之间），条件取决于同样情形、互不包含的两项会同时成立。逐一试遍情形的取值得出。",
			"让条件互斥；本来就要两样都有的，在说明文件中写明。",
			"行政许可法第三十条；情形应当明确", Warning,
		}
	case Gap:
		return text{
			"情形有空档",
			"取决于同样情形、彼此互斥的几项之间，有一种取值哪一项也不成立：沿一个情形看去，别的取值各有一项。逐一试遍情形的取值得出。",
			"补上缺的一项，或放宽条件；本来就不要的，在说明文件中写明。",
			"行政许可法第三十条；情形应当明确", Warning,
		}
	case Unreachable:
		return text{
			"用不到的一步",
			"材料或其顺位中的一步在任何情形下都用不到：前面一步总有结果；条件永远不成立；前序事项不可能同在一件之中。（没有可问数源的一步在载入时就不通过。）",
			"删去这一步，或改正条件和顺序。",
			"目录应与实际办理一致", Warning,
		}
	case Undecided:
		return text{
			"条件不能逐一核对",
			"情形的取值组合太多，或条件对情形作了比较以外的运算，交叉、空档和用不到的步骤都没有判断。",
			"把条件拆小，或用选项代替文本和算式。",
			"", Notice,
		}
	default:
		return text{
			"法律规定不一致",
			"一件事的 variants 中写有 conflict：上下位法或不同规定对它的要求不一致，须由目录管理员确认按哪一个办。",
			"确认适用的规定，改好目录后删去 conflict。",
			"立法法（上位法优于下位法）", Warning,
		}
	}
}

func (r Rule) measuredRules() text {
	switch r {
	case Grant:
		return text{
			"没有共享授权或即将到期",
			"顺位里要查别的部门的数据，而这个事项没有有效的共享授权、授权不含所需数据项，或授权将在阈值天数内到期。本部门自己的数据不须授权。",
			"提出共享申请或续期。",
			"政务数据共享条例第二十条、第二十一条", Warning,
		}
	case Source:
		return text{
			"数源经常没有应答",
			"最近一段时间没有应答的调用超过阈值。调用次数太少的不看。",
			"与数源部门协商恢复；恢复前告知受影响的事项。",
			"政务数据共享条例第二十二条、第二十七条", Warning,
		}
	case Exempt:
		return text{
			"标注免提交而实际仍上传",
			"顺位的第一步不须申请人提交，而最近一段时间适用的办件中仍须上传的超过阈值。申请人自己选择提交的不计。",
			"看上传的原因：数据未归集的请数源部门补充，核验条件过严的改正。",
			"国令716号第七条", Warning,
		}
	default:
		return text{
			"说明没有对应的发现",
			"lint.yaml 中的说明所指的发现已经没有了。",
			"删去这条说明。",
			"", Notice,
		}
	}
}
