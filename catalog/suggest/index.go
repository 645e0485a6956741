package suggest

import (
	"cmp"
	"math"
	"slices"
)

// indexed is a name in the index, and what it stands for.
type indexed struct {
	key       string
	candidate int    // -1 where the catalog has none
	paper     string // the known paper, where it is one
	learnt    bool   // a name that staff accepted
}

// index finds the names that share the rarest pairs of characters with another.
type index struct {
	names    []indexed
	terms    []*term // of the names
	postings map[[2]rune][]int32
	length   []float64 // the weight of all pairs of a name
	// seen counts in how many names a character is; rare characters tell more.
	seen map[rune]int
}

// newIndex makes an index of names; the same names make the same index, in whatever
// order they come.
func newIndex(names []indexed) *index {
	slices.SortStableFunc(names, func(a, b indexed) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.candidate, b.candidate), cmp.Compare(a.paper, b.paper))
	})
	x := &index{names: names, postings: map[[2]rune][]int32{}, seen: map[rune]int{}}
	for i, n := range names {
		runes := []rune(n.key)
		for _, g := range pairs(runes) {
			if list := x.postings[g]; len(list) == 0 || list[len(list)-1] != int32(i) {
				x.postings[g] = append(list, int32(i))
			}
		}
		for at, r := range runes {
			if slices.Index(runes, r) == at {
				x.seen[r]++
			}
		}
	}
	x.length = make([]float64, len(names))
	for i, n := range names {
		for _, g := range pairs([]rune(n.key)) {
			x.length[i] += x.rarity(g)
		}
	}
	return x
}

// pairs gives the pairs of neighbouring characters, with the ends of the name as
// characters of their own: a name's last character says most of what kind it is.
func pairs(runes []rune) [][2]rune {
	if len(runes) == 0 {
		return nil
	}
	out := make([][2]rune, 0, len(runes)+1)
	before := rune(0)
	for _, r := range runes {
		out = append(out, [2]rune{before, r})
		before = r
	}
	return append(out, [2]rune{before, 0})
}

// rarity is the weight of a pair: the fewer names have it, the more it tells (idf).
func (x *index) rarity(g [2]rune) float64 {
	return math.Log1p(float64(len(x.names)) / float64(1+len(x.postings[g])))
}

// weight is what a character tells.
func (x *index) weight(r rune) float64 {
	return math.Log1p(float64(len(x.names)) / float64(1+x.seen[r]))
}

// nearest gives at most n names, those that share the most with a key first.
func (x *index) nearest(key []rune, n int) []int {
	shared := make([]float64, len(x.names))
	var touched []int32
	whole := 0.0
	for _, g := range pairs(key) {
		rarity := x.rarity(g)
		whole += rarity
		for _, i := range x.postings[g] {
			if shared[i] == 0 {
				touched = append(touched, i)
			}
			shared[i] += rarity
		}
	}
	for _, i := range touched {
		shared[i] = 2 * shared[i] / (whole + x.length[i])
	}
	return heaviest(touched, shared, n)
}

// heaviest gives those of the touched that weigh most, the heaviest first.
func heaviest(touched []int32, weight []float64, n int) []int {
	before := func(a, b int32) int { return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b)) }
	best := make([]int32, 0, n+1)
	for _, i := range touched {
		if len(best) == n && before(best[n-1], i) <= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, i, before)
		best = slices.Insert(best, at, i)
		best = best[:min(len(best), n)]
	}
	out := make([]int, len(best))
	for i, b := range best {
		out[i] = int(b)
	}
	return out
}
