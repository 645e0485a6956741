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

# The targets are found in the sources: a new one needs no entry here.
while IFS=: read -r file _ declaration; do
  target=${declaration#func }
  target=${target%%(*}
  folder=$(dirname "$file")
  count=$((count + 1))
  echo "-- $target in $folder, $duration"
  if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" -fuzzminimizetime 10x "$folder" </dev/null; then
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
