package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"mianti/catalog"
)

// proofView is one set of records that together settle a material.
type proofView struct {
	For              string           `json:"for,omitempty" doc:"只适用于这类当事人"`
	StandardMaterial string           `json:"standard_material,omitempty"`
	Lookups          []catalog.Lookup `json:"lookups"`
	Check            string           `json:"check,omitempty" doc:"核验条件 (CEL)"`
	CheckText        string           `json:"check_text,omitempty"`
}

// materialView is a material as callers read it.
type materialView struct {
	Code             string         `json:"code"`
	Matter           string         `json:"matter"`
	Name             string         `json:"name"`
	Kind             string         `json:"kind"`
	Need             string         `json:"need" enum:"required,conditional"`
	When             string         `json:"when,omitempty" doc:"需要提交的条件"`
	Basis            []string       `json:"basis" doc:"设定依据"`
	Origin           string         `json:"origin"`
	StandardMaterial string         `json:"standard_material,omitempty"`
	Subjects         []string       `json:"subjects" doc:"属于哪些角色"`
	Proofs           []proofView    `json:"proofs"`
	Prior            []string       `json:"prior" doc:"可用其结果的事项"`
	PriorAll         bool           `json:"prior_all,omitempty"`
	Chain            []catalog.Step `json:"chain" doc:"免提交方式, 按顺位"`
	Note             string         `json:"note,omitempty"`
}

func viewMaterial(m *catalog.Material) materialView {
	v := materialView{
		Code: m.Code, Matter: matterOf(m.Code), Name: m.Name, Kind: m.Kind, Need: string(m.Need), When: m.When,
		Basis: list(m.Basis), Origin: m.Origin, StandardMaterial: m.StandardMaterial, Subjects: list(m.Subjects),
		Proofs: []proofView{}, Prior: list(m.Prior), PriorAll: m.PriorAll, Chain: list(m.Chain), Note: m.Note,
	}
	for i := range m.Proofs {
		p := &m.Proofs[i]
		v.Proofs = append(v.Proofs, proofView{
			For: string(p.For), StandardMaterial: p.StandardMaterial, Lookups: list(p.Lookups), Check: p.Check, CheckText: p.CheckText,
		})
	}
	return v
}

// matterOf gives the matter that a material belongs to: its code goes on from
// the matter's.
func matterOf(material string) string {
	if at := strings.LastIndexByte(material, '.'); at > 0 {
		return material[:at]
	}
	return ""
}

type materialQuery struct {
	ListQuery
	Matter           string `query:"matter" maxLength:"64" doc:"事项短码"`
	OneThing         string `query:"one_thing" maxLength:"64" doc:"一件事代码"`
	StandardMaterial string `query:"standard_material" maxLength:"64" doc:"标准材料代码"`
	Mode             string `query:"mode" enum:"form,elicense,data,prior,history,assist,commit,defer,cancel,upload" doc:"顺位中含有这种方式"`
}

func (s *server) registerMaterials() {
	handle(s, s.operation(http.MethodGet, "/v1/materials", "list-materials", "材料清单", catalogTag, 304, 422), s.listMaterials)
	handle(s, s.operation(http.MethodGet, "/v1/materials/{code}", "read-material", "读取材料", catalogTag, 304, 404, 422), s.readMaterial)
}

func (s *server) listMaterials(ctx context.Context, in *materialQuery) (*listOutput[materialView], error) {
	l, err := s.listingOf(ctx, []string{in.OneThing, in.Matter}, in.ListQuery, "materials", "matter", in.Matter, "one_thing", in.OneThing,
		"standard_material", in.StandardMaterial, "mode", in.Mode)
	if err != nil {
		return nil, err
	}
	keep := func(m *catalog.Material) bool {
		return is(in.Matter, matterOf(m.Code)) && inOneThing(l.rev, in.OneThing, m) && provesAs(m, in.StandardMaterial) &&
			hasMode(m, in.Mode) && l.matches(m.Code, m.Name)
	}
	return listed(l, l.rev.Materials(), func(m *catalog.Material) string { return m.Code }, keep, viewMaterial)
}

func inOneThing(rev *catalog.Revision, code string, m *catalog.Material) bool {
	if code == "" {
		return true
	}
	matter := rev.Matter(matterOf(m.Code))
	return matter != nil && matter.OneThing == code
}

func provesAs(m *catalog.Material, standard string) bool {
	return is(standard, m.StandardMaterial) ||
		slices.ContainsFunc(m.Proofs, func(p catalog.Proof) bool { return p.StandardMaterial == standard })
}

func hasMode(m *catalog.Material, mode string) bool {
	return mode == "" || slices.ContainsFunc(m.Chain, func(s catalog.Step) bool { return string(s.Mode) == mode })
}

func (s *server) readMaterial(ctx context.Context, in *codePath) (*itemOutput[materialView], error) {
	rev, err := s.revision(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	return read(in, rev, rev.Material(in.Code), unknownCode("unknown-material", "材料"), viewMaterial)
}
