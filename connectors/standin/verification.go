package standin

import (
	"fmt"
	"net/http"
)

// The results of a verification (查验结果).
const (
	verifiedGood      = "0" // 正确且有效
	verifiedInactive  = "1" // 正确，未激活
	verifiedSuspended = "2" // 正确，暂时失效
	verifiedOver      = "3" // 正确，已失效
	verifiedPartial   = "4" // 信息不全
	verifiedNone      = "5" // 查无此信息
	verifiedMissing   = "6" // 缺参数
	verifiedWrong     = "7" // 部分有误
)

// verifyLicence says whether what somebody has before him is what the register
// holds. certData holds holder, holderCode, certNo, and fields by their Chinese
// names.
//
//	POST {path}/verifyCertInfo
//	{"certTypeCode", "certData": {"holder", "holderCode", "certNo", …}, "useCause"}
//	{"head": {"status": "0"}, "data": {"result": "0", "message": "…"}}
func (s *Server) verifyLicence(w http.ResponseWriter, r *http.Request) {
	var q struct {
		CertTypeCode string            `json:"certTypeCode"`
		CertData     map[string]string `json:"certData"`
		UseCause     string            `json:"useCause"`
	}
	if !read(w, r, &q) {
		return
	}
	t := s.licences[licenceKey{r.PathValue("department"), q.CertTypeCode}]
	if t == nil {
		s.send(w, behaviour{}, "", licenceVerdict(statusBadValue, "证照类型代码有误"))
		return
	}
	number := q.CertData["holderCode"]
	s.counts[t.dataset.Code].Add(1)
	b := s.behaviour(t.dataset.Code, number)
	if s.licenceInterrupted(w, r, &b) {
		return
	}
	if head := checkCause(q.UseCause); head != nil {
		s.send(w, b, "", head)
		return
	}
	result, err := s.verified(t, q.CertData, b)
	if err != nil {
		s.send(w, b, "", licenceVerdict(statusBusy, "系统异常"))
		return
	}
	s.send(w, b, number, licenceFound(map[string]string{"result": result, "message": "查验结果见 result"}))
}

func (s *Server) verified(t *template, sent map[string]string, b behaviour) (string, error) {
	if sent["holder"] == "" || sent["holderCode"] == "" {
		return verifiedMissing, nil
	}
	var subject *entity
	for _, kind := range t.dataset.AskedBy {
		if e := s.registry.byNumber[kind][sent["holderCode"]]; e != nil && subject == nil {
			subject = e
		}
	}
	held, err := s.held(t, subject, b)
	switch {
	case err != nil:
		return "", err
	case len(held) == 0:
		return verifiedNone, nil
	}
	h := &held[0]
	if result := compared(t, h, sent); result != verifiedGood {
		return result, nil
	}
	switch {
	case b.fault == FaultInactive:
		return verifiedInactive, nil
	case b.fault == FaultSuspended:
		return verifiedSuspended, nil
	case h.revoked || b.fault == FaultExpired:
		return verifiedOver, nil
	}
	return verifiedGood, nil
}

// compared holds what was sent against the record.
func compared(t *template, h *holding, sent map[string]string) string {
	if spelling(h.name) != spelling(sent["holder"]) {
		return verifiedWrong
	}
	if number := sent["certNo"]; number != "" && number != h.certNumber() {
		return verifiedWrong
	}
	for _, field := range t.dataset.Fields {
		value, asked := sent[field.Name]
		if !asked {
			continue
		}
		own, held := h.fields[field.Code]
		switch {
		case !held:
			return verifiedPartial
		case fmt.Sprint(inLicence(field.Type, own)) != value:
			return verifiedWrong
		}
	}
	return verifiedGood
}

// certNumber is the number that is printed on the licence.
func (h *holding) certNumber() string { return fmt.Sprintf("证%08d%02d", h.subject.index, h.ordinal) }
