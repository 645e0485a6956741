package testprovider_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mianti/identity/testprovider"
)

func TestListen_ServesThisMachineOnly(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "[::]:0", "mianti.example:0", "nowhere"} {
		if l, err := testprovider.Listen(address); err == nil {
			_ = l.Close()
			t.Errorf("%s: it listens", address)
		}
	}
	l, err := testprovider.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

func TestNew_RefusesAnIssuerThatOthersReach(t *testing.T) {
	t.Parallel()
	for issuer, ok := range map[string]bool{"http://127.0.0.1:1/staff": true, "https://id.example/staff": false, "http://192.0.2.1/staff": false} {
		_, err := testprovider.New(testprovider.Config{Issuer: issuer, ClientID: "c", RedirectURLs: []string{"http://127.0.0.1/cb"}, Now: time.Now})
		if (err == nil) != ok {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

func TestAuthorize_WarnsAndSendsNobodyToAnAddressThatIsNotRegistered(t *testing.T) {
	t.Parallel()
	p, err := testprovider.New(testprovider.Config{
		Issuer: "http://127.0.0.1:1/staff", Title: "登录", ClientID: "c", RedirectURLs: []string{"http://127.0.0.1/cb"}, Now: time.Now,
		People: []testprovider.Person{{Subject: "a", Name: "<b>张三"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(redirect string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/staff/authorize?client_id=c&response_type=code&scope=openid&state=s&code_challenge=x&code_challenge_method=S256&redirect_uri="+redirect, nil))
		return w
	}
	if w := ask("http://127.0.0.1/cb"); w.Code != 200 || !strings.Contains(w.Body.String(), "不得用于真实数据") || strings.Contains(w.Body.String(), "<b>") {
		t.Errorf("page: %d %s", w.Code, w.Body)
	}
	for _, redirect := range []string{"", "https://evil.example", "http://127.0.0.1/cb/x"} {
		if w := ask(redirect); w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" {
			t.Errorf("%q: %d %s", redirect, w.Code, w.Header().Get("Location"))
		}
	}
}
