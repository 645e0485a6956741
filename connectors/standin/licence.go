package standin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/internal/identifier"
)

// The statuses of the licence platform.
const (
	statusOK       = "0"
	statusBusy     = "2"
	statusNone     = "10"
	statusEmpty    = "12"
	statusBadValue = "102"
)

const (
	// identifierRoot is the object identifier under which GB/T 36904 numbers licences.
	identifierRoot = "1.2.156.3005.2."
	version        = "001"
	inForce        = "01"
	notInForce     = "05"
)

// licenceKey finds the dataset of a type of licence. A department may use the
// type code of another.
type licenceKey struct {
	department string
	typeCode   string
}

type licenceHead struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type licenceHolder struct {
	Name     string `json:"name"`
	Code     string `json:"code"`
	CodeType string `json:"codeType"`
}

type licenceData struct {
	CertIdentifier string          `json:"certIdentifier"`
	CertTypeCode   string          `json:"certTypeCode"`
	CertName       string          `json:"certName"`
	CertNumber     string          `json:"certNumber"`
	Issuer         string          `json:"issuer"`
	IssueDate      string          `json:"issueDate"`
	ValidFrom      string          `json:"validFrom"`
	ValidTo        string          `json:"validTo"`
	Holders        []licenceHolder `json:"holders"`
	Status         string          `json:"status"`
	Extension      map[string]any  `json:"extension"`
}

// addLicence registers the dataset at the licence platform, if it is one.
func (s *Server) addLicence(t *template) error {
	d := t.dataset
	if d.Certificate == nil {
		return nil
	}
	if s.catalog.Department(d.Department) == nil {
		return fmt.Errorf("dataset %s: no department %q", d.Code, d.Department)
	}
	for _, key := range []licenceKey{{d.Department, typeCode(d)}, {d.Department, plain(typeCode(d))}} {
		if other := s.licences[key]; other != nil && other != t {
			return fmt.Errorf("datasets %s and %s: one licence type", d.Code, other.dataset.Code)
		}
		s.licences[key] = t
	}
	return nil
}

// typeCode is the dataset's licence type, or its own code where none is given.
func typeCode(d *catalog.Dataset) string {
	if d.Certificate.TypeCode != "" {
		return d.Certificate.TypeCode
	}
	return d.Code
}

// plain drops what may not stand in an identifier.
func plain(code string) string { return strings.ReplaceAll(code, "-", "") }

// findLicences answers the first step: the identifiers of a holder's licences.
func (s *Server) findLicences(w http.ResponseWriter, r *http.Request) {
	var q struct {
		HolderCode     string `json:"holderCode"`
		HolderName     string `json:"holderName"`
		HolderTypeCode string `json:"holderTypeCode"`
		CertTypeCode   string `json:"certTypeCode"`
		UseCause       string `json:"useCause"`
	}
	if !read(w, r, &q) {
		return
	}
	t := s.licences[licenceKey{r.PathValue("department"), q.CertTypeCode}]
	if t == nil {
		s.send(w, behaviour{}, "", licenceVerdict(statusBadValue, "证照类型代码有误"))
		return
	}
	s.counts[t.dataset.Code].Add(1)
	b := s.behaviour(t.dataset.Code, q.HolderCode)
	if s.licenceInterrupted(w, r, &b) {
		return
	}
	if head := checkCause(q.UseCause); head != nil {
		s.send(w, b, "", head)
		return
	}
	held, err := s.held(t, s.licenceHolder(t, q.HolderTypeCode, q.HolderName, q.HolderCode), b)
	switch {
	case err != nil:
		s.send(w, b, "", licenceVerdict(statusBusy, "系统异常"))
	case len(held) == 0:
		s.send(w, b, "", licenceVerdict(statusNone, "未找到匹配的证照"))
	default:
		list := make([]string, 0, len(held))
		for _, h := range held {
			list = append(list, s.identifier(t.dataset, &h))
		}
		s.send(w, b, "", licenceFound(map[string]any{"certIdentifiers": list}))
	}
}

// licenceInterrupted waits and plays the faults of the platform.
func (s *Server) licenceInterrupted(w http.ResponseWriter, r *http.Request, b *behaviour) bool {
	switch b.fault {
	case FaultDown:
		if s.wait(r.Context(), b.delay) {
			panic(http.ErrAbortHandler) // cuts the connection
		}
		return true
	case FaultBusy:
		if s.wait(r.Context(), b.delay) {
			s.send(w, *b, "", licenceVerdict(statusBusy, "源系统暂未提供服务"))
		}
		return true
	default:
		return s.interrupted(w, r, b)
	}
}

// licenceHolder finds a holder by the platform's kinds; all things share one.
func (s *Server) licenceHolder(t *template, holderType, name, number string) *entity {
	for _, kind := range t.dataset.AskedBy {
		if holderTypeCode(kind) != holderType {
			continue
		}
		if e := s.registry.lookUp(kind, name, number); e != nil {
			return e
		}
	}
	return nil
}

