package wire

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"net/http"
	"net/url"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/egress"
)

const (
	maxHeader      = 64 << 10
	maxIdlePerHost = 128
	maxIdle        = 2 * maxIdlePerHost
	dialTimeout    = 10 * time.Second
	idleTimeout    = 90 * time.Second
	pingAfter      = 15 * time.Second
	pingTimeout    = 5 * time.Second
	// sweepEvery is how often pools, and connections, are looked for that nobody uses
	// any more. It is done with a call; plainTransport looks by itself too.
	sweepEvery = 10 * time.Second
	// unused is how long a pool is kept that nobody uses.
	unused = 5 * time.Minute
)

// poolKey is what the connections of a source depend on, but for the content
// of its secrets. No two sources share a connection, as a source may be known
// to another by it.
type poolKey struct {
	source  string
	network catalog.Network
	tls     catalog.TLSAuth
}

// pool is the connections to one source under one setting.
type pool struct {
	transport *carrier
	material  [sha256.Size]byte // digest of the secrets

	// These belong to the Client and its lock.
	users   int
	used    time.Time
	retired bool
}

// take gives the pool for a host of a source: a new one when a setting or a
// secret has changed. It has to be given back with release.
func (c *Client) take(q connectors.Query, host string) (*pool, error) {
	key := newPoolKey(q, host)
	secrets, err := c.material(key.tls)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	p := c.pools[key]
	if p == nil || p.material != secrets.digest() {
		config, err := secrets.config(key.tls)
		if err != nil {
			return nil, err
		}
		if p != nil {
			p.retire()
		}
		p = &pool{transport: newCarrier(key.network, config, c.now), material: secrets.digest()}
		c.pools[key] = p
	}
	p.users++
	p.used = now
	c.sweep(now)
	return p, nil
}

func newPoolKey(q connectors.Query, host string) poolKey {
	key := poolKey{network: q.Network}
	if q.Source != nil {
		key.source = q.Source.Code
	}
	if a := authOf(q.Source); a.TLS != nil {
		key.tls = *a.TLS
		// The name is that of the source. A token endpoint elsewhere has its own.
		if base, err := url.Parse(q.BaseURL); err != nil || base.Host != host {
			key.tls.ServerName = ""
		}
	}
	return key
}

// release gives back what take gave. The connections of a pool that has been
// replaced end with its last user.
func (c *Client) release(p *pool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.users--
	if p.retired && p.users == 0 {
		p.transport.CloseIdleConnections()
	}
}

func (p *pool) retire() {
	p.retired = true
	p.transport.CloseIdleConnections()
}

// sweep drops the pools of sources that nobody asks any more, such as those of
// a catalog that has been replaced, and of the others what will not be used again.
func (c *Client) sweep(now time.Time) {
	if now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = now
	for key, p := range c.pools {
		if p.users == 0 && now.Sub(p.used) > unused {
			p.retire()
			delete(c.pools, key)
			continue
		}
		p.transport.closeSpent()
	}
}

func newTransport(n catalog.Network, config *tls.Config) *http.Transport {
	return &http.Transport{
		// Proxy is left out: a proxy would resolve names by itself.
		DialContext:            egress.Dialer(n).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    dialTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		// A compressed answer could grow past every limit.
		DisableCompression: true,
	}
}

// material is what the secrets of a TLS setting hold.
type material struct{ certificate, key, ca []byte }

// material reads the secrets anew, so that a changed one is noticed; they are
// kept for a while by whoever gives them.
func (c *Client) material(a catalog.TLSAuth) (material, error) {
	var m material
	for _, wanted := range []struct {
		ref  catalog.SecretRef
		into *[]byte
	}{{a.Certificate, &m.certificate}, {a.Key, &m.key}, {a.CA, &m.ca}} {
		if wanted.ref == "" {
			continue
		}
		if c.secrets == nil {
			return material{}, fail(connectors.FaultMisset, "there are no secrets here, and the source needs "+string(wanted.ref))
		}
		content, err := c.secrets.Secret(wanted.ref)
		if err != nil {
			return material{}, &connectors.Fault{Kind: connectors.FaultMisset, Cause: err}
		}
		*wanted.into = content
	}
	return m, nil
}

// digest tells one content from another.
func (m material) digest() [sha256.Size]byte {
	var text []byte
	for _, part := range [][]byte{m.certificate, m.key, m.ca} {
		text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
		text = append(text, part...)
	}
	return sha256.Sum256(text)
}

// config is the TLS setting. Errors of the libraries are dropped: they could
// quote a key.
func (m material) config(a catalog.TLSAuth) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.ServerName}
	if m.certificate != nil || m.key != nil {
		pair, err := tls.X509KeyPair(m.certificate, m.key)
		if err != nil {
			return nil, fail(connectors.FaultMisset, "secrets "+string(a.Certificate)+" and "+string(a.Key)+" are no certificate and its key")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if m.ca != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(m.ca) {
			return nil, fail(connectors.FaultMisset, "secret "+string(a.CA)+" holds no certificate")
		}
	}
	return config, nil
}
