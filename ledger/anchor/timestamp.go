package anchor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Authority (时间戳机构) is a time-stamping authority.
type Authority struct {
	URL *url.URL
	// Roots are the certificates that its own must lead to.
	Roots *x509.CertPool
}

// Name gives the host of the authority, by which its anchor is known.
func (a Authority) Name() string { return a.URL.Host }

// Stamp (时间戳) is a verified time stamp.
type Stamp struct {
	// Time is when the authority says that it saw the digest; the true time is
	// within Accuracy of it, where that is stated.
	Time     time.Time
	Accuracy time.Duration
	Serial   *big.Int
	// Policy is under which it was given, as a dotted object identifier.
	Policy string
}

// timestamper speaks to one authority.
type timestamper struct {
	Authority
	client *http.Client
	now    func() time.Time
}

// nonceBits is the length of the number that ties an answer to its question.
const nonceBits = 64

// anchor gets the checkpoint stamped. An authority knows nothing of logs, so
// that the checkpoint is held against the one that was stamped before.
func (t *timestamper) anchor(ctx context.Context, log Log, cp Checkpoint, last State) (Anchored, error) {
	if err := continues(ctx, log, cp, last); err != nil {
		return Anchored{}, err
	}
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), nonceBits))
	if err != nil {
		return Anchored{}, fmt.Errorf("make a nonce: %w", err)
	}
	query, err := NewTimestampQuery(cp.Signed, nonce)
	if err != nil {
		return Anchored{}, err
	}
	status, reply, err := post(ctx, t.client, t.URL, "application/timestamp-query", query)
	if err != nil {
		return Anchored{}, err
	}
	if status != http.StatusOK {
		return Anchored{}, answeredOtherwise(status)
	}
	stamp, err := VerifyTimestamp(reply, cp.Signed, nonce, t.Roots)
	if err != nil {
		return Anchored{}, err
	}
	if stamp.Time.After(t.now().Add(skew)) || stamp.Time.Before(t.now().Add(-skew)) {
		return Anchored{}, failed(Unverified, "the time stamp is not of now")
	}
	return Anchored{Kind: Timestamp, Name: t.Name(), Checkpoint: cp, Body: reply, At: stamp.Time}, nil
}

// continues proves that a checkpoint continues the one that was anchored last.
func continues(ctx context.Context, log Log, cp Checkpoint, last State) error {
	switch {
	case last.Size == 0:
		return nil
	case cp.Size < last.Size, cp.Size == last.Size && cp.Hash != last.Hash:
		return failed(Diverged, "the log is not as long as it was, or another")
	case cp.Size == last.Size:
		return nil
	}
	proof, err := log.ConsistencyProof(ctx, last.Size, cp)
	if err != nil {
		return failed(LogAway, "prove consistency: %w", err)
	}
	if tlog.CheckTree(proof, cp.Size, cp.Hash, last.Size, last.Hash) != nil {
		return failed(Diverged, "the log does not continue what was anchored")
	}
	return nil
}

// NewTimestampQuery gives the DER of a TimeStampReq (RFC 3161 §2.4.1) for the
// SHA-256 of data, which asks for the authority's certificate.
func NewTimestampQuery(data []byte, nonce *big.Int) ([]byte, error) {
	sum := sha256.Sum256(data)
	query, err := asn1.Marshal(timeStampReq{Version: 1, MessageImprint: imprintOf(sum[:]), Nonce: nonce, CertReq: true})
	if err != nil {
		return nil, fmt.Errorf("encode a time stamp query: %w", err)
	}
	return query, nil
}

// VerifyTimestamp verifies a TimeStampResp (RFC 3161 §2.4.2) for data: that it
// was granted, is of the SHA-256 of data, answers the nonce (nil: is not looked
// at), and is signed by a certificate for time stamping that led to one of the
// roots at the time which it states.
func VerifyTimestamp(reply, data []byte, nonce *big.Int, roots *x509.CertPool) (Stamp, error) {
	var response timeStampResp
	if err := unmarshal(reply, &response); err != nil {
		return Stamp{}, failed(Unverified, "read a time stamp reply: %w", err)
	}
	const granted, grantedWithMods = 0, 1
	if response.Status.Status != granted && response.Status.Status != grantedWithMods {
		return Stamp{}, failed(Rejected, "status %d, failure bits %x", response.Status.Status, response.Status.FailInfo.Bytes)
	}
	token, err := parseToken(response.Token.FullBytes)
	if err != nil {
		return Stamp{}, failed(Unverified, "%w", err)
	}
	var info tstInfo
	if err := unmarshal(token.content, &info); err != nil {
		return Stamp{}, failed(Unverified, "read TSTInfo: %w", err)
	}
	if err := info.answers(data, nonce); err != nil {
		return Stamp{}, failed(Unverified, "%w", err)
	}
	if err := token.verify(roots, info.GenTime); err != nil {
		return Stamp{}, failed(Unverified, "%w", err)
	}
	return info.stamp(), nil
}

func (info *tstInfo) answers(data []byte, nonce *big.Int) error {
	sum := sha256.Sum256(data)
	switch {
	case info.Version != 1:
		return errors.New("the version of TSTInfo is not 1")
	case !is(info.MessageImprint.HashAlgorithm.Algorithm, oidSHA256) || !bytes.Equal(info.MessageImprint.HashedMessage, sum[:]):
		return errors.New("the time stamp is of something else")
	case nonce != nil && (info.Nonce == nil || info.Nonce.Cmp(nonce) != 0):
		return errors.New("the time stamp answers another question")
	case info.SerialNumber == nil:
		return errors.New("the time stamp has no serial number")
	}
	return nil
}

func (info *tstInfo) stamp() Stamp {
	return Stamp{
		Time: info.GenTime.UTC(), Serial: info.SerialNumber, Policy: info.Policy.String(),
		Accuracy: time.Duration(info.Accuracy.Seconds)*time.Second + time.Duration(info.Accuracy.Millis)*time.Millisecond +
			time.Duration(info.Accuracy.Micros)*time.Microsecond,
	}
}
