package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/catalog/interchange"
	"mianti/policies"
)

const dcatType = "application/ld+json"

// exportQuery is what somebody wants exported.
type exportQuery struct {
	Number int      `path:"number" minimum:"1"`
	Format string   `query:"format" enum:"xlsx,csv,yaml,dcat" default:"xlsx" doc:"xlsx 工作簿; csv 一份名单, 几份时为 ZIP; yaml 目录文件的 ZIP; dcat 数据资源的 DCAT-AP JSON-LD"`
	Kind   []string `query:"kind" maxItems:"12" doc:"只要这几页, 如 材料,映射; 不写为全部"`
}

type importInput struct {
	Revision int    `query:"revision" minimum:"1" doc:"与哪一个目录修订比较; 不写为现行的"`
	RawBody  []byte `contentType:"application/octet-stream"`
}

// importView is what an import would change, or what is wrong with the file.
type importView struct {
	Revision   int                `json:"revision" doc:"比较的目录修订, 即草案的起点"`
	Format     string             `json:"format" doc:"xlsx, csv 或 yaml"`
	Valid      bool               `json:"valid" doc:"没有错误, 可以放进草案"`
	Sheets     []importSheetView  `json:"sheets"`
	Errors     []importPlaceView  `json:"errors" doc:"最多列 500 处"`
	ErrorCount int                `json:"error_count"`
	Notices    []importPlaceView  `json:"notices" doc:"没有读的列、按惯例补上的值等"`
	Changes    []importChangeView `json:"changes" doc:"最多列 500 项"`
	Edits      []catalog.Edit     `json:"edits" doc:"全部修改; 有错误时没有"`
	Grants     []importGrantView  `json:"grants" doc:"表中尚未给予的共享授权; 不随草案"`
}

type importSheetView struct {
	Sheet   string `json:"sheet"`
	Kind    string `json:"kind"`
	Rows    int    `json:"rows"`
	Added   int    `json:"added"`
	Changed int    `json:"changed"`
	Removed int    `json:"removed"`
	Same    int    `json:"same"`
}

type importPlaceView struct {
	Sheet   string `json:"sheet,omitempty" doc:"表页或文件"`
	Row     int    `json:"row,omitempty" doc:"行号, 从 1 起; 没有则指整页或整个文件"`
	Column  string `json:"column,omitempty" doc:"列名"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty" doc:"怎样改正"`
}

type importChangeView struct {
	Sheet string `json:"sheet"`
	Row   int    `json:"row,omitempty"`
	catalog.ThingChange
}

type importGrantView struct {
	ID         string    `json:"id,omitempty"`
	Department string    `json:"department"`
	Matter     string    `json:"matter"`
	Dataset    string    `json:"dataset"`
	Fields     []string  `json:"fields"`
	Basis      string    `json:"basis"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
}

type importOutput struct{ Body importView }

func (s *server) registerInterchange() {
	export := s.operation(http.MethodGet, "/v1/revisions/{number}/export", "export-catalog", "导出目录", catalogTag, 404, 413, 422)
	export.Description = "列名与实施清单、政务信息资源目录一致；导出的文件改过之后可以再导入。数源的地址与密钥只在 yaml 中，其余格式都没有。"
	export.Responses["200"] = &huma.Response{Description: "文件", Content: map[string]*huma.MediaType{}}
	for _, kind := range []string{xlsxType, csvType, zipType, dcatType} {
		export.Responses["200"].Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	handle(s, export, s.exportCatalog)

	preview := s.operation(http.MethodPost, "/v1/catalog-imports", "preview-import", "导入之前看会改什么", catalogTag, 404, 422)
	preview.Description = "请求体是 XLSX、CSV、CSV 的 ZIP，或目录的 YAML（一个文件，或整个文件夹的 ZIP），最大 32 MiB。只比较，不改动：没有错误的给出修改，可以放进草案；有错误的逐页逐行逐列说明。"
	preview.DefaultStatus, preview.MaxBodyBytes, preview.BodyReadTimeout = http.StatusOK, table.MaxFile, time.Minute
	preview.Middlewares = huma.Middlewares{s.admitFile(table.MaxFile)}
	handle(s, preview, s.previewImport)
	body := s.api.OpenAPI().Paths[preview.Path].Post.RequestBody
	file := body.Content["application/octet-stream"]
	body.Content = map[string]*huma.MediaType{csvType: file, xlsxType: file, zipType: file, "application/yaml": file}
}

// exportCatalog writes a revision as it comes. What is wrong with the wish is told
// as any other problem; a failure in the middle breaks off.
func (s *server) exportCatalog(ctx context.Context, in *exportQuery) (*huma.StreamResponse, error) {
	if _, err := s.revisionOf(ctx, in.Number); err != nil {
		return nil, err
	}
	wish := interchange.Wish{Number: in.Number, Format: interchange.Format(in.Format), Sheets: in.Kind}
	if err := wish.Check(); err != nil {
		return nil, err
	}
	name, kind := interchange.Name(wish.Format, wish.Sheets)
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humagin.Unwrap(hc)
		c.Header("Content-Type", kind)
		c.Header("Content-Disposition", `attachment; filename="`+name+`"`)
		if err := s.Interchange.Export(ctx, wish, c.Writer); err != nil {
			// The beginning is sent: breaking off is the only way left to say so.
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func (s *server) previewImport(ctx context.Context, in *importInput) (*importOutput, error) {
	if in.Revision > 0 {
		if _, err := s.revisionOf(ctx, in.Revision); err != nil {
			return nil, err
		}
	}
	p, number, err := s.Interchange.Preview(ctx, in.Revision, in.RawBody, nil)
	if err != nil {
		return nil, err
	}
	out := importView{
		Revision: number, Format: string(p.Format), Valid: p.OK(), ErrorCount: p.ErrorCount, Errors: importPlaces(p.Errors), Notices: importPlaces(p.Notices),
		Sheets: make([]importSheetView, len(p.Sheets)), Changes: make([]importChangeView, len(p.Changes)), Edits: p.Edits, Grants: importGrants(p.Grants),
	}
	if out.Edits == nil {
		out.Edits = []catalog.Edit{}
	}
	for i, c := range p.Sheets {
		out.Sheets[i] = importSheetView(c)
	}
	for i, c := range p.Changes {
		out.Changes[i] = importChangeView(c)
	}
	return &importOutput{Body: out}, nil
}

func importPlaces(of []interchange.RowError) []importPlaceView {
	out := make([]importPlaceView, len(of))
	for i, e := range of {
		out[i] = importPlaceView(e)
	}
	return out
}

func importGrants(of []policies.Grant) []importGrantView {
	out := make([]importGrantView, len(of))
	for i, g := range of {
		out[i] = importGrantView{ID: g.ID, Department: g.Department, Matter: g.Matter, Dataset: g.Dataset, Fields: g.Fields, Basis: g.Basis, From: g.From, Until: g.Until}
	}
	return out
}

// interchangeProblems are those of exports and imports.
func interchangeProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-sheet":  {title: "没有这一类", explanation: "kind 是导出的页名，如 材料、映射、数据资源。"},
		"unknown-format": {title: "没有这种格式", explanation: "可以导出 xlsx、csv、yaml 和 dcat。"},
		"too-many-rows":  {title: "行数超过一页工作表", explanation: "一页工作表最多 1048575 行。请导出 CSV。"},
	}
}
