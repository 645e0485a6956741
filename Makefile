# make test is what a change needs while it is made; .ci/run is all of it.

FUZZTIME ?= 10s

.PHONY: test check coverage race fuzz bench demo

# Every test, with a real PostgreSQL beside the embedded SQLite.
test:
	bash tools/install-test-tools.sh postgresql pgbouncer mariadb node openssl pdftotext font chromium promtool
	go test -timeout 40m ./...

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
	bash tools/install-test-tools.sh postgresql pgbouncer mariadb cc node openssl pdftotext font
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
	bash tools/install-test-tools.sh postgresql pgbouncer
	go test -run '^$$' -bench . -benchmem ./...

# What happens under overload, and when parts fail: each fails when its demand is not met.
.PHONY: overload
overload:
	bash tools/install-test-tools.sh postgresql
	go test -run '^$$' -bench 'Overload|Drain|Outage|DiskFull|SlowClients' -benchtime 1x -timeout 40m ./bench

# Two nodes under mixed load for DURATION while nodes are killed, the database and the
# pooler are restarted and sources fail; then every answer is held against the record.
DURATION ?= 10m
.PHONY: soak
soak:
	bash tools/install-test-tools.sh postgresql pgbouncer
	go run ./bench/soak --duration $(DURATION)

# The exchange beside other ways of doing the same, in one run; writes the figures
# and charts of docs/performance.md. SHORT=1 prints alone, in less than three minutes.
ROUNDS ?= 5
.PHONY: compare
compare:
	bash tools/install-test-tools.sh postgresql nginx
	go run ./bench/compare run --rounds $(ROUNDS) $(if $(SHORT),--short)

# What a resolution costs as the catalog, the grants, the ledger and the cases grow;
# writes docs/performance.md. SHORT=1 leaves the largest sizes out and prints alone.
.PHONY: growth
growth:
	bash tools/install-test-tools.sh postgresql
	go test -run '^$$' -bench 'BenchmarkGrowth$$' -benchtime 1x -timeout 60m ./bench $(if $(SHORT),-growth-short,-growth-docs $(abspath docs))

# A decision of the exchange beside one of Open Policy Agent.
.PHONY: bench-opa
bench-opa:
	cd bench/opa && go test -run '^$$' -bench Decision -benchtime 1x .

# Everything in one process, one case of every one-thing.
demo:
	go run ./cmd/mianti demo

# Upgrades two nodes from one program and schema to the next while systems ask; no
# request may fail.
.PHONY: upgrade-test
upgrade-test:
	bash tools/install-test-tools.sh postgresql
	go test ./cmd/mianti -run '^TestUpgrade_' -upgrade -v -count=1

# The files of deploy/, read by the programs that they are for.
.PHONY: manifests-check
manifests-check:
	bash tools/install-test-tools.sh postgresql nginx haproxy pgbouncer systemd openssl
	bash tools/check-deploy.sh

# The program as it is given out, built twice and compared, with its bill of materials
# and digests, in out/. VERSION names it.
.PHONY: release vulncheck
release:
	bash tools/release.sh $(VERSION)

# Known vulnerabilities in what the program calls, where the data can be had.
vulncheck:
	bash tools/vulncheck.sh
