package api

import "net/http"

// problemText is what is said of a problem type, whoever meets it.
type problemText struct {
	title       string
	explanation string
	status      int // overrides that of the kind
}

// problemTexts is the one table of problem types. A code is never renamed:
// programs compare it.
func problemTexts() map[string]problemText {
	texts := map[string]problemText{}
	for _, part := range []map[string]problemText{
		requestProblems(), overloadProblems(), caseProblems(), stateProblems(), ledgerProblems(), closingProblems(), systemProblems(), personProblems(), meProblems(), consentProblems(), sharingProblems(), grantProblems(), figuresProblems(), effectProblems(), correctionProblems(), draftProblems(), previewProblems(), safeguardProblems(), evidenceProblems(), batchProblems(), guideProblems(), interchangeProblems(), suggestionProblems(),
	} {
		for code, text := range part {
			texts[code] = text
		}
	}
	return texts
}

// requestProblems are those of a request as such.
func requestProblems() map[string]problemText {
	return map[string]problemText{
		"invalid-request":        {title: "请求不符合接口说明", explanation: "errors 逐条说明位置与原因，按接口说明改正后重试。"},
		"invalid-json":           {title: "JSON 不能接受", explanation: "请求体须是一个 UTF-8 编码的 JSON 值：语法正确、没有重名字段、嵌套不超过 32 层、之后没有别的内容。", status: http.StatusBadRequest},
		"unknown-field":          {title: "有接口没有的字段", explanation: "errors 列出了每个多余的字段。字段名区分大小写。", status: http.StatusBadRequest},
		"missing-body":           {title: "缺少请求体", explanation: "这个操作需要 JSON 请求体。", status: http.StatusBadRequest},
		"unreadable-body":        {title: "请求体没有读完", explanation: "传输中断，或请求体的长度与声明不符。", status: http.StatusBadRequest},
		"request-timeout":        {title: "请求体传得太慢", explanation: "请求体没有在时限内传完，请检查网络后重试。", status: http.StatusRequestTimeout},
		"too-large":              {title: "请求体过大", explanation: "请求体超过上限。材料文件不经过本接口，只登记其摘要。"},
		"unsupported-media-type": {title: "内容类型不支持", explanation: "请求体的 Content-Type 须为 application/json，字符集 UTF-8，不压缩。", status: http.StatusUnsupportedMediaType},
		"not-acceptable":         {title: "没有可接受的响应格式", explanation: "本接口只返回 JSON，请让 Accept 包含 application/json。", status: http.StatusNotAcceptable},
		"method-not-allowed":     {title: "方法不支持", explanation: "这个地址不支持该方法，可用的方法见 Allow 标头。", status: http.StatusMethodNotAllowed},
		"no-such-route":          {title: "没有这个地址", explanation: "接口说明见 /docs。"},
		"bad-cursor":             {title: "翻页标记无效", explanation: "翻页标记只对同一目录修订和同样的筛选条件有效。请从第一页重新查询。"},
		"unauthenticated":        {title: "身份未经验证", explanation: "接入系统的请求须带有效的访问令牌（Authorization: Bearer …）。令牌在 /oauth/token 换取，到期后重新换取；系统被停用后令牌立即失效。人员请到 /auth/ 登录。"},
		"denied":                 {title: "无权办理", explanation: "令牌有效，但所属部门无权做这件事。"},
		"not-your-duty":          {title: "岗位不能使用这项功能", explanation: "已经登录，但您的岗位不包括这项功能。岗位由本部门管理员分派。"},
		"unknown":                {title: "没有找到", explanation: "没有这个对象，或它不属于本部门。"},
		"conflict":               {title: "与现状冲突", explanation: "对象的现状不允许这样做。请重新读取后再试。"},
		"unavailable":            {title: "暂时不可用", explanation: "所需的部分暂时不可用，请按 Retry-After 稍后重试。"},
		"internal":               {title: "系统内部出错", explanation: "不是调用方的问题。请稍后重试；仍然不行时，请凭 request_id 联系运维。"},
	}
}

