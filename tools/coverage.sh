#!/usr/bin/env bash
# Fails when a statement of package policies is run by none of its own tests:
# what decides who may see what about whom is tested to the last line.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=$(mktemp)
trap 'rm -f "$profile"' EXIT

go test -short -coverprofile="$profile" ./policies

# A line of a profile is "file:from,to statements times".
missed=$(awk 'NR > 1 && $NF == 0 && $(NF-1) > 0 { print "  " $1 }' "$profile")
if [ -n "$missed" ]; then
  echo "not covered by any test of package policies:" >&2
  echo "$missed" >&2
  exit 1
fi
