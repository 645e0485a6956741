package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/evidence"
	"mianti/internal/fault"
	"mianti/ledger"
)

type receiptCommands struct {
	Verify receiptVerifyCommand `cmd:"" help:"Check a receipt, or an answer of several, with the published keys alone."`
}

type receiptVerifyCommand struct {
	File string `arg:"" help:"A receipt, an answer of GET /v1/resolutions/{id}/evidence, or a signed evidence alone. - reads standard input."`
	Keys string `required:"" help:"File with the published keys, as GET /v1/trust gives it."`
}

// receiptFile (凭证) is what an approval system keeps of one evidence.
type receiptFile struct {
	Evidence string `json:"evidence"`
	Leaf     []byte `json:"leaf"`
	Proof    string `json:"proof"`
	// Digest is what the exchange says of an evidence that it does not give out.
	Digest string `json:"digest"`
}

// receiptVerifier checks receipts with the published keys.
type receiptVerifier struct {
	trust evidence.TrustDocument
	// inLog checks that a leaf is in the log of a checkpoint that these keys signed.
	inLog func(leaf []byte, proof string, trust evidence.TrustDocument) error
}

// Run says in Chinese what is proven, and fails on any fault.
func (c *receiptVerifyCommand) Run(con console) error {
	text, err := readInput(c.File)
	if err != nil {
		return err
	}
	keys, err := os.ReadFile(c.Keys)
	if err != nil {
		return fmt.Errorf("read the keys: %w", err)
	}
	v := receiptVerifier{inLog: inLog}
	if err := json.Unmarshal(keys, &v.trust); err != nil || len(v.trust.Keys) == 0 {
		return fault.New(fault.Invalid, "invalid-keys", "公钥文件里没有验证公钥。请用 GET /v1/trust 的内容。").Because(err)
	}
	receipts, err := readReceipts(text)
	if err != nil {
		return err
	}
	failed := 0
	for i := range receipts {
		if err := v.verify(con.Out, &receipts[i]); err != nil {
			failed++
			fmt.Fprintf(con.Err, "第 %d 份：%v\n", i+1, err)
		}
	}
	if failed > 0 {
		return fault.New(fault.Invalid, "receipt-refused", "%d 份凭证中，有 %d 份没有通过核对。", len(receipts), failed)
	}
	fmt.Fprintf(con.Out, "%d 份凭证全部通过核对。\n", len(receipts))
	return nil
}

func readInput(file string) ([]byte, error) {
	const most = 64 << 20
	if file == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, most))
	}
	return os.ReadFile(file)
}

// readReceipts reads any of the three forms.
func readReceipts(text []byte) ([]receiptFile, error) {
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] != '{' {
		return []receiptFile{{Evidence: string(text)}}, nil
	}
	var whole struct {
		receiptFile
		Items []receiptFile `json:"items"`
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, fault.New(fault.Invalid, "invalid-receipt", "凭证文件不是 JSON，读不出来。").Because(err)
	}
	if whole.Evidence != "" {
		return []receiptFile{whole.receiptFile}, nil
	}
	// A material that no record settled has nothing to check.
	signed := slices.DeleteFunc(whole.Items, func(r receiptFile) bool { return r.Evidence == "" })
	if len(signed) == 0 {
		return nil, fault.New(fault.Invalid, "invalid-receipt", "文件里没有签名的凭据（evidence）。")
	}
	return signed, nil
}

// verify checks one receipt and prints what it proves.
func (v *receiptVerifier) verify(w io.Writer, r *receiptFile) error {
	got, err := evidence.Verify(r.Evidence, v.trust.Keys)
	if err != nil {
		return refusedReceipt(err)
	}
	if v.trust.Issuer != "" && got.Issuer != v.trust.Issuer {
		return fault.New(fault.Invalid, "receipt-refused", "凭据的出具方是 %s，不是公钥文件的 %s。", got.Issuer, v.trust.Issuer)
	}
	if r.Digest != "" && r.Digest != got.Digest {
		return fault.New(fault.Invalid, "receipt-refused", "凭证写的摘要与凭据的摘要不同。")
	}
	logged, err := v.logged(r, got)
	if err != nil {
		return err
	}
	printReceipt(w, got, logged)
	return nil
}

