#!/usr/bin/env bash
# Looks for known vulnerabilities in what the program calls. The data come from the
# network; where they cannot be had this says so plainly, and fails nothing: the build
# must not depend on it. What is found fails.
set -uo pipefail
cd "$(dirname "$0")/.."

tool=golang.org/x/vuln/cmd/govulncheck@v1.9.0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
timeout 300 go run "$tool" "$@" ./cmd/mianti >"$log" 2>&1
status=$?
if [ "$status" -ne 0 ] && grep -qE 'fetching vulnerabilities|no such host|connection refused|timeout|Client.Timeout|proxyconnect|404 Not Found|403 Forbidden|unexpected status|dial tcp' "$log"; then
  echo "vulncheck: NOT CHECKED: the database of vulnerabilities cannot be reached from here:"
  sed 's/^/  /' "$log" | head -5
  echo "vulncheck: run it where the network is open, or with a copy: tools/vulncheck.sh -db file:///path/to/vulndb"
  exit 0
fi
cat "$log"
exit "$status"