func holderTypeCode(kind catalog.PartyKind) string {
	switch kind {
	case catalog.KindPerson:
		return "111"
	case catalog.KindOrganization:
		return "001"
	default:
		return "099"
	}
}

// readLicence answers the second step: one licence by its identifier.
func (s *Server) readLicence(w http.ResponseWriter, r *http.Request) {
	var q struct {
		CertIdentifier string `json:"certIdentifier"`
		UseCause       string `json:"useCause"`
	}
	if !read(w, r, &q) {
		return
	}
	t, subject, ordinal := s.resolve(r.PathValue("department"), q.CertIdentifier)
	if t == nil {
		s.send(w, behaviour{}, "", licenceVerdict(statusNone, "未找到匹配的证照"))
		return
	}
	b := s.behaviour(t.dataset.Code, subject.number)
	if s.licenceInterrupted(w, r, &b) {
		return
	}
	if head := checkCause(q.UseCause); head != nil {
		s.send(w, b, "", head)
		return
	}
	h, err := t.record(subject, ordinal, s.today())
	if err != nil {
		s.send(w, b, "", licenceVerdict(statusBusy, "系统异常"))
		return
	}
	s.spoil(t, &h, b)
	s.send(w, b, subject.number, licenceFound(s.licence(t.dataset, &h, q.CertIdentifier, b.fault == FaultExtraFields)))
}

func licenceVerdict(status, message string) map[string]any {
	return map[string]any{"head": licenceHead{Status: status, Message: message}}
}

func licenceFound(data any) map[string]any {
	return map[string]any{"head": licenceHead{Status: statusOK}, "data": data}
}

func checkCause(cause string) map[string]any {
	switch {
	case strings.TrimSpace(cause) == "":
		return licenceVerdict(statusEmpty, "用证事由为空")
	case utf8.RuneCountInString(cause) > maxPurpose:
		return licenceVerdict(statusBadValue, "用证事由超过200字")
	}
	return nil
}

// identifier numbers a licence by GB/T 36904. The serial says who holds it by
// the place in the population, not by a number of the holder's.
func (s *Server) identifier(d *catalog.Dataset, h *holding) string {
	issuer := s.catalog.Department(d.Department).CreditCode
	kind := slices.Index(d.AskedBy, h.subject.kind)
	serial := fmt.Sprintf("%d%08d%02d", kind, h.subject.index, h.ordinal)
	check := identifier.ElicenseCheck(plain(typeCode(d)) + issuer + serial + version)
	return identifierRoot + strings.Join([]string{plain(typeCode(d)), issuer, serial, version, string(check)}, ".")
}

// resolve finds what an identifier stands for; the template is nil when it
// stands for nothing.
func (s *Server) resolve(department, text string) (*template, *entity, int) {
	parts := strings.Split(strings.TrimPrefix(text, identifierRoot), ".")
	if len(parts) != 5 || len(parts[2]) != 11 {
		return nil, nil, 0
	}
	t := s.licences[licenceKey{department, parts[0]}]
	number, err := strconv.Atoi(parts[2])
	if t == nil || err != nil || number < 0 {
		return nil, nil, 0
	}
	kind, index, ordinal := number/1e10, number/100%1e8, number%100
	if kind >= len(t.dataset.AskedBy) {
		return nil, nil, 0
	}
	all := s.registry.byKind[t.dataset.AskedBy[kind]]
	if index >= len(all) {
		return nil, nil, 0
	}
	return t, all[index], ordinal
}

func (s *Server) licence(d *catalog.Dataset, h *holding, identifier string, more bool) licenceData {
	extension := map[string]any{}
	for _, field := range d.Fields {
		if value, ok := h.fields[field.Code]; ok {
			extension[field.Name] = inLicence(field.Type, value)
		}
	}
	if more {
		extension["内部备注"] = "不应外传"
	}
	status := inForce
	if h.revoked {
		status = notInForce
	}
	until, _ := h.fields[d.ValidUntil].(string)
	issued := s.today().AddDate(-2, 0, 0).Format("20060102")
	holders := []licenceHolder{}
	if !h.anonymous {
		holders = append(holders, licenceHolder{Name: h.name, Code: h.number, CodeType: holderTypeCode(h.subject.kind)})
	}
	return licenceData{
		CertIdentifier: identifier, CertTypeCode: typeCode(d), CertName: d.Name,
		CertNumber: h.certNumber(), Issuer: s.catalog.Department(d.Department).Name,
		IssueDate: issued, ValidFrom: issued, ValidTo: strings.ReplaceAll(until, "-", ""),
		Holders: holders, Status: status, Extension: extension,
	}
}

// inLicence writes a value as licences do: dates without hyphens, yes and no
// in words, lists in one text.
func inLicence(kind catalog.FieldType, value any) any {
	switch value := value.(type) {
	case bool:
		if value {
			return "有"
		}
		return "无"
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case []string:
		return strings.Join(value, "、")
	case string:
		if kind != catalog.FieldDate {
			return value
		}
		day, err := time.Parse(time.DateOnly, value)
		if err != nil {
			return value
		}
		return day.Format("20060102")
	default:
		return value
	}
}
