package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// systemView is what a system is told about itself.
type systemView struct {
	ID          string           `json:"id"`
	Department  string           `json:"department"`
	Name        string           `json:"name"`
	Requires    string           `json:"requires,omitempty" enum:"dpop,mtls" doc:"令牌须绑定到什么; 缺省为不须绑定"`
	Credentials []credentialView `json:"credentials"`
}

// credentialView is a credential without what it proves itself by.
type credentialView struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" enum:"secret,jwk"`
	KeyID     string     `json:"key_id,omitempty" doc:"公钥的编号（kid）"`
	State     string     `json:"state" enum:"active,ended,revoked,pending"`
	NotBefore time.Time  `json:"not_before"`
	NotAfter  *time.Time `json:"not_after,omitempty" doc:"到此为止; 缺省为不自行终止"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy string     `json:"created_by" doc:"operator 为运维登记，system: 开头为系统自己添加"`
	InUse     bool       `json:"in_use" doc:"本次请求的令牌是凭它换取的"`
}

type systemOutput struct {
	Body systemView
}

type addKeyInput struct {
	Body struct {
		Proof   string `json:"proof" minLength:"1" maxLength:"8192" doc:"以现用密钥签名的 JWT：标头 typ 为 add-key+jwt，声明与客户端断言相同，另有 jwk 为新的公钥"`
		Overlap *int   `json:"overlap_hours,omitempty" minimum:"1" maximum:"720" doc:"其余凭据在多少小时后终止; 缺省为不终止"`
	}
}

func (s *server) registerSystem() {
	handle(s, s.operation(http.MethodGet, "/v1/system", "read-system", "本系统的登记与凭据", "授权"), s.readSystem)
	op := s.operation(http.MethodPost, "/v1/system/keys", "add-system-key", "添加本系统的下一个公钥", "授权",
		http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity)
	op.DefaultStatus = http.StatusCreated
	op.Description = "更换密钥而不经运维：令牌须是以 private_key_jwt 换取的，新的公钥须由换取该令牌的密钥签名。"
	handle(s, op, s.addSystemKey)
}

func (s *server) readSystem(ctx context.Context, _ *struct{}) (*systemOutput, error) {
	system, err := s.Systems.System(ctx, callerOf(ctx).System)
	if err != nil {
		return nil, fmt.Errorf("read system: %w", err)
	}
	return &systemOutput{Body: s.viewSystem(ctx, system)}, nil
}

// addSystemKey adds a key that the present one vouches for.
func (s *server) addSystemKey(ctx context.Context, in *addKeyInput) (*systemOutput, error) {
	system, err := s.Systems.System(ctx, callerOf(ctx).System)
	if err != nil {
		return nil, fmt.Errorf("read system: %w", err)
	}
	current := system.Credential(requestOf(ctx).credential, s.Now())
	if current == nil || current.Kind != exchange.CredentialJWK {
		return nil, fault.New(fault.Denied, "key-needed", "只有以 private_key_jwt 换取的令牌可以添加公钥。用密钥（secret）登录的系统，请联系运维更换。")
	}
	signed, err := s.verifySigned(in.Body.Proof, system, keyAddition())
	if err != nil || signed.credential != current.ID {
		return nil, fault.New(fault.Invalid, "invalid-key-proof", "proof 不是由换取本令牌的密钥签名的有效证明，请按接口说明重新签名。")
	}
	rotation, err := s.rotation(system, signed, in.Body.Overlap)
	if err != nil {
		return nil, err
	}
	err = s.useOnce(ctx, system.ID, signed)
	if errors.Is(err, fault.Conflict) {
		return nil, fault.New(fault.Conflict, "key-proof-used", "这个 proof 已经用过，请重新签名。")
	}
	if err != nil {
		return nil, err
	}
	if err := s.Systems.Rotate(ctx, rotation); err != nil {
		return nil, fmt.Errorf("add key: %w", err)
	}
	return s.readSystem(ctx, nil)
}

// rotation is the change by which a system adds the key in what it signed.
func (s *server) rotation(system *exchange.System, signed *signedBySystem, overlap *int) (exchange.Rotation, error) {
	now := s.Now().UTC()
	raw, err := json.Marshal(signed.claims["jwk"])
	if err != nil {
		return exchange.Rotation{}, fmt.Errorf("encode key: %w", err)
	}
	added, err := keyCredential(raw, s.NewID(), now)
	if err != nil {
		return exchange.Rotation{}, fault.New(fault.Invalid, "invalid-key", "jwk 不能使用：须是签名用的 P-256 或 Ed25519 公钥。")
	}
	added.CreatedBy = "system:" + system.ID
	out := exchange.Rotation{System: system.ID, Add: []exchange.Credential{added}}
	why := "系统以现用密钥添加"
	if overlap != nil {
		out.EndOthers = now.Add(time.Duration(*overlap) * time.Hour)
		why += "，其余凭据 " + strconv.Itoa(*overlap) + " 小时后终止"
	}
	out.Entries = []ledger.Entry{{
		Kind: ledger.CredentialAdded, At: now, System: system.ID, Department: system.Department, Object: "system:" + system.ID, Why: why,
	}}
	return out, nil
}

func (s *server) viewSystem(ctx context.Context, system *exchange.System) systemView {
	out := systemView{
		ID: system.ID, Department: system.Department, Name: system.Name, Requires: string(system.Requires),
		Credentials: []credentialView{},
	}
	for _, c := range system.Credentials {
		out.Credentials = append(out.Credentials, credentialView{
			ID: c.ID, Kind: string(c.Kind), KeyID: c.KeyID, State: string(c.StateAt(s.Now())), NotBefore: c.NotBefore,
			NotAfter: momentOrNil(c.NotAfter), RevokedAt: momentOrNil(c.RevokedAt), CreatedAt: c.CreatedAt, CreatedBy: c.CreatedBy,
			InUse: c.ID == requestOf(ctx).credential,
		})
	}
	return out
}

func momentOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// systemProblems are those of a system's own registration.
func systemProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-system":       {title: "没有这个系统", explanation: "没有登记这个接入系统。"},
		"unknown-credential":   {title: "没有这个凭据", explanation: "系统没有这个凭据。"},
		"key-needed":           {title: "须以密钥对登录", explanation: "只有以 private_key_jwt 换取的令牌可以添加公钥。用密钥（secret）登录的系统由运维更换。"},
		"invalid-key-proof":    {title: "证明无效", explanation: "proof 须由换取本令牌的密钥签名，typ 为 add-key+jwt，iss 与 sub 为系统编号，aud 为本机构地址，有 jti，5 分钟内到期。"},
		"key-proof-used":       {title: "证明已经用过", explanation: "每个 proof 只能用一次。请换一个 jti 重新签名。"},
		"invalid-key":          {title: "公钥不能使用", explanation: "须是签名用的 P-256 或 Ed25519 公钥，以 JSON Web Key（RFC 7517）表示，不含私钥。"},
		"key-exists":           {title: "公钥编号已在使用", explanation: "系统已有编号（kid）相同的公钥。请换一个新的密钥。"},
		"too-many-credentials": {title: "凭据太多", explanation: "一个系统同时有效的凭据有上限。请让旧的终止后再添加。"},
		"duplicate-credential": {title: "凭据已经存在", explanation: "请重试。"},
		"system-revoked":       {title: "系统已经停用", explanation: "停用的系统不能更换凭据。请联系运维重新登记。"},
		"credential-revoked":   {title: "凭据已经停用", explanation: "停用的凭据不能再停用。"},
	}
}