// caseProblems are those of what a case is told.
func caseProblems() map[string]problemText {
	return map[string]problemText{
		"invalid-case":                 {title: "办件内容不符合要求", explanation: "errors 逐条说明位置与原因。改正之前没有登记任何内容。"},
		"invalid-facts":                {title: "情形或当事人不符合要求", explanation: "errors 逐条说明位置与原因。改正之前没有更改任何内容。"},
		"invalid-result":               {title: "办理结果不符合要求", explanation: "errors 逐条说明位置与原因。"},
		"missing-party":                {title: "缺少当事人", explanation: "材料要求的角色没有当事人。请补充具有该角色的当事人。"},
		"unknown-matter":               {title: "没有这个事项", explanation: "请用 GET /v1/matters 查询事项代码。"},
		"unknown-one-thing":            {title: "没有这个一件事", explanation: "请用 GET /v1/one-things 查询代码。"},
		"unknown-material":             {title: "没有这项材料", explanation: "材料代码见核验结果或 GET /v1/materials。"},
		"unknown-dataset":              {title: "没有这个数据资源", explanation: "请用 GET /v1/datasets 查询代码。"},
		"catalog-too-large":            {title: "目录太大，不能整个列出", explanation: "这样大的目录按一件事读取：请用 one_thing 或 matter 限定，或按代码读取单个事项、材料。"},
		"no-such-revision":             {title: "没有这个目录修订", explanation: "请用 GET /v1/revisions 查询编号。"},
		"invalid-trial":                {title: "试算的内容不符合要求", explanation: "errors 逐条说明位置与原因。试算不保存任何内容。"},
		"unknown-department":           {title: "没有这个部门", explanation: "请用 GET /v1/departments 查询代码。"},
		"unknown-case":                 {title: "没有这个办件", explanation: "没有这个办件，或它不属于本部门。"},
		"unknown-party":                {title: "没有这个当事人", explanation: "这个办件没有这个代号的当事人。当事人的代号见办件。"},
		"unknown-kind":                 {title: "没有这种记录", explanation: "存证的种类见接口说明。"},
		"no-person":                    {title: "只有人员才有用证记录", explanation: "用证记录属于经办人员本人，接入系统没有。"},
		"unknown-resolution":           {title: "没有这个核验结果", explanation: "没有这个核验结果，或它不属于本部门的办件。"},
		"matter-of-another-department": {title: "事项由其他部门办理", explanation: "只有办理该事项的部门，或一件事的牵头部门，可以登记办件。"},
		"unknown-file-link":            {title: "没有这个文件链接", explanation: "链接只能用一次，十分钟内有效，且只对申请它的登录或系统有效。请重新申请。"},
		"unknown-assist-task":          {title: "没有这个协查", explanation: "没有这个协查，或请求协查的不是本部门。"},
		"unknown-source":               {title: "没有这个数源接口", explanation: "目录中没有这个数源接口，或它不属于本部门。"},
		"no-snapshot-source":           {title: "这个数源接口不接收文件", explanation: "只有种类为 snapshot 的数源接口接收文件。"},
		"invalid-snapshot":             {title: "文件没有载入", explanation: "errors 逐行说明位置与原因。整份文件没有载入，此前的数据继续有效。"},
		"invalid-answer":               {title: "答复不符合要求", explanation: "errors 逐条说明位置与原因。改正之前没有登记。"},
		"unstorable-text":              {title: "文字不能保存", explanation: "文字中含有不能保存的字符（如 NUL），请删除后重试。"},
	}
}

