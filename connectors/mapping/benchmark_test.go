package mapping_test

import "testing"

func BenchmarkRequest(b *testing.B) {
	s := good()
	m, q := compile(b, s), query(s)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Request(q, 1, today()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	s := good()
	m, q := compile(b, s), query(s)
	body := []byte(`{"c": "0", "d": [{"xm": "王建国", "zjhm": "` + number + `", "姓名": "王建国", "xb": "男", "份数": 2, "有效": true, "登记日期": "20240506", "双方": "甲、乙"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.Read(q, 200, body, today()); err != nil {
			b.Fatal(err)
		}
	}
}
