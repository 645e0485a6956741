package suggest_test

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/catalog/suggest"
)

// generated are n different names as standard materials have them.
func generated(n int) []suggest.Candidate {
	what := []string{"食品", "药品", "医疗器械", "危险化学品", "建筑", "道路运输", "水路运输", "燃气", "电力", "出版物", "种子", "农药", "兽药", "饲料", "渔业", "林业", "采矿", "测绘", "旅馆", "印刷"}
	which := []string{"生产", "经营", "批发", "零售", "储存", "使用", "检验", "维修", "安装", "设计", "施工", "监理", "进口", "出口", "回收", "加工", "配送", "租赁", "培训", "咨询"}
	who := []string{"企业", "单位", "机构", "人员", "场所"}
	kind := []string{"许可证", "备案凭证", "资质证书", "登记证", "合格证明", "年度报告"}
	var out []suggest.Candidate
	for i := range n {
		name := what[i%20] + which[i/20%20] + who[i/400%5] + kind[i/2000%6]
		out = append(out, suggest.Candidate{Kind: catalog.ThingStandardMaterial, Code: fmt.Sprintf("STD-%d", i), Name: name})
	}
	return out
}

// timed is how long one suggestion takes.
func timed(a *suggest.Assistant, name string) time.Duration {
	before := time.Now()
	a.Suggest(name)
	return time.Since(before)
}

// BenchmarkSuggest_10000 measures each suggestion at 10 000 standard materials, for the
// names of the labelled lists and names near to the generated ones; the best of three,
// since others use the machine too.
func BenchmarkSuggest_10000(b *testing.B) {
	candidates := generated(10_000)
	a, err := suggest.New(candidates, nil)
	if err != nil {
		b.Fatal(err)
	}
	lists, err := fs.Glob(labelled(), "*/*.csv")
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, name := range lists {
		list, err := suggest.ReadLabelled(labelled(), name)
		if err != nil {
			b.Fatal(err)
		}
		for _, one := range list {
			names = append(names, one.Name)
		}
	}
	for i := 0; i < len(candidates); i += 17 {
		names = append(names, "申请人的新型"+candidates[i].Name+"（副本复印件1份）")
	}
	var took []time.Duration
	for b.Loop() {
		name := names[len(took)%len(names)]
		took = append(took, min(timed(a, name), timed(a, name), timed(a, name)))
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(p99.Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	if p99 > 5*time.Millisecond {
		b.Errorf("p99 %v, want 5 ms", p99)
	}
}

// BenchmarkNew_10000 measures what a decision costs: an assistant is made anew.
func BenchmarkNew_10000(b *testing.B) {
	candidates := generated(10_000)
	for b.Loop() {
		if _, err := suggest.New(candidates, nil); err != nil {
			b.Fatal(err)
		}
	}
}
