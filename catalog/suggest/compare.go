package suggest

import (
	"slices"
	"strings"
)

// likeness is how two keys compare.
type likeness struct {
	score    float64
	inX, inY []bool    // which characters of each are shared
	against  [2]string // words that make them two papers
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

// compare says how alike two terms are. What they share is found in order; what is left
// counts by how much it tells.
func (w *words) compare(x, y *term) likeness {
	may, same := w.kindsAgree(x.kind, y.kind)
	if !may || len(x.runes) == 0 || len(y.runes) == 0 {
		return likeness{}
	}
	inX, inY := shared(x, y)
	weightX, restX := x.weigh(inX)
	weightY, restY := y.weigh(inY)
	common := 0.0
	for i, in := range inX {
		if in {
			common += x.weights[i]
		}
	}
	out := likeness{inX: inX, inY: inY, score: 2 * common / (2*common + weightX + weightY)}
	lenX, lenY := len(x.runes), len(y.runes)
	out.within = weightX == 0 && lenX > short && same
	if !same {
		out.score -= nearKind
	} else if x.runes[lenX-1] != y.runes[lenY-1] {
		out.score -= otherEnd
	}
	if restX || restY && sameGap(inX, inY) || lenY <= short && weightX > 0 || lenX <= short && restY {
		out.score = min(out.score, exchanged)
	}
	if p, q := w.against(x, y); p != "" {
		out.score, out.against = min(out.score, contraryTo), [2]string{p, q}
	}
	return out
}

// shared finds the heaviest common subsequence of two terms, and says which characters
// of each belong to it.
func shared(x, y *term) (inX, inY []bool) {
	n, m := len(x.runes), len(y.runes)
	best := make([]float64, (n+1)*(m+1)) // of what is left from i and j on
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			most := max(best[(i+1)*(m+1)+j], best[i*(m+1)+j+1])
			if x.runes[i] == y.runes[j] {
				most = max(most, best[(i+1)*(m+1)+j+1]+x.weights[i])
			}
			best[i*(m+1)+j] = most
		}
	}
	in := make([]bool, n+m)
	inX, inY = in[:n], in[n:]
	for i, j := 0, 0; i < n && j < m; {
		switch here := best[i*(m+1)+j]; {
		case x.runes[i] == y.runes[j] && here == best[(i+1)*(m+1)+j+1]+x.weights[i]:
			inX[i], inY[j] = true, true
			i++
			j++
		case best[(i+1)*(m+1)+j] >= best[i*(m+1)+j+1]:
			i++
		default:
			j++
		}
	}
	return inX, inY
}

// weigh gives the weight of what is not shared, and whether it tells anything: words
// such as 企业 and 有关 do not.
func (t *term) weigh(in []bool) (weight float64, tells bool) {
	var little []bool
	for _, s := range t.optional {
		if slices.Contains(in[s.from:s.to], true) {
			continue
		}
		if little == nil {
			little = make([]bool, len(in))
		}
		for i := s.from; i < s.to; i++ {
			little[i] = true
		}
	}
	for i, shared := range in {
		switch {
		case shared:
		case little != nil && little[i]:
			weight += optionalWeight * t.weights[i]
		default:
			weight += t.weights[i]
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
