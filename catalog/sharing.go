package catalog

// Sharing (共享属性) is the class by which a department shares a dataset or a
// field (政务数据共享条例, art. 14).
type Sharing string

// The three classes.
const (
	SharingUnconditional Sharing = "unconditional" // 无条件共享
	SharingConditional   Sharing = "conditional"   // 有条件共享
	SharingWithheld      Sharing = "withheld"      // 不予共享
)

// SharingTerms (共享条件) are what the law wants said of a class (条例, art. 15).
type SharingTerms struct {
	// Scope (共享范围) and Purpose (使用用途) are a conditional class's.
	Scope   string `json:"scope,omitempty"`
	Purpose string `json:"purpose,omitempty"`
	// Clause (不予共享依据) is the provision of a law, an administrative regulation
	// or a decision of the State Council that withholds.
	Clause string `json:"clause,omitempty"`
}

// Field (数据项) is one item of a dataset.
type Field struct {
	Code string    `json:"code"` // snake case; the name in conditions and answers
	Name string    `json:"name"` // Chinese; the name at the source
	Type FieldType `json:"type"`
	// Sharing is the field's own class; empty means the dataset's.
	Sharing Sharing `json:"sharing,omitempty"`
	SharingTerms
}

// SharingOf gives the class of a field: its own, or the dataset's. Nothing of a
// withheld dataset is shared.
func (d *Dataset) SharingOf(f *Field) Sharing {
	if f.Sharing == "" || d.Sharing == SharingWithheld {
		return d.Sharing
	}
	return f.Sharing
}

// TermsOf gives the terms of a field: its own where it has a class of its own,
// completed by the dataset's where both are of one class.
func (d *Dataset) TermsOf(f *Field) SharingTerms {
	terms := f.SharingTerms
	if d.SharingOf(f) != d.Sharing {
		return terms
	}
	for _, text := range []struct {
		own      *string
		datasets string
	}{{&terms.Scope, d.Scope}, {&terms.Purpose, d.Purpose}, {&terms.Clause, d.Clause}} {
		if *text.own == "" {
			*text.own = text.datasets
		}
	}
	return terms
}
