package suggest

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// asked is a name taken apart.
type asked struct {
	text    string   // without remarks
	forms   []string // the text in the ways in which it may be meant, the likeliest first
	roles   []string
	remarks []string
	also    []string // further papers that stand in brackets: （或户口簿）
}

// read takes a name apart: what it is called, whose it is, and how it is handed in.
func (w *words) read(name string) asked {
	text := w.plain(name)
	bare, inline, inside := brackets(text)
	out := asked{}
	var aliases []string
	for _, content := range inside {
		switch kind := w.bracket(content); kind {
		case bracketRemark:
			inline = strings.Replace(inline, content, "", 1)
			out.remarks = append(out.remarks, content)
			out.roles = appendNew(out.roles, w.rolesIn(content)...)
		case bracketAlso:
			inline = strings.Replace(inline, content, "", 1)
			out.also = append(out.also, strings.TrimLeft(content, joints))
		case bracketName:
			aliases = append(aliases, content)
		}
	}
	bare = w.unremarked(bare, &out)
	inline = w.unremarked(inline, &asked{})
	out.text = w.strip(bare, &out)
	out.forms = []string{out.text}
	add := func(form string) {
		if form != "" && !slices.Contains(out.forms, form) {
			out.forms = append(out.forms, form)
		}
	}
	if inline != bare {
		add(w.strip(inline, &asked{}))
	}
	for _, form := range slices.Clone(out.forms) {
		add(w.unroled(form, &out))
	}
	for _, form := range slices.Clone(out.forms) {
		for _, word := range w.MaybeLeading {
			if rest, ok := strings.CutPrefix(form, word); ok {
				add(rest)
			}
		}
	}
	for _, alias := range aliases {
		if w.paper(w.key(alias)) != nil {
			add(alias)
		}
	}
	return out
}

// brackets gives a text without what stands in brackets, the text without the brackets
// alone, and what stands in them. A bracket that is not closed goes to the end.
func brackets(text string) (bare, inline string, inside []string) {
	var out, all, content strings.Builder
	depth := 0
	for _, r := range text {
		switch {
		case r == '(':
			depth++
		case r == ')' && depth > 0:
			if depth--; depth == 0 {
				inside = append(inside, content.String())
				content.Reset()
			}
		case r == ')':
		case depth > 0:
			content.WriteRune(r)
			all.WriteRune(r)
		default:
			out.WriteRune(r)
			all.WriteRune(r)
		}
	}
	if content.Len() > 0 {
		inside = append(inside, content.String())
	}
	if out.Len() == 0 { // all of it is in brackets
		return all.String(), all.String(), nil
	}
	return out.String(), all.String(), inside
}

type bracketKind int

const (
	bracketRemark bracketKind = iota // says how it is handed in, or when
	bracketName                      // belongs to the name, or is another one of it
	bracketAlso                      // asks for a further paper
)

// joints are what joins two papers in one name.
const joints = "或和及与、,;/+"

func (w *words) bracket(content string) bracketKind {
	rest := w.unformed(content)
	switch {
	case rest == "" || count.MatchString(rest):
		return bracketRemark
	case w.paper(w.key(content)) != nil: // 不动产登记证明 begins as a remark may
		return bracketName
	case strings.HasPrefix(content, "或") || strings.HasPrefix(content, "和") || strings.HasPrefix(content, "及"):
		return bracketAlso
	case len([]rune(content)) > 14, slices.ContainsFunc(w.Remarks, func(p string) bool { return strings.HasPrefix(content, p) }):
		return bracketRemark
	case len(w.rolesIn(content)) > 0 && w.rolesOnly(content):
		return bracketRemark
	default:
		return bracketName
	}
}

// count is how many of something: 各1份, 一式三份, 2张.
var count = regexp.MustCompile(`^(?:各|共|均|一式)*[0-9一二三四五六七八九十两叁贰壹]*(?:份|张|套|本|页|件|联|个|寸)*$`)

// tails and heads of a name that say how many there are.
var (
	countTail = regexp.MustCompile(`(?:各|共|均|一式)*[0-9一二三四五六七八九十两叁贰壹]+(?:份|张|套|页|件|联)$`)
	countHead = regexp.MustCompile(`^[0-9一二三四五六七八九十两]+(?:份|张|套|件)|^(?:最近|近|连续)?[0-9一二三四五六七八九十两半]+(?:个月|年|日)(?:以上|以内|内)?的?`)
	asksFor   = regexp.MustCompile(`^.{0,24}?(?:还|应当|需要|需|须|应|可|的|,|员|业|^)(?:提供|提交|出示|携带)的?`)
	issuer    = regexp.MustCompile(`^.{2,20}?(?:出具|开具|核发|颁发|签发|提供|发放|打印|公证)的`)
)

// unformed takes the words that say how a paper is handed in off a text.
func (w *words) unformed(text string) string {
	for {
		before := text
		text = strings.TrimRight(strings.TrimLeft(text, "、,;/+:的"), joints+":的含")
		for _, form := range w.handling {
			if rest, ok := strings.CutSuffix(text, form); ok {
				text = rest
				break
			}
		}
		text = countTail.ReplaceAllString(text, "")
		if text == before {
			return text
		}
	}
}

// strip takes remarks off both ends of a name, and notes them.
func (w *words) strip(text string, note *asked) string {
	rest := w.unformed(text)
	if rest == "" {
		return text
	}
	if remark := strings.TrimPrefix(text, rest); remark != text && remark != "" {
		note.remarks = append(note.remarks, strings.Trim(remark, joints))
	}
	rest = rest[len(countHead.FindString(rest)):]
	for _, before := range []*regexp.Regexp{asksFor, issuer} {
		if cut := rest[len(before.FindString(rest)):]; utf8.RuneCountInString(cut) >= 2 {
			rest = cut
		}
	}
	for again := true; again; {
		again = false
		for _, word := range w.leading {
			if cut, ok := strings.CutPrefix(rest, word); ok && len([]rune(cut)) >= 2 {
				rest, again = strings.TrimPrefix(cut, "的"), true
				break
			}
		}
	}
	return rest
}

// unremarked takes off what stands after a comma and is a remark: 身份证，验原件.
func (w *words) unremarked(text string, note *asked) string {
	for at := strings.LastIndexAny(text, ",;"); at > 0; at = strings.LastIndexAny(text, ",;") {
		after := text[at+1:]
		remark := slices.ContainsFunc(w.Remarks, func(p string) bool { return strings.HasPrefix(after, p) }) || w.unformed(after) == ""
		if !remark || w.kind(w.key(after)) != "" || w.paper(w.key(after)) != nil {
			return text
		}
		note.remarks = append(note.remarks, after)
		text = text[:at]
	}
	return text
}

// unroled takes off a name whose paper it is, and notes it.
func (w *words) unroled(text string, note *asked) string {
	for {
		cut, role := w.cutRole(text)
		if role == "" {
			return text
		}
		note.roles = appendNew(note.roles, role)
		text = w.strip(strings.TrimLeft(cut, "的"+joints), &asked{})
	}
}

// shortestOwn is the least length of a known name that something may stand before or
// after, and longestSomebody the greatest of a word that names somebody.
const (
	shortestOwn     = 3
	longestSomebody = 12
)

// loosest bounds how many ways to leave something out are tried.
const loosest = 16

// looser gives what is left of a name without what does not say which paper it is: whom
// it belongs to or comes from, what it was made for, of which sort it is. The least is
// left out first. It counts only where what is left is known.
func (w *words) looser(in asked) []string {
	if w.vague(in.text) {
		return nil
	}
	tried := slices.Clone(in.forms)
	for at := 0; at < len(tried) && len(tried) < len(in.forms)+loosest; at++ {
		form := tried[at]
		for _, own := range slices.Concat(w.owned(form), w.afterOf(form), w.unqualified(form)) {
			if utf8.RuneCountInString(own) >= shortestOwn && !w.vague(own) && !w.elliptic[w.key(own)] {
				tried = appendNew(tried, own)
			}
		}
	}
	return tried[len(in.forms):]
}

// owned gives the endings of a name before which a word stands that names somebody, the
// longest first.
func (w *words) owned(text string) []string {
	runes := []rune(text)
	var out []string
	for at := 1; at <= longestSomebody && len(runes)-at >= shortestOwn; at++ {
		before, own := string(runes[:at]), string(runes[at:])
		somebody := slices.ContainsFunc(w.Somebody, func(end string) bool { return strings.HasSuffix(before, end) })
		if somebody && !w.joinsPapers(before) {
			out = append(out, strings.TrimPrefix(own, "的"))
		}
	}
	return out
}

// afterOf gives what stands after 的: 与用人单位签订的劳动合同.
func (w *words) afterOf(text string) []string {
	var out []string
	for at, r := range text {
		if r == '的' && !w.joinsPapers(text[:at]) {
			out = append(out, text[at+len("的"):])
		}
	}
	return out
}

// unqualified gives a name without a word before or after it that says of which sort the
// paper is, or in what form it is had.
func (w *words) unqualified(text string) []string {
	var out []string
	for _, word := range w.qualifiers {
		if rest, ok := strings.CutPrefix(text, word); ok {
			out = append(out, rest)
		}
	}
	for _, word := range w.trailing {
		if rest, ok := strings.CutSuffix(text, word); ok {
			out = append(out, rest)
		}
	}
	return out
}

// joinsPapers reports whether a beginning joins something to what may be a paper: it is
// then not said of what follows. 申请人及配偶 joins persons only.
func (w *words) joinsPapers(before string) bool {
	return joint.MatchString(before) && slices.ContainsFunc(joint.Split(before, -1), func(part string) bool {
		return w.kind(w.key(part)) != "" || strings.ContainsAny(part, "证书照簿")
	})
}

// cutRole takes one role off the beginning of a name, if something is left.
func (w *words) cutRole(text string) (rest, role string) {
	for _, r := range w.roles {
		if cut, ok := strings.CutPrefix(text, r.word); ok && len([]rune(strings.TrimLeft(cut, "的"+joints))) >= 2 {
			return cut, r.means
		}
	}
	return text, ""
}

// rolesIn lists the roles that a remark names.
func (w *words) rolesIn(text string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(joints, r) }) {
		for _, r := range w.roles {
			if part == r.word {
				out = appendNew(out, r.means)
			}
		}
	}
	return out
}

// rolesOnly reports whether a text names roles and nothing else.
func (w *words) rolesOnly(text string) bool {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(joints, r) })
	for _, part := range parts {
		if !slices.ContainsFunc(w.roles, func(r ending) bool { return r.word == part }) {
			return false
		}
	}
	return len(parts) > 0
}

// joint is where a name may join two papers.
var joint = regexp.MustCompile(`以及|或者|[、,;/+]|或|和|及|与`)

func (a asked) joined() bool { return len(a.also) > 0 || joint.MatchString(a.text) }

// split gives the names that a name joins. A part that names nothing but a role
// belongs to the next.
func (w *words) split(whole asked) []asked {
	var out []asked
	var roles []string
	for _, text := range append(joint.Split(whole.text, -1), whole.also...) {
		if w.unformed(text) == "" {
			continue
		}
		if w.rolesOnly(text) {
			roles = appendNew(roles, w.rolesIn(text)...)
			continue
		}
		part := w.read(text)
		part.roles = appendNew(part.roles, append(roles, whole.roles...)...)
		part.remarks = appendNew(part.remarks, whole.remarks...)
		roles = nil
		out = append(out, part)
	}
	return out
}

// appendNew appends what is not there yet.
func appendNew(list []string, more ...string) []string {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}