// refusedReceipt says what is wrong in the reader's language.
func refusedReceipt(err error) error {
	text := "不能核对"
	for _, reason := range []struct {
		is   error
		text string
	}{
		{evidence.ErrMalformed, "不是签名的凭据，或签名算法不被接受"},
		{evidence.ErrUnknownKey, "签名所用的公钥不在公钥文件里"},
		{evidence.ErrWrongHeader, "写明的算法或类型与公钥不符"},
		{evidence.ErrSignature, "签名不成立：内容被改动过，或不是由这个公钥签名的"},
		{evidence.ErrDigest, "内容与其摘要不符"},
		{evidence.ErrKeyTime, "签发时间不在公钥的使用期内"},
	} {
		if errors.Is(err, reason.is) {
			text = reason.text
		}
	}
	return fault.New(fault.Invalid, "receipt-refused", "凭据无效：%s。", text).Because(err)
}

// logged holds the recorded entry against the evidence, and says what is known of
// its being in the log.
func (v *receiptVerifier) logged(r *receiptFile, got *evidence.Verified) (string, error) {
	if len(r.Leaf) == 0 || r.Proof == "" {
		return "凭证里没有存证证明，未核对是否已写入存证", nil
	}
	var leaf struct {
		Entry ledger.Entry `json:"entry"`
	}
	if err := json.Unmarshal(r.Leaf, &leaf); err != nil {
		return "", fault.New(fault.Invalid, "receipt-refused", "存证记录读不出来。").Because(err)
	}
	e := &leaf.Entry
	if e.Kind != ledger.Resolved || e.Case != got.Case || e.Resolution != got.Resolution || e.Version != got.Version {
		return "", fault.New(fault.Invalid, "receipt-refused", "存证记录不是这份凭据的核验结果：它是 %s，核验结果 %s 第 %d 版。", e.Kind, e.Resolution, e.Version)
	}
	if !slices.Contains(e.Evidence, got.Digest) {
		return "", fault.New(fault.Invalid, "receipt-refused", "存证记录里没有这份凭据的摘要。")
	}
	if err := v.inLog(r.Leaf, r.Proof, v.trust); err != nil {
		return "", fault.New(fault.Invalid, "receipt-refused", "存证证明不成立：这条记录不在所签名的日志中。").Because(err)
	}
	return "已写入存证，包含证明成立", nil
}

func printReceipt(w io.Writer, got *evidence.Verified, logged string) {
	e := &got.Evidence
	from := e.Department
	if e.Dataset != "" {
		from += " " + e.Dataset
	}
	says := fmt.Sprintf("%d 个数据项", given(e))
	if e.YesNo {
		says = "只有是否的结论"
	}
	retired := "现用"
	if at := got.Key.Retired(); !at.IsZero() {
		retired = clockTime(at) + " 已停用，签发时在用"
	}
	fmt.Fprintf(w, "凭据有效\n  材料　　%s（%s）\n  办件　　%s，部门 %s\n  核验　　%s 第 %d 版，%s\n  由　　　%s（来源类别 %s，方式 %s），%s\n  时点　　%s\n  摘要　　%s\n  签名　　%s，密钥 %s（%s），%s 签发\n  存证　　%s\n",
		got.Name, strings.Join(got.Materials, "、"), got.CaseNumber, got.Department, got.Resolution, got.Version, got.ResolvedAt,
		from, e.Class, got.Mode, says, orNone(e.AsOf), got.Digest,
		got.Key.Algorithm(), got.Key.ID(), retired, time.Unix(got.IssuedAt, 0).In(catalog.TimeZone()).Format(time.DateTime), logged)
}

// given counts the fields that have a value.
func given(e *evidence.Record) int {
	n := 0
	for _, f := range e.Fields {
		if f.Unavailable == "" {
			n++
		}
	}
	return n
}

func orNone(text string) string {
	if text == "" {
		return "未注明"
	}
	return text
}
