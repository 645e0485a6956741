#!/usr/bin/env bash
# Runs every fuzz target of the module for a while, one after the other, since
# go test takes one at a time:
#
#   tools/fuzz.sh 10s
set -euo pipefail
cd "$(dirname "$0")/.."

duration=${1:-10s}
count=0
failed=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# fuzz runs one target. The go command has a race at the end of -fuzztime: it
# can report its own deadline as a failure (golang/go#75804, mended in 1.27).
# What it found is always written down as a failing input; where there is none,
# and nothing else is said, the known inputs decide.
fuzz() {
  local target=$1 folder=$2
  if go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" -fuzzminimizetime 10x "$folder" </dev/null 2>&1 | tee "$log"; then
    return 0
  fi
  if ! grep -qx ' *context deadline exceeded' "$log" || grep -qE 'Failing input|panic|_test\.go:' "$log"; then
    return 1
  fi
  echo "-- $target: ended at its own deadline without a finding; running its known inputs"
  go test -count=1 -run "^$target\$" "$folder" </dev/null
}

# The targets are found in the sources: a new one needs no entry here.
while IFS=: read -r file _ declaration; do
  target=${declaration#func }
  target=${target%%(*}
  folder=$(dirname "$file")
  count=$((count + 1))
  echo "-- $target in $folder, $duration"
  if ! fuzz "$target" "$folder"; then
    failed+=("$target")
  fi
done < <(grep -rnE '^func Fuzz[A-Za-z0-9_]*\(' --include='*_test.go' . | sort)

if [ "$count" -eq 0 ]; then
  echo "fuzz: no fuzz target was found; the search is broken" >&2
  exit 1
fi
if [ "${#failed[@]}" -gt 0 ]; then
  echo "fuzz: failed: ${failed[*]}" >&2
  exit 1
fi
echo "fuzz: $count targets, no failure"
