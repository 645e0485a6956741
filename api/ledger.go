package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Ledger (存证日志) is the sealed ledger, as far as anybody may read it: signed states
// and hashes, which tell nothing of what they are of.
type Ledger interface {
	ledger.Tiles
	// Checkpoint gives the newest checkpoint; fault.Unavailable before the first.
	Checkpoint(ctx context.Context) (ledger.Checkpoint, error)
	// VKeys gives the keys that have signed checkpoints, the newest first.
	VKeys(ctx context.Context) ([]string, error)
}

// logPath is the prefix of the log in the form that tools of others read (C2SP
// tlog-tiles).
const logPath = "/log/"

// readLogEntries is the operation whose duty an entry bundle asks for.
const readLogEntries = "list-log-entries"

// registerLog serves the log as files. They are no operations: their form is not
// ours, and an address of any depth has no place in the OpenAPI document.
func (s *server) registerLog() {
	s.engine.GET(logPath+ledger.CheckpointPath, s.serveCheckpoint)
	s.engine.GET(logPath+"tile/*path", s.serveTile)
}

func (s *server) serveCheckpoint(c *gin.Context) {
	checkpoint, err := s.Ledger.Checkpoint(c.Request.Context())
	if err != nil {
		s.refuse(c, err)
		return
	}
	c.Header("Cache-Control", "public, max-age=1")
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(checkpoint.Note))
}

func (s *server) serveTile(c *gin.Context) {
	t, err := ledger.ParseTilePath("tile/" + strings.TrimPrefix(c.Param("path"), "/"))
	if err != nil {
		s.refuse(c, unknownTile())
		return
	}
	read := s.hashTile
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	if t.Entries {
		read = s.entryBundle
		c.Header("Cache-Control", "no-store")
	}
	content, err := read(c, t)
	if err != nil {
		c.Header("Cache-Control", "no-store")
		s.refuse(c, err)
		return
	}
	c.Data(http.StatusOK, "application/octet-stream", content)
}

func (s *server) hashTile(c *gin.Context, t ledger.Tile) ([]byte, error) {
	checkpoint, err := s.Ledger.Checkpoint(c.Request.Context())
	if err != nil {
		return nil, err
	}
	if !t.In(checkpoint.Size) {
		return nil, unknownTile()
	}
	return s.Ledger.Tile(c.Request.Context(), t)
}

// entryBundle gives entries to those alone who audit: they hold no personal data,
// but say which official did what, and when.
func (s *server) entryBundle(c *gin.Context, t ledger.Tile) ([]byte, error) {
	caller, err := s.callerFor(c.Request)
	if err != nil {
		return nil, err
	}
	setSystem(c.Request.Context(), caller.System)
	if !policies.MayDo(readLogEntries, caller.Duties) {
		return nil, s.notHis(c.Request, caller)
	}
	leaves, err := s.Exchange.LogEntries(c.Request.Context(), caller, t.Index*ledger.TileWidth, t.Width)
	if err != nil {
		return nil, err
	}
	if len(leaves) != t.Width {
		return nil, unknownTile()
	}
	var bundle []byte
	for _, leaf := range leaves {
		if bundle, err = ledger.AppendToBundle(bundle, leaf.Encode()); err != nil {
			return nil, err
		}
	}
	return bundle, nil
}

func unknownTile() error {
	return fault.New(fault.NotFound, "unknown-tile", "日志没有这个瓦片。瓦片的序号与宽度由检查点的条数算出，见 c2sp.org/tlog-tiles。")
}

// checkpointView is a state of the log.
type checkpointView struct {
	Origin     string   `json:"origin" doc:"日志的名称"`
	Size       int64    `json:"size" doc:"存证条数"`
	Root       string   `json:"root" doc:"根哈希, base64 (RFC 6962, SHA-256)"`
	Checkpoint string   `json:"checkpoint" doc:"签名的检查点原文 (c2sp.org/tlog-checkpoint)"`
	Keys       []string `json:"keys" doc:"签过检查点的公钥, 新的在前 (c2sp.org/signed-note)"`
}

type checkpointOutput struct {
	Body checkpointView
}

type inclusionInput struct {
	Index int64 `query:"index" required:"true" minimum:"0" doc:"存证在日志中的序号, 从 0 起"`
}

type inclusionView struct {
	Index int64  `json:"index"`
	Size  int64  `json:"size" doc:"检查点的条数"`
	Proof string `json:"proof" doc:"证明原文, 含检查点 (c2sp.org/tlog-proof)"`
}

type inclusionOutput struct {
	Body inclusionView
}

type consistencyInput struct {
	From int64 `query:"from" required:"true" minimum:"0" doc:"原有检查点的条数"`
}

type consistencyView struct {
	From       int64    `json:"from"`
	Size       int64    `json:"size"`
	Hashes     []string `json:"hashes" doc:"base64, 次序见 RFC 6962 第 2.1.2 节; 原来为空或没有增长时无须证明"`
	Checkpoint string   `json:"checkpoint"`
}

type consistencyOutput struct {
	Body consistencyView
}

type logEntriesInput struct {
	From  int64 `query:"from" minimum:"0" doc:"从哪个序号起"`
	Limit int   `query:"limit" minimum:"1" maximum:"256" default:"100"`
}

type leafView struct {
	Index int64  `json:"index"`
	Leaf  string `json:"leaf" doc:"封存的原文, base64"`
}

type logEntriesOutput struct {
	Body struct {
		Items []leafView `json:"items"`
	}
}

type caseLogInput struct {
	CasePath
	After int64 `query:"after" minimum:"0" doc:"上一页最后一条的 number"`
}

