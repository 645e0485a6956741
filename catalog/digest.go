package catalog

import (
	"crypto/sha256"
	"crypto/sha3"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// lanes is how many numbers a digest is made of. Of 1024 numbers of 16 bits,
// finding two sets of files with one digest is at least as hard as 2^200 steps
// (Lewi, Kim, Maykov, Weis: Securing Update Propagation with Homomorphic Hashing,
// 2019, which calls it LtHash).
const lanes = 1024

// Digest (目录摘要) names the content of a catalog: the same files have the same
// digest, in whatever order they were added. A file is taken out as it was put in,
// so that the digest of a catalog of a million matters follows from what changed.
type Digest struct{ sum [lanes]uint16 }

// DigestOf continues a digest from what State gave.
func DigestOf(state []byte) (*Digest, error) {
	d := &Digest{}
	if len(state) != 2*lanes {
		return nil, fmt.Errorf("state of a catalog's digest: %d bytes, not %d", len(state), 2*lanes)
	}
	for i := range d.sum {
		d.sum[i] = binary.LittleEndian.Uint16(state[2*i:])
	}
	return d, nil
}

// Add puts a file in; part is the PartDigest of its content.
func (d *Digest) Add(path, part string) {
	for i, n := range element(path, part) {
		d.sum[i] += n
	}
}

// Remove takes a file out.
func (d *Digest) Remove(path, part string) {
	for i, n := range element(path, part) {
		d.sum[i] -= n
	}
}

// State is what the digest can be continued from.
func (d *Digest) State() []byte {
	state := make([]byte, 0, 2*lanes)
	for _, n := range d.sum {
		state = binary.LittleEndian.AppendUint16(state, n)
	}
	return state
}

// String is the digest's name: 64 hex digits.
func (d *Digest) String() string {
	sum := sha256.Sum256(d.State())
	return hex.EncodeToString(sum[:])
}

// PartDigest names the content of one file: its SHA-256, hex.
func PartDigest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// element spreads a file over the lanes. The length of the path goes first, so that
// no path can pass for another with a part of its digest.
func element(path, part string) [lanes]uint16 {
	spread := sha3.NewSHAKE256()
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(path)))
	_, _ = spread.Write(size[:]) // a hash takes all
	_, _ = spread.Write([]byte(path))
	_, _ = spread.Write([]byte(part))
	var out [2 * lanes]byte
	_, _ = spread.Read(out[:])
	var numbers [lanes]uint16
	for i := range numbers {
		numbers[i] = binary.LittleEndian.Uint16(out[2*i:])
	}
	return numbers
}

// digest names the content of files.
func digest(files []*file) string {
	d := &Digest{}
	for _, f := range files {
		d.Add(f.name, PartDigest(f.content))
	}
	return d.String()
}
