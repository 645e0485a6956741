# make test is what a change needs while it is made; .ci/run is all of it.

FUZZTIME ?= 10s

.PHONY: test check coverage race fuzz bench demo

# Every test, with a real PostgreSQL beside the embedded SQLite.
test:
	bash tools/install-test-tools.sh postgresql mariadb node openssl pdftotext font chromium promtool
	go test -timeout 20m ./...

# gofmt, vet, staticcheck, go.mod.
check:
	bash tools/check.sh

# Every statement of package policies is run by its own tests.
coverage:
	bash tools/coverage.sh

# The tests again under the race detector, in random order; without those that
# build the program and kill it, whose processes it does not see (test has them).
# SQLite itself, which is C translated to Go, is left as it is: watched, each of its
# memory accesses costs ten times as much, and it is not ours to mend.
race:
	bash tools/install-test-tools.sh postgresql mariadb cc node openssl pdftotext font
	CGO_ENABLED=1 go test -race "-gcflags=modernc.org/...=-race=false" -short -shuffle=on -timeout 40m ./...

# Every fuzz target for FUZZTIME each.
fuzz:
	bash tools/fuzz.sh $(FUZZTIME)

# Pictures of every page, at three widths, light and dark, in the folder PICTURES.
PICTURES ?= pictures
.PHONY: pictures
pictures:
	bash tools/install-test-tools.sh node chromium
	go test ./web/journeys -pictures $(abspath $(PICTURES))

# Every benchmark.
bench:
	bash tools/install-test-tools.sh postgresql
	go test -run '^$$' -bench . -benchmem ./...

# Everything in one process, one case of every one-thing.
demo:
	go run ./cmd/mianti demo