type caseEntryView struct {
	Number     int64  `json:"number" doc:"在本办件存证中的先后"`
	Index      *int64 `json:"index,omitempty" doc:"在日志中的序号; 没有则正在封存"`
	Kind       string `json:"kind"`
	Resolution string `json:"resolution,omitempty"`
	Hash       string `json:"hash,omitempty" doc:"叶哈希, base64"`
}

type caseLogOutput struct {
	Body struct {
		Items []caseEntryView `json:"items" doc:"最多 256 条"`
	}
}

type entryReceiptInput struct {
	CasePath
	Number int64 `path:"number" minimum:"1"`
}

type entryReceiptOutput struct {
	Body ledger.Receipt
}

func (s *server) registerLedger() {
	const tag = "存证"
	handle(s, s.operation(http.MethodGet, "/v1/log/checkpoint", "read-checkpoint", "最新检查点", tag), s.readCheckpoint)
	handle(s, s.operation(http.MethodGet, "/v1/log/inclusion", "prove-inclusion", "证明一条存证在日志中", tag, 404, 422), s.proveInclusion)
	handle(s, s.operation(http.MethodGet, "/v1/log/consistency", "prove-consistency", "证明日志只增不改", tag, 404, 422), s.proveConsistency)
	entries := s.operation(http.MethodGet, "/v1/log/entries", readLogEntries, "按序读取存证", tag, 422)
	entries.Description = "存证不含个人信息；每次读取也留痕。瓦片格式见 " + logPath + "（c2sp.org/tlog-tiles）。"
	handle(s, entries, s.listLogEntries)
	handle(s, s.operation(http.MethodGet, casesPath+"/{id}/entries", "list-case-entries", "办件的存证", tag, 404, 422), s.listCaseEntries)
	receipt := s.operation(http.MethodGet, casesPath+"/{id}/entries/{number}/receipt", "read-entry-receipt", "一条存证的凭证", tag, 404, 422)
	receipt.Description = "凭证含存证原文与其在日志中的证明，可以离线核对（mianti receipt verify）。刚记录的存证约一秒后才有凭证：503 not-sealed-yet，按 Retry-After 再取。"
	handle(s, receipt, s.readEntryReceipt)
	handle(s, s.operation(http.MethodGet, resolutionsPath+"/{id}/receipt", "read-resolution-receipt", "核验结果的凭证", tag, 404, 422), s.readResolutionReceipt)
}

func (s *server) readCheckpoint(ctx context.Context, _ *struct{}) (*checkpointOutput, error) {
	c, err := s.Ledger.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := s.Ledger.VKeys(ctx)
	if err != nil {
		return nil, err
	}
	return &checkpointOutput{Body: checkpointView{Origin: c.Origin, Size: c.Size, Root: c.Root.String(), Checkpoint: c.Note, Keys: keys}}, nil
}

func (s *server) proveInclusion(ctx context.Context, in *inclusionInput) (*inclusionOutput, error) {
	c, err := s.Ledger.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	proof, err := ledger.ProveInclusion(ctx, s.Ledger, c, in.Index)
	if err != nil {
		return nil, err
	}
	return &inclusionOutput{Body: inclusionView{Index: in.Index, Size: c.Size, Proof: proof.String()}}, nil
}

func (s *server) proveConsistency(ctx context.Context, in *consistencyInput) (*consistencyOutput, error) {
	c, err := s.Ledger.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	hashes, err := ledger.ProveConsistency(ctx, s.Ledger, c, in.From)
	if err != nil {
		return nil, err
	}
	view := consistencyView{From: in.From, Size: c.Size, Hashes: []string{}, Checkpoint: c.Note}
	for _, h := range hashes {
		view.Hashes = append(view.Hashes, h.String())
	}
	return &consistencyOutput{Body: view}, nil
}

func (s *server) listLogEntries(ctx context.Context, in *logEntriesInput) (*logEntriesOutput, error) {
	leaves, err := s.Exchange.LogEntries(ctx, callerOf(ctx), in.From, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &logEntriesOutput{}
	out.Body.Items = make([]leafView, len(leaves))
	for i, leaf := range leaves {
		out.Body.Items[i] = leafView{Index: leaf.Index, Leaf: base64.StdEncoding.EncodeToString(leaf.Encode())}
	}
	return out, nil
}

func (s *server) listCaseEntries(ctx context.Context, in *caseLogInput) (*caseLogOutput, error) {
	entries, err := s.Exchange.CaseLog(ctx, callerOf(ctx), in.ID, in.After)
	if err != nil {
		return nil, err
	}
	out := &caseLogOutput{}
	out.Body.Items = make([]caseEntryView, len(entries))
	for i, e := range entries {
		out.Body.Items[i] = caseEntryView{Number: e.Number, Kind: e.Kind, Resolution: e.Resolution}
		if e.Index >= 0 {
			out.Body.Items[i].Index, out.Body.Items[i].Hash = &e.Index, e.Hash.String()
		}
	}
	return out, nil
}

func (s *server) readEntryReceipt(ctx context.Context, in *entryReceiptInput) (*entryReceiptOutput, error) {
	r, err := s.Exchange.EntryReceipt(ctx, callerOf(ctx), in.ID, in.Number)
	if err != nil {
		return nil, err
	}
	return &entryReceiptOutput{Body: r}, nil
}

func (s *server) readResolutionReceipt(ctx context.Context, in *struct{ CasePath }) (*entryReceiptOutput, error) {
	r, err := s.Exchange.ResolutionReceipt(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &entryReceiptOutput{Body: r}, nil
}
