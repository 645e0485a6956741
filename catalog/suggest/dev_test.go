package suggest

import (
	"fmt"
	"os"
	"testing"
)

func TestDev(t *testing.T) {
	e, err := EvaluateFolder(os.DirFS("testdata/labelled"))
	if err != nil {
		t.Fatal(err)
	}
	hb := Sum("held-back", e.HeldBack...)
	fmt.Printf("HB P %.4f R %.4f names %d papers %d wrong %d\n", hb.Precision(), hb.Recall(), hb.Names, hb.Papers, hb.Wrong)
	for _, x := range append(e.Development, Sum("dev", e.Development...)) {
		fmt.Printf("%-40s names %d papers %d none %d P %.3f R %.3f\n", x.File, x.Names, x.Papers, x.None, x.Precision(), x.Recall())
		if os.Getenv("V") != "" {
			for _, f := range x.Faults {
				fmt.Println("   ", f)
			}
		}
	}
}

func TestAlike(t *testing.T) {
	files := os.DirFS("testdata/labelled")
	c, _ := ReadStandard(files, "standard.csv")
	a, err := New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"construction", "education", "human-resources", "market", "mixed-hand", "public-security", "real-estate", "transport"} {
		l, _ := ReadLabelled(files, "development/"+f+".csv")
		for _, x := range l {
			for _, p := range a.Suggest(x.Name).Papers {
				if p.Cause == CauseAlike {
					fmt.Println(x.Name, x.Labels, p.Match.Name, p.Score, p.Reason)
				}
				if p.Cause == CauseAmbiguous {
					fmt.Println("AMB", x.Name, x.Labels, p.Reason)
				}
			}
		}
	}
}

func TestDrop(t *testing.T) {
	files := os.DirFS("testdata/labelled")
	c, _ := ReadStandard(files, "standard.csv")
	for seed := range 4 {
		w, err := loadWords()
		if err != nil {
			t.Fatal(err)
		}
		for k, p := range w.papers {
			h := seed
			for _, r := range k {
				h = h*31 + int(r)
			}
			if k != w.key(p.Name) && (h/7)%2 == 0 {
				delete(w.papers, k)
			}
		}
		a := &Assistant{words: w, candidates: c, byKey: map[string]int{}, byPaper: map[string]int{}}
		a.learn(nil)
		a.addNames()
		var all []Tally
		for _, f := range []string{"construction", "education", "human-resources", "market", "mixed-hand", "public-security", "real-estate", "transport"} {
			l, _ := ReadLabelled(files, "development/"+f+".csv")
			all = append(all, a.Evaluate(f, l))
		}
		s := Sum("", all...)
		fmt.Printf("seed %d P %.3f R %.3f\n", seed, s.Precision(), s.Recall())
		if seed < 2 {
			for _, x := range all {
				for _, f := range x.Faults {
					fmt.Println("   ", f)
				}
			}
		}
	}
}
