package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

const filesPath = "/v1/files"

type linkFileInput struct {
	CasePath
	Body struct {
		Material string `json:"material" minLength:"1" maxLength:"64" doc:"核验结果中的材料代码"`
		Party    string `json:"party,omitempty" maxLength:"64" doc:"当事人 id; 材料不属于某个当事人时留空"`
	}
}

type fileLinkView struct {
	URL       string    `json:"url" format:"uri" doc:"只能用一次, 由申请者自己在有效期内读取"`
	ExpiresAt time.Time `json:"expires_at"`
}

type fileLinkOutput struct {
	Body fileLinkView
}

type fetchFileInput struct {
	Token string `path:"token" minLength:"43" maxLength:"43" pattern:"^[0-9A-Za-z_-]+$"`
}

func (s *server) registerFiles(tag string) {
	link := s.operation(http.MethodPost, resolutionsPath+"/{id}/files", "link-file", "申请调取证照文件", tag, 404, 409, 410, 422)
	link.DefaultStatus = http.StatusCreated
	link.Description = "只有由电子证照核验的材料才有文件。链接十分钟内有效，只能用一次，只对申请它的登录（或系统）有效；文件由发证平台加注用证事由、办件编号、经办与时间。"
	handle(s, link, s.linkFile)
	fetch := s.operation(http.MethodGet, filesPath+"/{token}", "fetch-file", "调取证照文件", tag, 404, 409, 410, 422)
	fetch.Description = "每次调取先留痕。链接一经使用即失效，取不到文件也是如此，需重新申请。"
	content := map[string]*huma.MediaType{}
	for kind := range fileNames() {
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	fetch.Responses["200"] = &huma.Response{Description: "证照文件", Content: content}
	handle(s, fetch, s.fetchFile)
}

// fileNames are how a file is called, by its type: never by whose it is.
func fileNames() map[string]string {
	return map[string]string{"application/ofd": "licence.ofd", "application/pdf": "licence.pdf", "image/png": "licence.png"}
}

func (s *server) linkFile(ctx context.Context, in *linkFileInput) (*fileLinkOutput, error) {
	link, err := s.Exchange.LinkFile(ctx, callerOf(ctx), in.ID, in.Body.Material, in.Body.Party)
	if err != nil {
		return nil, err
	}
	return &fileLinkOutput{Body: fileLinkView{URL: s.Issuer + filesPath + "/" + link.Token, ExpiresAt: link.ExpiresAt}}, nil
}

func (s *server) fetchFile(ctx context.Context, in *fetchFileInput) (*huma.StreamResponse, error) {
	file, err := s.Exchange.FetchFile(ctx, callerOf(ctx), in.Token)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) { s.sendFile(hc, file.Type, file.Body) }}, nil
}

// sendFile passes a file on as it comes. A browser saves it and does not show
// it: what a department sends is not run here.
func (s *server) sendFile(hc huma.Context, kind string, body io.ReadCloser) {
	defer body.Close()
	c := humagin.Unwrap(hc)
	c.Header("Content-Type", kind)
	c.Header("Content-Disposition", `attachment; filename="`+fileNames()[kind]+`"`)
	if _, err := io.Copy(c.Writer, body); err != nil {
		// The beginning is sent: breaking off is the only way left to say so.
		panic(http.ErrAbortHandler)
	}
}
