package standin

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

const (
	// signedWithin is how far a caller's clock may be off.
	signedWithin = 5 * time.Minute
	// manyNonces is more than a demonstration sends in that time.
	manyNonces = 100_000
	tokenLife  = time.Hour
)

// gate asks for proof of who asks, before an interface in the plain shape:
//
//	POST /{department}/signed/{method}/{dataset}
//
// The method is header, hmac, hmac-sm3, sm2 or oauth2. What is signed is
// DemoSign, the path being that of the request.
type gate struct {
	now func() time.Time

	mutex      sync.Mutex
	nonces     map[string]time.Time // that were seen, and when
	generation int                  // of the tokens that are good
}

func newGate(now func() time.Time) *gate { return &gate{now: now, nonces: map[string]time.Time{}} }

// signed answers who can prove itself, as query does.
func (s *Server) signed(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	good := false
	switch r.PathValue("method") {
	case "header":
		good = same(r.Header.Get(DemoHeader), DemoSecret)
	case "hmac":
		good = s.gate.hmac(r, body, sha256.New)
	case "hmac-sm3":
		good = s.gate.hmac(r, body, sm3.New)
	case "sm2":
		good = s.gate.sm2(r, body)
	case "oauth2":
		good = s.gate.token(r)
	default:
		http.NotFound(w, r)
		return
	}
	if !good {
		http.Error(w, "身份验证不通过", http.StatusUnauthorized)
		return
	}
	s.query(w, r)
}

func same(got, want string) bool { return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 }

// hmac checks a signature in hexadecimal.
func (g *gate) hmac(r *http.Request, body []byte, digest func() hash.Hash) bool {
	text, fresh := g.signedText(r, body, digest)
	sent, err := hex.DecodeString(r.Header.Get("X-Signature"))
	if err != nil || !fresh {
		return false
	}
	mac := hmac.New(digest, []byte(DemoSecret))
	_, _ = mac.Write(text)
	return hmac.Equal(sent, mac.Sum(nil))
}

// sm2 checks a signature in base64 of ASN.1.
func (g *gate) sm2(r *http.Request, body []byte) bool {
	text, fresh := g.signedText(r, body, sm3.New)
	sent, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Signature"))
	if err != nil || !fresh {
		return false
	}
	key, err := demoSM2()
	return err == nil && verifySM2(&key.PublicKey, text, sent)
}

// signedText is DemoSign with its variables put in; fresh is false when the
// time is wrong, the nonce is not new, or the key is not known.
func (g *gate) signedText(r *http.Request, body []byte, digest func() hash.Hash) (text []byte, fresh bool) {
	stamp, nonce := r.Header.Get("X-Timestamp"), r.Header.Get("X-Nonce")
	millis, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || r.Header.Get("X-App-Key") != DemoKey {
		return nil, false
	}
	if off := g.now().Sub(time.UnixMilli(millis)); off > signedWithin || off < -signedWithin || !g.first(nonce) {
		return nil, false
	}
	d := digest()
	_, _ = d.Write(body)
	lines := []string{r.Method, r.URL.EscapedPath(), stamp, nonce, hex.EncodeToString(d.Sum(nil))}
	return []byte(strings.Join(lines, "\n")), true
}

// first says whether a nonce is new, and remembers it as long as its time is
// good.
func (g *gate) first(nonce string) bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	now := g.now()
	if _, seen := g.nonces[nonce]; seen || nonce == "" {
		return false
	}
	for old, at := range g.nonces {
		if now.Sub(at) > 2*signedWithin {
			delete(g.nonces, old)
		}
	}
	if len(g.nonces) >= manyNonces {
		return false
	}
	g.nonces[nonce] = now
	return true
}

// issueToken answers the token endpoint of OAuth 2 (RFC 6749 §4.4).
func (s *Server) issueToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" {
		s.sendToken(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	client, secret, basic := r.BasicAuth()
	if !basic {
		client, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if client != DemoClient || !same(secret, DemoSecret) {
		s.sendToken(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	s.sendToken(w, http.StatusOK, map[string]any{
		"access_token": s.gate.newToken(), "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()),
	})
}

func (s *Server) sendToken(w http.ResponseWriter, status int, answer any) {
	body, err := encode(answer)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Date", s.today().UTC().Format(http.TimeFormat))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the one who asked may be gone
}

// RevokeTokens makes all tokens worthless that were issued so far.
func (s *Server) RevokeTokens() {
	s.gate.mutex.Lock()
	defer s.gate.mutex.Unlock()
	s.gate.generation++
}

// newToken says until when it is good, and is sealed: nothing has to be kept.
func (g *gate) newToken() string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.seal(strconv.Itoa(g.generation) + "." + strconv.FormatInt(g.now().Add(tokenLife).Unix(), 10))
}

func (g *gate) seal(text string) string {
	mac := hmac.New(sha256.New, []byte(DemoSecret))
	_, _ = io.WriteString(mac, text)
	return text + "." + hex.EncodeToString(mac.Sum(nil))
}

// token checks a bearer token.
func (g *gate) token(r *http.Request) bool {
	sent, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	parts := strings.Split(sent, ".")
	if !bearer || len(parts) != 3 {
		return false
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	until, err := strconv.ParseInt(parts[1], 10, 64)
	return err == nil && same(sent, g.seal(parts[0]+"."+parts[1])) &&
		parts[0] == strconv.Itoa(g.generation) && g.now().Unix() < until
}
