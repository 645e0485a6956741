package api

import (
	"context"
	"errors"
	"net/http"

	"mianti/evidence"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

const trustPath = "/v1/trust"

// EvidenceKeys knows the keys by which evidence is verified.
type EvidenceKeys interface {
	// EvidenceKeys gives the published keys, the present one first.
	EvidenceKeys(ctx context.Context) ([]evidence.JWK, error)
}

// CheckpointKeys knows the keys by which the ledger's checkpoints are verified.
type CheckpointKeys interface {
	// CheckpointKeys gives the verifier keys of the ledger and of its witnesses, as
	// c2sp.org/signed-note renders them.
	CheckpointKeys(ctx context.Context) (ledger, witnesses []string, err error)
}

// Prover proves that an entry is in the ledger.
type Prover interface {
	// ProveResolution gives the leaf of the entry by which a version of a resolution
	// was released, and the proof that it is in the log; nothing while the entry is
	// not sealed yet.
	ProveResolution(ctx context.Context, resolution string, version int) (leaf []byte, proof string, err error)
}

// receipt (凭证) is what an approval system keeps: a file that `mianti receipt
// verify` checks offline. Each item of an answer is one.
type receiptView struct {
	Material   string   `json:"material" doc:"材料代码"`
	Materials  []string `json:"materials" doc:"同一份材料所服务的全部材料代码"`
	Name       string   `json:"name"`
	Party      string   `json:"party,omitempty" doc:"当事人 id"`
	Mode       string   `json:"mode" doc:"免提交方式"`
	Reason     string   `json:"reason" doc:"结论的理由"`
	Department string   `json:"department,omitempty" doc:"记录所属部门"`
	Dataset    string   `json:"dataset,omitempty"`
	Digest     string   `json:"digest,omitempty" doc:"凭据内容的摘要, 已写入存证"`
	// Evidence is empty where no record settled the material, or where it may not be
	// given out.
	Evidence string            `json:"evidence" doc:"签名的凭据 (JWS 紧凑格式); 没有记录或不再提供时为空"`
	Withheld exchange.Withheld `json:"withheld,omitempty" doc:"不再出具的原因"`
	Removed  bool              `json:"removed,omitempty" doc:"事项已办结, 数据项已移除, 不再出具"`
	Leaf     []byte            `json:"leaf,omitempty" doc:"该核验结果的存证记录 (base64); 尚未封存时没有"`
	Proof    string            `json:"proof,omitempty" doc:"存证证明 (c2sp.org/tlog-proof); 尚未封存时没有"`
	Entry    entryRef          `json:"entry" doc:"列有本凭据摘要的存证"`
}

// entryRef names an entry of the ledger.
type entryRef struct {
	Kind       ledger.Kind `json:"kind" enum:"resolved"`
	Resolution string      `json:"resolution"`
	Version    int         `json:"version"`
}

type evidenceView struct {
	Resolution string        `json:"resolution"`
	Version    int           `json:"version"`
	Items      []receiptView `json:"items" doc:"每一份凭据一条; 没有凭据的免交材料也列出"`
}

type evidenceOutput struct {
	Body evidenceView
}

type materialEvidenceInput struct {
	CasePath
	Material string `path:"material" maxLength:"64" doc:"材料代码"`
	Party    string `query:"party" maxLength:"64" doc:"当事人 id; 材料不属于某个当事人时留空"`
}

func (s *server) registerEvidence() {
	const tag = "凭据"
	all := s.operation(http.MethodGet, resolutionsPath+"/{id}/evidence", "issue-evidence", "出具全部凭据", tag, 404, 409, 422)
	all.Description = "每一项免交的材料由什么核实：签名的凭据，可以离线核对、归档保存。每次出具先留痕。所依据的授权已不再有效的，不出具，并写明原因。"
	handle(s, all, s.issueEvidence)
	one := s.operation(http.MethodGet, resolutionsPath+"/{id}/evidence/{material}", "issue-material-evidence", "出具一项材料的凭据", tag, 404, 409, 422)
	one.Description = "一项材料由几条记录共同证明的，每条记录一份凭据。不能出具时返回 409，说明原因。"
	handle(s, one, s.issueMaterialEvidence)
	handle(s, s.public(trustPath, "read-trust", "离线核对所需的公钥"), s.trust)
}

func (s *server) issueEvidence(ctx context.Context, in *CasePath) (*evidenceOutput, error) {
	issue, err := s.Exchange.IssueEvidence(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return s.issued(ctx, issue)
}

func (s *server) issueMaterialEvidence(ctx context.Context, in *materialEvidenceInput) (*evidenceOutput, error) {
	issue, err := s.Exchange.IssueMaterialEvidence(ctx, callerOf(ctx), in.ID, in.Material, in.Party)
	if err != nil {
		return nil, err
	}
	return s.issued(ctx, issue)
}

func (s *server) issued(ctx context.Context, issue *exchange.Issue) (*evidenceOutput, error) {
	var leaf []byte
	var proof string
	if s.Prover != nil {
		var err error
		if leaf, proof, err = s.Prover.ProveResolution(ctx, issue.Resolution, issue.Version); err != nil {
			return nil, err
		}
	}
	out := &evidenceOutput{Body: evidenceView{Resolution: issue.Resolution, Version: issue.Version, Items: []receiptView{}}}
	for _, item := range issue.Items {
		m := item.Material
		view := receiptView{
			Material: m.Code, Materials: m.UsedBy, Name: m.Name, Mode: string(m.Mode), Reason: m.Reason.Text, Evidence: item.Token,
			Entry: entryRef{Kind: ledger.Resolved, Resolution: issue.Resolution, Version: issue.Version},
		}
		if m.Subject != nil {
			view.Party = m.Subject.Party
		}
		if e := item.Evidence; e != nil {
			view.Department, view.Dataset, view.Digest, view.Withheld, view.Removed = e.Department, e.Dataset, e.Digest, e.Withheld, e.Removed
		}
		if item.Token != "" {
			view.Leaf, view.Proof = leaf, proof
		}
		out.Body.Items = append(out.Body.Items, view)
	}
	return out, nil
}

// trust gives what is needed to check receipts offline. It is public, and may be
// kept for as long as a new key waits before it signs.
func (s *server) trust(ctx context.Context, _ *struct{}) (*discoveryOutput[evidence.TrustDocument], error) {
	keys, err := s.EvidenceKeys.EvidenceKeys(ctx)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "keys-unavailable", "验证公钥暂时读不出来，请稍后重试。").Because(err)
	}
	doc := evidence.TrustDocument{Issuer: s.Issuer, Keys: keys, Checkpoint: []string{}, Witnesses: []string{}}
	if s.CheckpointKeys != nil {
		ours, others, err := s.CheckpointKeys.CheckpointKeys(ctx)
		if err != nil {
			return nil, errors.Join(errors.New("read the checkpoint keys"), err)
		}
		doc.Checkpoint, doc.Witnesses = append(doc.Checkpoint, ours...), append(doc.Witnesses, others...)
	}
	return &discoveryOutput[evidence.TrustDocument]{CacheControl: publicFor, Body: doc}, nil
}
