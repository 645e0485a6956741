package exchange_test

import (
	"os"
	"testing"

	"mianti/internal/pgtest"
	"mianti/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, store.Migrate)) }
