package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
)

// view counts the changes to how the catalog is rendered: an answer that looks
// different has another ETag, whatever the catalog says.
const view = "1"

// ListQuery is what every list of the catalog is asked with. It is exported
// for the reason that CasePath is.
type ListQuery struct {
	Q           string `query:"q" maxLength:"100" doc:"在代码与名称中查找, 不分大小写"`
	Limit       int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor      string `query:"cursor" maxLength:"300" doc:"上一页的 next"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"1000"`
}

// codePath names one thing of the catalog.
type codePath struct {
	Code        string `path:"code" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z._-]*$"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"1000"`
}

// page is a part of a list.
type page[V any] struct {
	Items []V    `json:"items"`
	Next  string `json:"next,omitempty" doc:"下一页的 cursor; 没有则到此为止"`
}

// Cached are the headers of an answer from the catalog. Whoever asks again
// with its ETag is told when nothing has changed. It is exported for the reason
// that CasePath is.
type Cached struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Vary         string `header:"Vary"`
}

type listOutput[V any] struct {
	Cached
	Status int
	Body   page[V]
}

type itemOutput[V any] struct {
	Cached
	Status int
	Body   V
}

// listing is one question to a list, at one revision.
type listing struct {
	rev     *catalog.Revision
	query   ListQuery
	filters []string // the collection, and every filter with its value
}

// revision gives the revision that the catalog is read at; about are the codes that
// are read.
func (s *server) revision(ctx context.Context, about ...string) (*catalog.Revision, error) {
	rev, unchecked, err := s.standing.Current(ctx, about...)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Unavailable, "no-catalog", "还没有发布目录。").Because(err)
	}
	if !unchecked.IsZero() {
		requestOf(ctx).say(exchange.UncheckedHeader, unchecked.UTC().Format(time.RFC3339))
	}
	return rev, err
}

// wholeOf refuses what would have to look through all of a catalog that is too large
// for that: about are the filters that would bound it, remedy what to do.
func wholeOf(rev *catalog.Revision, remedy string, about ...string) error {
	if rev.Whole() || slices.ContainsFunc(about, func(code string) bool { return code != "" }) {
		return nil
	}
	return fault.New(fault.Invalid, "catalog-too-large", "目录很大，不能整个列出。%s", remedy)
}

// listing prepares a list. Filters are names and values by turns.
func (s *server) listing(ctx context.Context, query ListQuery, collection string, filters ...string) (*listing, error) {
	rev, err := s.revision(ctx)
	if err != nil {
		return nil, err
	}
	return listingAt(rev, query, collection, filters...), nil
}

// listingOf prepares a list of what is in one-things; about are the codes by which it
// is filtered, which bound it.
func (s *server) listingOf(ctx context.Context, about []string, query ListQuery, collection string, filters ...string) (*listing, error) {
	rev, err := s.revision(ctx, about...)
	if err != nil {
		return nil, err
	}
	if err := wholeOf(rev, "请用 one_thing 或 matter 限定。", about...); err != nil {
		return nil, err
	}
	return listingAt(rev, query, collection, filters...), nil
}

// listingAt prepares a list of what one revision holds.
func listingAt(rev *catalog.Revision, query ListQuery, collection string, filters ...string) *listing {
	query.Q = strings.ToLower(strings.TrimSpace(query.Q))
	return &listing{rev: rev, query: query, filters: append([]string{collection, query.Q}, filters...)}
}

// matches reports whether the search text is part of any of the texts.
func (l *listing) matches(texts ...string) bool {
	if l.query.Q == "" {
		return true
	}
	for _, text := range texts {
		if strings.Contains(strings.ToLower(text), l.query.Q) {
			return true
		}
	}
	return false
}

// scope ties a cursor to the revision and to the filters that it was made for.
func (l *listing) scope() string {
	return digest(append([]string{l.rev.Digest}, l.filters...)...)[:16]
}

func (l *listing) etag() string {
	return etag(append([]string{l.rev.Digest, strconv.Itoa(l.query.Limit), l.query.Cursor}, l.filters...)...)
}

func (l *listing) cursor(code string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(l.scope() + code))
}

// after reads the cursor: the code that the page before ended with, or "" for
// the first page.
func (l *listing) after() (string, error) {
	if l.query.Cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(l.query.Cursor)
	code, ok := strings.CutPrefix(string(raw), l.scope())
	if err != nil || !ok || code == "" {
		return "", badCursor()
	}
	return code, nil
}

func badCursor() error {
	return fault.New(fault.Invalid, "bad-cursor", "翻页标记无效，或目录已更新、筛选条件已改变。请从第一页重新查询。").
		With(fault.Detail{Location: "query.cursor", Code: "bad-cursor", Message: "请从第一页重新查询。"})
}

// listed renders one page of those items that are kept.
func listed[T, V any](l *listing, items []T, code func(T) string, keep func(T) bool, render func(T) V) (*listOutput[V], error) {
	out := &listOutput[V]{Cached: fresh(l.etag()), Status: http.StatusOK, Body: page[V]{Items: []V{}}}
	after, err := l.after()
	if err != nil {
		return nil, err
	}
	if out.seen(l.query.IfNoneMatch) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	started, last := after == "", ""
	for _, item := range items {
		if !started {
			started = code(item) == after
			continue
		}
		if !keep(item) {
			continue
		}
		if len(out.Body.Items) == l.query.Limit {
			out.Body.Next = l.cursor(last)
			return out, nil
		}
		out.Body.Items = append(out.Body.Items, render(item))
		last = code(item)
	}
	if !started {
		return nil, badCursor()
	}
	return out, nil
}

// read renders one thing of the catalog; nil is unknown.
func read[T, V any](in *codePath, rev *catalog.Revision, item *T, unknown error, render func(*T) V) (*itemOutput[V], error) {
	if item == nil {
		return nil, unknown
	}
	out := &itemOutput[V]{Cached: fresh(etag(rev.Digest, "item", in.Code)), Status: http.StatusOK}
	if out.seen(in.IfNoneMatch) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Body = render(item)
	return out, nil
}

// fresh are the headers of an answer that must be asked for again, and that
// belongs to who may ask.
func fresh(tag string) Cached {
	return Cached{ETag: tag, CacheControl: "private, no-cache", Vary: "Authorization"}
}

// seen reports whether the caller has the answer already.
func (c *Cached) seen(ifNoneMatch string) bool {
	for _, tag := range strings.Split(ifNoneMatch, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == c.ETag {
			return true
		}
	}
	return false
}

func etag(parts ...string) string {
	return `"` + digest(append([]string{view}, parts...)...)[:32] + `"`
}

// digest joins texts so that no two lists of texts give the same digest.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(h.Sum(nil))
}
