package bench

import (
	"os"
	"testing"

	"mianti/internal/pgtest"
)

// The program migrates its database itself, as an operator would have it do.
func TestMain(m *testing.M) { os.Exit(pgtest.MainDurable(m, nil)) }
