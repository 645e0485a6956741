package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/oauth2"

	"mianti/internal/fault"
	"mianti/internal/identifier"
	"mianti/ledger"
)

// login is a sign-in under way: what the provider was sent off with, and what
// its answer must agree with. It is good for one answer.
type login struct {
	kind     Kind
	state    string
	nonce    string
	verifier string // of PKCE
	back     string // where to go afterwards
}

// What the session of a sign-in under way holds.
const (
	valueKind     = "kind"
	valueState    = "state"
	valueNonce    = "nonce"
	valueVerifier = "verifier"
	valueBack     = "back"
)

func newLogin(kind Kind, back string) login {
	return login{kind: kind, state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), back: ownPath(back)}
}

// start sends somebody to the provider. It touches no session of somebody who has
// signed in: any page can lead a browser here.
func (i *Identity) start(w http.ResponseWriter, r *http.Request, kind Kind) error {
	provider := i.provider(kind)
	if provider == nil {
		return signInOff()
	}
	l := newLogin(kind, r.URL.Query().Get("return"))
	target, err := provider.authorizeURL(r.Context(), i.callback(kind), l)
	if err != nil {
		return err
	}
	ctx, err := i.logins.Load(r.Context(), "")
	if err != nil {
		return fmt.Errorf("start sign-in: %w", err)
	}
	for name, value := range map[string]string{
		valueKind: string(l.kind), valueState: l.state, valueNonce: l.nonce, valueVerifier: l.verifier, valueBack: l.back,
	} {
		i.logins.Put(ctx, name, value)
	}
	token, expiry, err := i.logins.Commit(ctx)
	if err != nil {
		return fmt.Errorf("start sign-in: %w", err)
	}
	i.logins.WriteSessionCookie(ctx, w, token, expiry)
	http.Redirect(w, r, target, http.StatusFound)
	return nil
}

func (i *Identity) callback(kind Kind) string { return i.Address + "/auth/callback/" + string(kind) }

// finish takes the provider's answer: of a sign-in that this browser began at
// this provider, less than ten minutes ago, and once.
func (i *Identity) finish(w http.ResponseWriter, r *http.Request, kind Kind) error {
	provider := i.provider(kind)
	if provider == nil {
		return signInOff()
	}
	l, err := i.takeLogin(w, r, kind)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	if issuer := query.Get("iss"); issuer != "" && issuer != provider.config.Issuer { // RFC 9207
		return refusedLogin(errors.New("another provider answers"))
	}
	if query.Has("error") || query.Get("code") == "" {
		return fault.New(fault.Denied, "login-declined", "统一身份认证没有同意这次登录，或登录被取消。请重新登录。")
	}
	said, err := provider.redeem(r.Context(), i.callback(kind), query.Get("code"), l)
	if err != nil {
		return err
	}
	person, err := i.admit(r, kind, provider, said)
	if err != nil {
		return err
	}
	if err := i.begin(w, r, person); err != nil {
		return err
	}
	back := l.back
	if kind == Staff && len(person.Departments()) != 1 {
		back = homePath // where he is told what is missing
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// takeLogin finds the sign-in that a request answers, and uses it up.
func (i *Identity) takeLogin(w http.ResponseWriter, r *http.Request, kind Kind) (login, error) {
	token := cookieOf(r, i.logins.Cookie.Name)
	if token == "" {
		return login{}, staleLogin()
	}
	ctx, err := i.logins.Load(r.Context(), token)
	if err != nil {
		return login{}, fmt.Errorf("take sign-in: %w", err)
	}
	l := login{
		kind: Kind(i.logins.GetString(ctx, valueKind)), state: i.logins.GetString(ctx, valueState), nonce: i.logins.GetString(ctx, valueNonce),
		verifier: i.logins.GetString(ctx, valueVerifier), back: i.logins.GetString(ctx, valueBack),
	}
	if l.kind != kind || !sameSecret(l.state, r.URL.Query().Get("state")) {
		return login{}, staleLogin()
	}
	since, err := i.Uses.LastUse(ctx, storedToken(token))
	if err != nil {
		return login{}, fmt.Errorf("take sign-in: %w", err)
	}
	taken, err := i.Uses.End(ctx, storedToken(token))
	if err != nil {
		return login{}, fmt.Errorf("take sign-in: %w", err)
	}
	if !taken || !i.Now().Before(since.Add(loginLife)) {
		return login{}, staleLogin()
	}
	i.logins.WriteSessionCookie(ctx, w, "", time.Time{})
	return l, nil
}

// admit finds or makes the person whom the provider names, and records that he
// signed in. Of a citizen's number only its keyed digest is kept.
func (i *Identity) admit(r *http.Request, kind Kind, provider *Provider, said claimed) (*Person, error) {
	now := i.Now().UTC()
	p := &Person{ID: i.NewID(), Kind: kind, CreatedAt: now}
	if kind == Citizen {
		number := identifier.Normalize(said.number)
		if err := identifier.CitizenID(number); err != nil {
			return nil, fault.New(fault.Denied, "no-citizen-number", "登录没有完成：统一身份认证没有给出有效的公民身份号码。请确认账号已实名，再重新登录。")
		}
		p.Subject = i.SubjectOf(number)
	} else {
		p.Issuer, p.Subject, p.Name = provider.config.Issuer, said.subject, shownName(said.name)
	}
	return i.Persons.SignIn(r.Context(), p, ledger.Entry{Kind: ledger.SignedIn, At: now})
}

// maxName bounds a name that is shown, in characters.
const maxName = 100

// shownName makes a name fit to be shown in a list.
func shownName(name string) string {
	name = strings.TrimSpace(name)
	if !plain(name) || utf8.RuneCountInString(name) > maxName {
		return ""
	}
	return name
}

// plain reports whether a text holds nothing that cannot be seen or stored.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}

// sameSecret compares without telling how much agrees. Nothing is the same as
// nothing.
func sameSecret(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// maxPath bounds an address to go back to.
const maxPath = 1000

// ownPath gives the address if it is a path of this server, and the home page
// otherwise: "//evil.example", "/\evil.example" and whatever else a browser takes
// for another host leads nowhere.
func ownPath(back string) string {
	u, err := url.Parse(back)
	if err != nil || len(back) > maxPath || !plain(back) || strings.Contains(back, `\`) || u.IsAbs() || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.HasPrefix(u.Path, "//") {
		return homePath
	}
	return back
}

func staleLogin() error {
	return fault.New(fault.Denied, "login-stale", "这次登录已失效、已用过，或不是在这个浏览器中开始的。请重新登录。")
}

func signInOff() error {
	return fault.New(fault.NotFound, "sign-in-off", "没有接入这一类登录。请联系运维人员。")
}
