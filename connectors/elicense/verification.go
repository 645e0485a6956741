package elicense

import (
	"context"

	"mianti/connectors"
	"mianti/connectors/wire"
)

// VerifyResult (查验结果) is what the platform says of a licence that somebody has
// before him. Each asks for something else from who sees it.
type VerifyResult string

// The results.
const (
	VerifyValid      VerifyResult = "valid"      // 0 正确且有效
	VerifyInactive   VerifyResult = "inactive"   // 1 正确，未激活
	VerifySuspended  VerifyResult = "suspended"  // 2 正确，暂时失效
	VerifyLapsed     VerifyResult = "lapsed"     // 3 正确，已失效
	VerifyIncomplete VerifyResult = "incomplete" // 4 信息不全
	VerifyNotFound   VerifyResult = "not_found"  // 5 查无此信息
	VerifyLacking    VerifyResult = "lacking"    // 6 缺参数
	VerifyDiffering  VerifyResult = "differing"  // 7 部分有误
)

// VerifyData is what stands on the licence. Whose it is comes from the query.
type VerifyData struct {
	Number string            // of the licence (证照编号)
	Fields map[string]string // by the dataset's field codes, as they are printed
}

// String keeps the licence out of texts.
func (VerifyData) String() string { return "licence (redacted)" }

// GoString keeps the licence out of texts.
func (d VerifyData) GoString() string { return d.String() }

// Verify has the platform say whether what stands on a licence of the query's
// subject is what the register holds. All eight results are answers; the error,
// if any, is a *connectors.Fault.
func (c *Connector) Verify(ctx context.Context, q connectors.Query, data VerifyData) (VerifyResult, error) {
	ctx, cancel := wire.WithTimeout(ctx, q.Source.TimeoutMillis)
	defer cancel()
	printed, err := certData(q, data)
	if err != nil {
		return "", err
	}
	var answer struct {
		Head head `json:"head"`
		Data struct {
			Result *string `json:"result"`
		} `json:"data"`
	}
	question := map[string]any{"certTypeCode": TypeCode(q.Dataset), "certData": printed, "useCause": useCause(q.Purpose)}
	a := asking{client: c.client, query: q}
	if err := a.post(ctx, "verifyCertInfo", question, &answer); err != nil {
		return "", err
	}
	none, err := answer.Head.check()
	switch {
	case err != nil:
		return "", err
	case none:
		return VerifyNotFound, nil
	case answer.Data.Result == nil:
		return "", wire.Malformed("success, but no result")
	default:
		return readVerifyResult(*answer.Data.Result)
	}
}

// certData names what stands on the licence as the platform does.
func certData(q connectors.Query, data VerifyData) (map[string]string, error) {
	printed := map[string]string{}
	for code, value := range data.Fields {
		field := q.Dataset.Field(code)
		if field == nil {
			return nil, &connectors.Fault{Kind: connectors.FaultMisset, Cause: errNoField}
		}
		printed[field.Name] = value
	}
	// Last, so that no field can say that it is somebody else's.
	printed["holder"], printed["holderCode"] = q.Subject.Name, q.Subject.Number
	delete(printed, "certNo")
	if data.Number != "" {
		printed["certNo"] = data.Number
	}
	return printed, nil
}

func readVerifyResult(code string) (VerifyResult, error) {
	switch code {
	case "0":
		return VerifyValid, nil
	case "1":
		return VerifyInactive, nil
	case "2":
		return VerifySuspended, nil
	case "3":
		return VerifyLapsed, nil
	case "4":
		return VerifyIncomplete, nil
	case "5":
		return VerifyNotFound, nil
	case "6":
		return VerifyLacking, nil
	case "7":
		return VerifyDiffering, nil
	default:
		return "", wire.Malformed("the verification has an unknown result")
	}
}
