package admission

import (
	"hash/maphash"
	"net/http"
	"sync"
)

// Callers remembers which credential is whose, of those that were found to be good
// a moment ago, so that a flood can be counted to its caller before anything of it
// is looked at. It says nothing about rights: whoever is let in proves himself as
// ever. A credential that was made up is not in it, so that nobody can use up
// another's share by its name. It keeps no credential, only a hash under a key that
// dies with the program. A nil one remembers nothing.
type Callers struct {
	seed maphash.Seed
	most int

	mu            sync.RWMutex
	recent, older map[uint64]string
}

// callersKept is how many credentials are remembered at least.
const callersKept = 16 << 10

// NewCallers returns an empty memory.
func NewCallers() *Callers {
	return &Callers{seed: maphash.MakeSeed(), most: callersKept, recent: map[uint64]string{}}
}

// Learn remembers that the credential of a request is that of a caller.
func (c *Callers) Learn(r *http.Request, caller string) { c.LearnCredential(CredentialOf(r), caller) }

// LearnCredential remembers whose a credential is, as CredentialOf gives it.
func (c *Callers) LearnCredential(credential, caller string) {
	if c == nil || credential == "" {
		return
	}
	key := maphash.String(c.seed, credential)
	c.mu.RLock()
	known := c.recent[key]
	c.mu.RUnlock()
	if known == caller {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.recent) >= c.most { // those that were not used meanwhile are forgotten
		c.older, c.recent = c.recent, make(map[uint64]string, c.most)
	}
	c.recent[key] = caller
}

// Forget is for a credential that is good no more.
func (c *Callers) Forget(r *http.Request) { c.ForgetCredential(CredentialOf(r)) }

// ForgetCredential is Forget for a credential as CredentialOf gives it.
func (c *Callers) ForgetCredential(credential string) {
	if c == nil || credential == "" {
		return
	}
	key := maphash.String(c.seed, credential)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.recent, key)
	delete(c.older, key)
}

// Known gives the caller of a request; empty for one who is not known.
func (c *Callers) Known(r *http.Request) string {
	if c == nil {
		return ""
	}
	credential := CredentialOf(r)
	if credential == "" {
		return ""
	}
	key := maphash.String(c.seed, credential)
	c.mu.RLock()
	defer c.mu.RUnlock()
	if caller, ok := c.recent[key]; ok {
		return caller
	}
	return c.older[key]
}

// CredentialOf gives what a request says to prove who sends it: its Authorization,
// or its session; empty for none, or for several.
func CredentialOf(r *http.Request) string {
	switch given := r.Header["Authorization"]; {
	case len(given) == 1:
		return given[0]
	case len(given) > 1 || len(r.Header["Cookie"]) == 0:
		return ""
	}
	for _, name := range []string{"__Host-mianti", "mianti"} {
		if found := r.CookiesNamed(name); len(found) == 1 {
			return found[0].Value
		}
	}
	return ""
}
