package catalog

// LintSettings (体检设置) is what a catalog says of its own lint, in lint.yaml. The
// rules are those of package lint; docs/lint.md describes them.
type LintSettings struct {
	// Severities are those of rules that are other than the rule's own: error,
	// warning, notice or off, by rule.
	Severities map[string]string `json:"severities,omitempty"`
	Thresholds LintThresholds    `json:"thresholds,omitzero"`
	// Risks are looked for besides those that come with the rules.
	Risks     []ExcludedRisk    `json:"risks,omitempty"`
	Explained []LintExplanation `json:"explained,omitempty"`
}

// LintThresholds (体检阈值) are where measured figures begin to be findings. Zero
// means what the rules come with.
type LintThresholds struct {
	// UploadShare is how much of a material that is marked as not to be handed in
	// may be uploaded all the same, from 0 to 1.
	UploadShare float64 `json:"upload_share,omitempty"`
	// FailedShare is how many of its calls a source may leave without an answer.
	FailedShare float64 `json:"failed_share,omitempty"`
	// GrantDays is how long before its end a grant is reported.
	GrantDays int `json:"grant_days,omitempty"`
	// Least is from how many cases or calls on a share is looked at.
	Least int `json:"least,omitempty"`
}

// ExcludedRisk (不适用告知承诺的风险) is a field in which nothing may rest on a
// commitment (国办发〔2020〕42号), with the words that tell it.
type ExcludedRisk struct {
	Name  string   `json:"name"`
	Words []string `json:"words"`
}

// LintExplanation (体检说明) says why findings stand as they are. They are shown
// with the reason and do not count as open.
type LintExplanation struct {
	Code string `json:"code"` // unique among them
	Rule string `json:"rule"`
	// At are the codes that it is about: each of a one-thing, a matter, a material,
	// a source, a dataset or a department, and so of all that it holds; or of a common
	// material, and so of all its uses.
	At  []string `json:"at"`
	Key string   `json:"key,omitempty"` // empty means any
	Why string   `json:"why"`
	By  string   `json:"by"`           // who said so
	On  string   `json:"on,omitempty"` // when, as a date
}
