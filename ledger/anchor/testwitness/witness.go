// Package testwitness is a small witness for demonstrations and tests. It does
// what https://c2sp.org/tlog-witness asks of one, but it forgets everything when
// it ends, and serves this machine alone.
package testwitness

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"mianti/ledger/anchor"
)

const (
	mostBody  = 64 << 10
	mostProof = 63
)

// Witness (测试见证方) cosigns the checkpoints of the logs that it knows, while
// each of them only grows.
type Witness struct {
	key  ed25519.PrivateKey
	name string
	logs map[string]note.Verifier // by origin
	now  func() time.Time

	mu     sync.Mutex
	latest map[string]anchor.Checkpoint // by origin
}

// New makes a witness of a name with a key, for logs whose origin is the name
// of their key.
func New(name string, key ed25519.PrivateKey, now func() time.Time, logs ...note.Verifier) *Witness {
	w := &Witness{name: name, key: key, now: now, logs: map[string]note.Verifier{}, latest: map[string]anchor.Checkpoint{}}
	for _, v := range logs {
		w.logs[v.Name()] = v
	}
	return w
}

// Key gives its public key.
func (w *Witness) Key() *anchor.WitnessKey {
	return anchor.NewWitnessKey(w.name, w.key.Public().(ed25519.PublicKey))
}

// Size gives how long a log is that it has cosigned; 0 for none.
func (w *Witness) Size(origin string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest[origin].Size
}

// refusal is an answer other than a cosignature.
type refusal struct {
	status int
	size   int64 // that it knows, for 409
}

func (r *refusal) Error() string { return "status " + strconv.Itoa(r.status) }

// ServeHTTP answers POST …/add-checkpoint.
func (w *Witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !from.Addr().Unmap().IsLoopback() {
		http.Error(out, "for this machine alone", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/add-checkpoint") {
		http.NotFound(out, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, mostBody))
	if err != nil {
		http.Error(out, "too long", http.StatusBadRequest)
		return
	}
	line, err := w.addCheckpoint(body)
	var no *refusal
	switch {
	case errors.As(err, &no) && no.status == http.StatusConflict:
		out.Header().Set("Content-Type", "text/x.tlog.size")
		out.WriteHeader(no.status)
		fmt.Fprintf(out, "%d\n", no.size)
	case errors.As(err, &no):
		http.Error(out, http.StatusText(no.status), no.status)
	case err != nil:
		http.Error(out, "the request is not as the protocol says", http.StatusBadRequest)
	default:
		fmt.Fprint(out, line)
	}
}

// addCheckpoint is the protocol: a line to answer with, a *refusal, or an error
// of a request that is none.
func (w *Witness) addCheckpoint(body []byte) (string, error) {
	head, signed, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return "", errors.New("no empty line")
	}
	old, proof, err := parseHead(string(head))
	if err != nil {
		return "", err
	}
	cp, err := anchor.ParseCheckpoint(signed)
	if err != nil {
		return "", err
	}
	verifier, ok := w.logs[cp.Origin]
	if !ok {
		return "", &refusal{status: http.StatusNotFound}
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return "", &refusal{status: http.StatusForbidden}
	}
	if old > cp.Size {
		return "", errors.New("the old size is over the new one")
	}
	// Comparing and keeping are one step, or a slower request would roll back what
	// a faster one has kept.
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := continues(w.latest[cp.Origin], cp, old, proof); err != nil {
		return "", err
	}
	w.latest[cp.Origin] = cp
	return w.cosign([]byte(opened.Text)), nil
}

// continues says whether a checkpoint continues the latest one.
func continues(latest, cp anchor.Checkpoint, old int64, proof []tlog.Hash) error {
	switch {
	case old != latest.Size:
		return &refusal{http.StatusConflict, latest.Size}
	case old == 0 && len(proof) > 0:
		return errors.New("a proof from nothing")
	case old == 0:
		return nil
	case old == cp.Size && cp.Hash != latest.Hash:
		return &refusal{http.StatusConflict, latest.Size}
	case tlog.CheckTree(proof, cp.Size, cp.Hash, latest.Size, latest.Hash) != nil:
		return &refusal{status: http.StatusUnprocessableEntity}
	}
	return nil
}

func (w *Witness) cosign(text []byte) string {
	at := w.now().Unix()
	sig := binary.BigEndian.AppendUint32(nil, w.Key().KeyHash())
	sig = binary.BigEndian.AppendUint64(sig, uint64(at))
	sig = append(sig, ed25519.Sign(w.key, anchor.CosignedMessage(text, at))...)
	return fmt.Sprintf("— %s %s\n", w.name, base64.StdEncoding.EncodeToString(sig))
}

// parseHead reads the old size and the proof.
func parseHead(head string) (int64, []tlog.Hash, error) {
	first, rest, _ := strings.Cut(head, "\n")
	digits, ok := strings.CutPrefix(first, "old ")
	old, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || old < 0 || strconv.FormatInt(old, 10) != digits {
		return 0, nil, errors.New("no old size")
	}
	var proof []tlog.Hash
	for line := range strings.Lines(rest) {
		hash, err := tlog.ParseHash(strings.TrimSuffix(line, "\n"))
		if err != nil || len(proof) == mostProof {
			return 0, nil, errors.New("a proof line is no hash, or there are too many")
		}
		proof = append(proof, hash)
	}
	return old, proof, nil
}

// Listen opens a port of this machine.
func Listen(address string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, errors.New("a test witness serves this machine alone: want an address such as 127.0.0.1:0")
	}
	return net.Listen("tcp", address)
}
