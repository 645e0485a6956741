#!/usr/bin/env bash
# Runs every check that needs no test: format, vet, staticcheck, go.mod. All of
# them run, and the script fails if any did.
set -euo pipefail
cd "$(dirname "$0")/.."

# An exact version: the newest one is not the same one tomorrow.
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

failed=()

# check runs a command and remembers its failure.
check() {
  local name=$1
  shift
  echo "-- $name"
  if ! "$@"; then
    failed+=("$name")
  fi
}

# formatted fails on files that gofmt would change, and on files that it cannot
# read. The list comes from the file system, so that it works outside git too.
formatted() {
  local unformatted
  unformatted=$(gofmt -l .) || return 1
  if [ -n "$unformatted" ]; then
    echo "gofmt would change:"
    echo "$unformatted"
    return 1
  fi
}

check gofmt formatted
check "go vet" go vet ./...
check staticcheck go run "$staticcheck" ./...
check "go mod tidy" go mod tidy -diff
check "go mod verify" go mod verify

if [ "${#failed[@]}" -gt 0 ]; then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi
