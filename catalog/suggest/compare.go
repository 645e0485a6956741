package suggest

import "strings"

// likeness is how two keys compare.
type likeness struct {
	score   float64
	more    string // what only the first has
	less    string // what only the second has
	against [2]string
	// within says that the first has nothing that the second has not.
	within bool
}

// How much a likeness is worth that is not whole.
const (
	// nearKind is taken off where one name ends as a licence and the other as a proof.
	nearKind = 0.08
	// otherEnd is taken off where the last characters differ: 报告书 and 报告表.
	otherEnd = 0.15
	// abbreviated is what a name is worth that leaves something of another out and adds
	// nothing, where no other paper could be abbreviated so. What puts something before
	// another name has no such bonus: on the development lists it was as often wrong.
	abbreviated = 0.85
	// exchanged bounds the score where each name has what the other has not: they are
	// then two papers more often than one.
	exchanged = 0.6
	// contraryTo bounds it where what is exchanged is known to make another paper.
	contraryTo = 0.3
	// short is a name of which each character counts: what is added to it makes another
	// paper. 设备租赁合同 is not 租赁合同.
	short = 4
	// optionalWeight is what a character of a word that says little counts.
	optionalWeight = 0.2
)

// compare says how alike two keys are. What they share is found in order; what is left
// counts by how much it tells.
func (a *Assistant) compare(x, y []rune) likeness {
	keyX, keyY := string(x), string(y)
	kind := a.words.kind(keyX)
	may, same := a.words.kindsAgree(kind, a.words.kind(keyY))
	if !may {
		return likeness{}
	}
	optional := a.words.optional
	if kind == "form" { // a form is told by what it is for, and by nothing else
		optional = nil
	}
	inX, inY := shared(x, y, a.index.weight)
	weightX, restX := a.weigh(x, inX, optional)
	weightY, restY := a.weigh(y, inY, optional)
	common := 0.0
	for i, in := range inX {
		if in {
			common += a.index.weight(x[i])
		}
	}
	out := likeness{more: rest(x, inX), less: rest(y, inY)}
	out.score = 2 * common / (2*common + weightX + weightY)
	out.within = weightX == 0 && len(x) > short && same
	if !same {
		out.score -= nearKind
	} else if x[len(x)-1] != y[len(y)-1] {
		out.score -= otherEnd
	}
	if restX || restY && sameGap(inX, inY) || len(y) <= short && weightX > 0 || len(x) <= short && restY {
		out.score = min(out.score, exchanged)
	}
	if p, q := a.words.contrary(keyX, keyY); p != "" {
		out.score, out.against = min(out.score, contraryTo), [2]string{p, q}
	}
	return out
}

// shared finds the heaviest common subsequence of two texts, and says which characters
// of each belong to it.
func shared(x, y []rune, weight func(rune) float64) (inX, inY []bool) {
	best := make([][]float64, len(x)+1)
	for i := range best {
		best[i] = make([]float64, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if x[i] == y[j] {
				best[i][j] = max(best[i][j], best[i+1][j+1]+weight(x[i]))
			}
		}
	}
	inX, inY = make([]bool, len(x)), make([]bool, len(y))
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i] == y[j] && best[i][j] == best[i+1][j+1]+weight(x[i]):
			inX[i], inY[j] = true, true
			i++
			j++
		case best[i+1][j] >= best[i][j+1]:
			i++
		default:
			j++
		}
	}
	return inX, inY
}

// weigh gives the weight of what is not shared, and whether it tells anything: words
// such as 企业 and 有关 do not.
func (a *Assistant) weigh(text []rune, in []bool, optional []string) (weight float64, tells bool) {
	little := make([]bool, len(text))
	for _, word := range optional {
		runes := []rune(word)
		for at := 0; at+len(runes) <= len(text); at++ {
			if string(text[at:at+len(runes)]) == word && !anyOf(in[at:at+len(runes)]) {
				for i := range runes {
					little[at+i] = true
				}
			}
		}
	}
	for i, r := range text {
		switch {
		case in[i]:
		case little[i]:
			weight += optionalWeight * a.index.weight(r)
		default:
			weight += a.index.weight(r)
			tells = true
		}
	}
	return weight, tells
}

// sameGap reports whether the two texts have something different at the same place:
// 设备租赁合同 and 房屋租赁合同, where 房屋 alone says little.
func sameGap(inX, inY []bool) bool {
	gaps := map[int]bool{}
	for _, at := range gapsOf(inX) {
		gaps[at] = true
	}
	for _, at := range gapsOf(inY) {
		if gaps[at] {
			return true
		}
	}
	return false
}

// gapsOf says after how many shared characters something stands that is not shared.
func gapsOf(in []bool) []int {
	var out []int
	before := 0
	for _, s := range in {
		if s {
			before++
		} else {
			out = append(out, before)
		}
	}
	return out
}

func anyOf(list []bool) bool {
	for _, v := range list {
		if v {
			return true
		}
	}
	return false
}

// rest is what of a text is not shared, with a mark where something shared is between.
func rest(text []rune, in []bool) string {
	var out strings.Builder
	gap := false
	for i, r := range text {
		if in[i] {
			gap = out.Len() > 0
			continue
		}
		if gap {
			out.WriteRune('…')
			gap = false
		}
		out.WriteRune(r)
	}
	return out.String()
}
