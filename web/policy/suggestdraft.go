package policy

import (
	"fmt"

	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// Unmapped are the materials of the catalog that are called as the row, and are not yet
// what was confirmed for it.
func (r suggestRow) Unmapped() []*catalog.Material {
	if r.Cause != suggest.CauseDecided || r.Match == nil {
		return nil
	}
	var out []*catalog.Material
	for _, m := range r.Same {
		standard := r.Match.Kind == catalog.ThingStandardMaterial && m.StandardMaterial != r.Match.Code
		common := r.Match.Kind == catalog.ThingCommonMaterial && m.Common == ""
		if standard || common {
			out = append(out, m)
		}
	}
	return out
}

// unmapped counts the materials of the catalog that a draft of what was confirmed would
// change.
func unmapped(rows []suggestRow) int {
	seen := map[string]bool{}
	for _, row := range rows {
		for _, m := range row.Unmapped() {
			seen[m.Code] = true
		}
	}
	return len(seen)
}

// draftMappings puts what was confirmed into a new draft: each material of the catalog
// that is called so gets its standard or common material.
func (s *section) draftMappings(v *frame.Visit, number int, rows []suggestRow) (frame.Answer, error) {
	var edits []catalog.Edit
	seen := map[string]bool{}
	for _, row := range rows {
		for _, m := range row.Unmapped() {
			if seen[m.Code] {
				continue
			}
			seen[m.Code] = true
			written, err := s.Drafts.Catalogs.Thing(v.Context(), number, catalog.ThingMaterial, m.Code)
			if err != nil {
				return frame.Answer{}, err
			}
			edit, err := suggest.Map(written, *row.Match)
			if err != nil {
				return frame.Answer{}, err
			}
			edits = append(edits, edit)
		}
	}
	if len(edits) == 0 {
		return frame.Answer{}, fault.New(fault.Conflict, "nothing-to-map", "已确认的名称在目录中没有要改的同名材料。")
	}
	made, err := s.Drafts.Create(v.Context(), v.Caller, draft.Opening{Title: fmt.Sprintf("按映射对应 %d 份材料", len(edits)), Base: number, Edits: edits})
	if err != nil {
		return frame.Answer{}, err
	}
	return frame.GoSaying("/catalog/drafts/"+made.ID, "已放进草案。"), nil
}
