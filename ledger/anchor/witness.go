package anchor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// WitnessAddress (见证方) is a witness: who it is, and where.
type WitnessAddress struct {
	Key *WitnessKey
	// URL is its submission prefix, without "/add-checkpoint".
	URL *url.URL
}

const (
	// mostProof is the most hashes of a consistency proof in a request.
	mostProof = 63
	// mostAnswer bounds what is read of an answer, in bytes.
	mostAnswer = 64 << 10
	// mostRounds is how often a witness may say that it knows another size: it is
	// asked with what we believe, with what it says, and once more when another
	// replica came between.
	mostRounds = 4
	// skew is how far another clock may be ahead of ours.
	skew = 5 * time.Minute
)

// witness speaks to one witness.
type witness struct {
	WitnessAddress
	client *http.Client
	now    func() time.Time
}

// anchor gets the checkpoint cosigned. It begins with what the witness is
// believed to know, and goes on from what it says that it knows.
func (w *witness) anchor(ctx context.Context, log Log, cp Checkpoint, last State) (Anchored, error) {
	old := min(last.Size, cp.Size)
	for range mostRounds {
		status, body, err := w.submit(ctx, log, cp, old)
		if err != nil {
			return Anchored{}, err
		}
		if status != http.StatusConflict {
			return w.answered(cp, status, body)
		}
		known, err := parseSize(strings.TrimSuffix(string(body), "\n"))
		switch {
		case err == nil && known == old && old == cp.Size:
			return Anchored{}, failed(Diverged, "the witness holds another tree of this size")
		case err != nil, known == old:
			return Anchored{}, failed(Unverified, "a conflict that is none")
		}
		if known > cp.Size {
			// Another replica has handed in a newer checkpoint, or ours went back.
			if cp, err = newest(ctx, log); err != nil {
				return Anchored{}, err
			}
			if known > cp.Size {
				return Anchored{}, failed(Diverged, "the witness holds a longer log")
			}
		}
		old = known
	}
	return Anchored{}, failed(Away, "the witness changed its size %d times", mostRounds)
}

// submit sends one add-checkpoint request and gives the answer.
func (w *witness) submit(ctx context.Context, log Log, cp Checkpoint, old int64) (int, []byte, error) {
	var proof []tlog.Hash
	if old > 0 && old < cp.Size {
		var err error
		if proof, err = log.ConsistencyProof(ctx, old, cp); err != nil {
			return 0, nil, failed(LogAway, "prove consistency: %w", err)
		}
	}
	if len(proof) > mostProof {
		return 0, nil, failed(LogAway, "a proof of %d hashes", len(proof))
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	for _, hash := range proof {
		fmt.Fprintf(&body, "%s\n", hash)
	}
	body.WriteString("\n")
	body.Write(cp.Signed)
	return post(ctx, w.client, w.URL.JoinPath("add-checkpoint"), "text/plain; charset=utf-8", body.Bytes())
}

// answered judges an answer other than 409.
func (w *witness) answered(cp Checkpoint, status int, body []byte) (Anchored, error) {
	switch status {
	case http.StatusOK:
	case http.StatusForbidden, http.StatusNotFound:
		return Anchored{}, failed(Unknown, "status %d", status)
	case http.StatusUnprocessableEntity:
		return Anchored{}, failed(Diverged, "the proof leads from another tree than the witness holds")
	default:
		return Anchored{}, answeredOtherwise(status)
	}
	lines, at, err := w.Key.cosigned(cp, body)
	if err != nil {
		return Anchored{}, failed(Unverified, "%w", err)
	}
	if at.After(w.now().Add(skew)) {
		return Anchored{}, failed(Unverified, "the cosignature is of the future")
	}
	return Anchored{Kind: Witness, Name: w.Key.Name(), Checkpoint: cp, Body: lines, At: at}, nil
}

// answeredOtherwise judges a status that the protocol does not speak of.
func answeredOtherwise(status int) error {
	if status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		return failed(Away, "status %d", status)
	}
	return failed(Unverified, "status %d", status)
}

// newest reads the newest checkpoint of the log.
func newest(ctx context.Context, log Log) (Checkpoint, error) {
	signed, err := log.Checkpoint(ctx)
	if err != nil {
		return Checkpoint{}, failed(LogAway, "read the checkpoint: %w", err)
	}
	if len(signed) == 0 {
		return Checkpoint{}, nil
	}
	cp, err := ParseCheckpoint(signed)
	if err != nil {
		return Checkpoint{}, failed(LogAway, "%w", err)
	}
	return cp, nil
}

// post sends a request and reads a bounded answer.
func post(ctx context.Context, client *http.Client, to *url.URL, kind string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, failed(Forbidden, "the address is none")
	}
	r.Header.Set("Content-Type", kind)
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, notSent(ctx, err)
	}
	defer answer.Body.Close() // a read error says more
	read, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer+1))
	if err != nil {
		return 0, nil, notSent(ctx, err)
	}
	if len(read) > mostAnswer {
		return 0, nil, failed(Unverified, "%w", errors.New("the answer is too long"))
	}
	return answer.StatusCode, read, nil
}
