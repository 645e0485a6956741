package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mianti/exchange"
)

// client speaks to an exchange as an approval system does.
type client struct {
	url    string // of the exchange, without a trailing slash
	id     string
	secret string
	token  string
	http   *http.Client
}

func newClient(address, id, secret string) *client {
	return &client{
		url: strings.TrimSuffix(address, "/"), id: id, secret: secret, http: &http.Client{Timeout: 60 * time.Second},
	}
}

// problem is what the exchange answers when it refuses (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

// Error says what was refused, and every place that is wrong.
func (p *problem) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s（%d %s）", p.Title, p.Status, p.Code)
	if p.Detail != "" {
		fmt.Fprintf(&text, "：%s", p.Detail)
	}
	for _, e := range p.Errors {
		fmt.Fprintf(&text, "\n  %s: %s", e.Location, e.Message)
	}
	return text.String()
}

// signIn gets a token by client credentials.
func (c *client) signIn(ctx context.Context) error {
	form := strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/oauth/token", form)
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("sign in at %s: %w", c.url, err)
	}
	defer response.Body.Close()
	var answer struct {
		Token       string `json:"access_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer); err != nil {
		return fmt.Errorf("sign in at %s: status %d", c.url, response.StatusCode)
	}
	if answer.Error == "invalid_client" {
		return fmt.Errorf("%s 不接受客户端编号 %s 或它的密钥；请核对 MIANTI_CLIENT_ID 与 MIANTI_CLIENT_SECRET", c.url, c.id)
	}
	if answer.Token == "" {
		return fmt.Errorf("sign in as %s: %s %s", c.id, answer.Error, answer.Description)
	}
	c.token = answer.Token
	return nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// call sends a JSON request and decodes the answer into out, if given.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		p := &problem{Status: response.StatusCode}
		if json.Unmarshal(answer, p) != nil || p.Title == "" {
			p.Title = http.StatusText(response.StatusCode)
		}
		return p
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: answer: %w", method, path, err)
	}
	return nil
}

// resolve opens a case, reports its results and resolves it.
func (c *client) resolve(ctx context.Context, file *caseFile) (*exchange.Resolution, error) {
	var opened struct {
		ID string `json:"id"`
	}
	if err := c.call(ctx, http.MethodPost, "/v1/cases", file.Case, &opened); err != nil {
		return nil, err
	}
	for _, result := range file.Results {
		if err := c.call(ctx, http.MethodPost, "/v1/cases/"+opened.ID+"/results", result, nil); err != nil {
			return nil, err
		}
	}
	var resolution exchange.Resolution
	if err := c.call(ctx, http.MethodPost, "/v1/cases/"+opened.ID+"/resolutions", struct{}{}, &resolution); err != nil {
		return nil, err
	}
	return &resolution, nil
}
