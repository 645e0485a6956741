package store

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// sealedPacker compresses what is sealed (密文压缩), before it is: what is encrypted
// cannot be compressed any more, by the database either. A resolution and its inputs
// take a quarter of the place, in the tables and in the database's journal; see
// BenchmarkSealedPacker.
type sealedPacker struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

const (
	// packFrom is the length, in bytes, from which on packing pays.
	packFrom = 512
	// maxSealed bounds what is unpacked: many times what is ever sealed.
	maxSealed = 64 << 20
)

func newSealedPacker() (*sealedPacker, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(64<<10), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("make the compressor of what is sealed: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxSealed))
	if err != nil {
		return nil, fmt.Errorf("make the reader of what is sealed: %w", err)
	}
	return &sealedPacker{encoder, decoder}, nil
}

// packedMark is how a Zstandard frame begins (RFC 8878, section 3.1.1). JSON never
// begins so.
func packedMark() []byte { return []byte{0x28, 0xb5, 0x2f, 0xfd} }

func (p *sealedPacker) pack(plain []byte) []byte {
	if len(plain) < packFrom {
		return plain
	}
	return p.encoder.EncodeAll(plain, make([]byte, 0, len(plain)/3))
}

func (p *sealedPacker) unpack(packed []byte) ([]byte, error) {
	if !bytes.HasPrefix(packed, packedMark()) {
		return packed, nil
	}
	return p.decoder.DecodeAll(packed, nil)
}