// evidenceProblems are those of evidence and of sheets.
func evidenceProblems() map[string]problemText {
	return map[string]problemText{
		"no-evidence":        {title: "这项材料没有凭据", explanation: "只有由部门记录、协查或审批结果核实的材料才有凭据。由表单生成、已取消、承诺或仍需上传的材料没有。"},
		"evidence-withheld":  {title: "凭据不再出具", explanation: "所依据的共享授权或授权同意已不再有效。此前出具的凭据仍可核对；需要新的，请重新核验。"},
		"evidence-removed":   {title: "凭据的数据项已移除", explanation: "事项已办结，数据项的使用目的已经完成。请使用办结前出具的凭据。"},
		"evidence-unsigned":  {title: "没有可以签名的凭据", explanation: "这份核验结果产生于凭据可以签名之前。请重新核验。"},
		"evidence-altered":   {title: "凭据与其摘要不符", explanation: "保存的内容在核验之后被改动过，因此没有出具。不是调用方的问题，请联系运维人员核对存证。", status: http.StatusInternalServerError},
		"keys-unavailable":   {title: "验证公钥暂时读不出来", explanation: "请按 Retry-After 稍后重试。"},
		"no-pdf-font":        {title: "没有配置中文字体", explanation: "PDF 需要一个 TrueType 中文字体文件，由运维人员用 MIANTI_PDF_FONT 指定。网页版核验单不受影响，可在浏览器中打印为 PDF。"},
		"font-lacks-letters": {title: "字体缺字", explanation: "PDF 的字体缺少要用的字，没有生成。请打开网页版核验单打印，或由运维人员用 MIANTI_PDF_FONT 换用收字更全的字体。"},
		"unknown-sheet":      {title: "没有这份核验单", explanation: "请核对二维码或编号；若打印的编号与此一致，请联系出具部门。"},
	}
}

// stateProblems are those of the state that something is in.
func stateProblems() map[string]problemText {
	return map[string]problemText{
		"case-number-conflict":     {title: "办件编号已被使用", explanation: "本部门已有编号相同而内容不同的办件。换一个编号，或用原内容重试。"},
		"result-conflict":          {title: "办理结果已登记", explanation: "该事项的结果已经登记，且与这次不同。登记过的结果不能更改。"},
		"matter-not-applicable":    {title: "本办件不涉及这个事项", explanation: "按已知情形，这个事项被跳过。情形有误时请先更正情形。"},
		"prior-matter-not-granted": {title: "前序事项尚未办结", explanation: "请先登记前序事项的办理结果。"},
		"no-file":                  {title: "没有可以调取的证照文件", explanation: "只有由电子证照核验、且返回数据项的材料，才可以调取证照文件。"},
		"source-unavailable":       {title: "部门暂时没有给出", explanation: "发证部门暂时没有应答。这不代表没有记录，请稍后重试。"},
		"assist-answered":          {title: "协查已经答复", explanation: "一个协查只答复一次。答复有误时，请联系请求协查的部门重新核验。"},
		"assist-outdated":          {title: "协查不再需要答复", explanation: "办件的当事人在协查发起后已经更改。需要时会就更改后的当事人另发协查。"},
		"snapshot-older":           {title: "文件比现有数据旧", explanation: "已有时点更新的数据。确要退回旧数据时，请联系运维人员。"},
		"snapshot-changed":         {title: "另一份文件刚刚载入", explanation: "另一次载入更快。请查看后重试。"},
		"resolution-superseded":    {title: "核验结果已有新版", explanation: "核验在别处已继续。请重新读取。"},
		"case-changed":             {title: "办件刚被更改", explanation: "办件在读取之后被另一个请求更改。请重新读取后再试。"},
		"ambiguous-matter":         {title: "实施编码对应多个事项", explanation: "同一实施编码的事项在不同一件事中要的材料不同。请改用事项短码。"},
		"request-in-progress":      {title: "同一请求正在处理", explanation: "同一 Idempotency-Key 的请求还没有结束。请稍后用同一个键重试。"},
		"idempotency-key-reused":   {title: "Idempotency-Key 已用于另一请求", explanation: "同一个键只能用于同一个请求的重试。请换一个新的键。"},
		"not-recorded":             {title: "未能留痕", explanation: "核验请求未能留痕，因此没有向任何部门查询，也没有返回任何结果。请稍后重试。"},
		"writes-waiting":           {title: "等待存储的请求太多", explanation: "请按 Retry-After 稍后重试。没有办理，也没有留下记录。"},
		"database-unavailable":     {title: "数据库暂时不可用", explanation: "请按 Retry-After 稍后重试。"},
		"no-catalog":               {title: "还没有发布目录", explanation: "运维人员需要先载入一份目录。"},
		"unknown-revision":         {title: "目录修订不可用", explanation: "没有可用的目录修订，请联系运维人员。", status: http.StatusServiceUnavailable},
	}
}
