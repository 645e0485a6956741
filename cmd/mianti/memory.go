package main

import (
	"math"
	"runtime/debug"
)

// memorySetting bounds the memory of a server.
type memorySetting struct {
	MemoryTarget int64 `env:"MIANTI_MEMORY_TARGET" default:"384" help:"MiB that the program may grow to before it collects garbage more often. No bound: what it needs, it takes. 0: none."`
}

// gcPercent has the garbage collected when the heap is four times what is in use.
// At twice, Go's default, collecting took a seventh of the processor time of a
// server under load (docs/performance.md).
const gcPercent = 300

// tune sets when garbage is collected. Who sets GOGC or GOMEMLIMIT knows better.
func (s memorySetting) tune() {
	if before := debug.SetGCPercent(gcPercent); before != 100 {
		debug.SetGCPercent(before)
	}
	if s.MemoryTarget > 0 && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(s.MemoryTarget << 20)
	}
}
