#!/usr/bin/env bash
# Checks the files of deploy/ with the programs that read them: systemd, nginx, HAProxy,
# pgbouncer, PostgreSQL, and the types of Kubernetes. Nothing is started for longer than
# a moment, and nothing outside a folder of its own is written.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
failed=()

# check runs one check and remembers its failure.
check() {
  local name=$1
  shift
  if out=$("$@" 2>&1); then
    echo "ok    $name"
  else
    echo "FAIL  $name"
    sed 's/^/      /' <<<"$out"
    failed+=("$name")
  fi
}

# copied gives a copy of a file in which the certificates of /etc are those made here,
# and the hosts of the example are this machine.
copied() {
  sed "s#/etc/mianti/#$folder/#g; s#/etc/pgbouncer/#$folder/#g; s#/run/#$folder/#g; s#listen_addr = \*#listen_addr = 127.0.0.1#" "$1" >"$folder/$(basename "$1")"
  echo "$folder/$(basename "$1")"
}

certificates() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/tls.key" -out "$folder/tls.crt" -days 2 -subj /CN=mianti.example
  cat "$folder/tls.crt" "$folder/tls.key" >"$folder/tls.pem"
  cp "$folder/tls.crt" "$folder/db-ca.pem"
  : >"$folder/userlist.txt"
  mkdir -p "$folder/haproxy"
  chmod 644 "$folder"/*.key "$folder"/*.pem
}

# units reads the units, whose programs need not be on this machine.
units() {
  local out
  out=$(systemd-analyze verify "$PWD"/deploy/systemd/*.service "$PWD"/deploy/systemd/*.timer 2>&1 | grep -v 'is not executable' || true)
  [ -z "$out" ] || { echo "$out"; return 1; }
}

# exposure wants a unit to be as closed as systemd can tell: 0 is closed, 10 open.
exposure() {
  systemd-analyze security --offline=true --threshold=20 --no-pager "$PWD/deploy/systemd/$1"
}

# pooler wants pgbouncer to start; it stops it at once.
pooler() {
  local file log=$folder/pgbouncer.log
  file=$(copied deploy/pgbouncer/pgbouncer.ini)
  sed -i "s/listen_port = .*/listen_port = $((20000 + RANDOM % 20000))/" "$file"
  local user=()
  [ "$(id -u)" -ne 0 ] || user=(-u nobody)
  timeout 2 pgbouncer "${user[@]}" "$file" >"$log" 2>&1 || true
  if grep -Ei 'fatal|error|unrecognized|invalid' "$log" || ! grep -q 'process up' "$log"; then
    cat "$log"
    return 1
  fi
}

# database wants PostgreSQL to accept the settings.
database() {
  local bin run=()
  bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
  if [ "$(id -u)" -eq 0 ]; then
    run=(runuser -u postgres --)
    chown postgres "$folder"
  fi
  "${run[@]}" "$bin/initdb" -D "$folder/data" --no-sync >/dev/null
  cat deploy/postgres/postgresql.conf >>"$folder/data/postgresql.conf"
  [ "$("${run[@]}" "$bin/postgres" -D "$folder/data" -C synchronous_commit)" = on ]
  "${run[@]}" "$bin/postgres" -D "$folder/data" -C max_wal_size >/dev/null
}

manifests() { (cd deploy/testdata/manifests && GOFLAGS=-mod=mod go test -count=1 ./...); }

check "certificates for the checks" certificates
check "systemd units" units
check "mianti.service is closed" exposure mianti.service
check "mianti-backup.service is closed" exposure mianti-backup.service
check "nginx" nginx -t -c "$(copied deploy/balancer/nginx.conf)"
check "HAProxy" haproxy -c -f "$(copied deploy/balancer/haproxy.cfg)"
check "pgbouncer" pooler
check "PostgreSQL settings" database
check "Kubernetes manifests" manifests

if [ "${#failed[@]}" -gt 0 ]; then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi
