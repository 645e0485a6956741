package catalog

// validateSharing holds the classes to 政务数据共享条例, art. 14 and 15: what is
// shared on conditions says on which, what is withheld says by which provision.
func (l *loader) validateSharing(at spot, d *Dataset) {
	if d.Terms == "" && (d.Sharing == SharingConditional || d.Sharing == SharingWithheld) {
		l.report(at.in("sharing"), "terms-missing", "有条件共享、不予共享的数据资源要写 terms（条件或依据）")
	}
	l.validateTerms(at, d.Sharing, d.SharingTerms)
	for i := range d.Fields {
		l.validateFieldSharing(at.in("fields", i), d, &d.Fields[i])
	}
}

func (l *loader) validateFieldSharing(at spot, d *Dataset, f *Field) {
	class := f.Sharing
	if class == "" {
		class = d.Sharing
	}
	if d.Sharing == SharingWithheld && class != SharingWithheld {
		l.report(at.in("sharing"), "wider-than-dataset", "%s 整体不予共享，数据项 %s 不能另行共享；要共享部分数据项的，请把数据资源写成有条件共享，只把不能共享的数据项写成 withheld", d.Code, f.Code)
		return
	}
	if class == SharingConditional && d.Sharing != SharingConditional && (f.Scope == "" || f.Purpose == "") {
		l.report(at.in("sharing"), "terms-missing", "数据项 %s 有条件共享，要写 scope（共享范围）和 purpose（使用用途）", f.Code)
	}
	if class == SharingWithheld && d.Sharing == SharingWithheld && f.Clause == "" {
		return // the dataset's clause is the field's
	}
	l.validateTerms(at, class, f.SharingTerms)
}

// validateTerms checks that a class comes with the terms of that class, and of
// no other.
func (l *loader) validateTerms(at spot, class Sharing, terms SharingTerms) {
	switch {
	case class == SharingWithheld && terms.Clause == "":
		l.report(at.in("sharing"), "clause-missing", "不予共享的要写 clause（法律、行政法规或国务院决定的条款）")
	case class != SharingWithheld && terms.Clause != "":
		l.report(at.in("clause"), "terms-unexpected", "只有不予共享的才写 clause")
	}
	if class == SharingConditional {
		return
	}
	for _, text := range []struct{ key, value string }{{"scope", terms.Scope}, {"purpose", terms.Purpose}} {
		if text.value != "" {
			l.report(at.in(text.key), "terms-unexpected", "只有有条件共享的才写 %s", text.key)
		}
	}
}
