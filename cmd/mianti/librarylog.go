package main

import (
	"context"
	"log"
	"log/slog"
)

// libraryLog takes what libraries write into the standard logger. Its text is
// dropped: net/http, for one, quotes what a department sent. That something was
// written is kept.
type libraryLog struct {
	log *slog.Logger
}

// Write drops a text.
func (l libraryLog) Write(text []byte) (int, error) {
	l.log.LogAttrs(context.Background(), slog.LevelWarn, "a library reported something; its text is not kept", slog.Int("bytes", len(text)))
	return len(text), nil
}

// quietLibraries leads the standard logger of the whole program there.
func quietLibraries(logger *slog.Logger) {
	log.SetFlags(0)
	log.SetPrefix("")
	log.SetOutput(libraryLog{logger})
}
