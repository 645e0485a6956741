#!/usr/bin/env bash
# Makes sure that what the tests need besides Go is on this machine:
#
#   tools/install-test-tools.sh postgresql cc
#
# What is missing is installed from Debian's packages where we may do that
# (root, or sudo without a password). Otherwise the missing package is named
# and the script fails, so that no test is left out unseen.
set -euo pipefail

# has says whether a need is met.
has() {
  case "$1" in
    postgresql) has_postgresql ;;
    pgbouncer) command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] ;; # where internal/pgtest looks
    mariadb) has_mariadb ;;
    cc) command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ;;
    node) command -v node >/dev/null && command -v npm >/dev/null ;;
    openssl) command -v openssl >/dev/null ;;
    pdftotext) command -v pdftotext >/dev/null ;;
    promtool) command -v promtool >/dev/null ;; # holds deploy/observe against what Prometheus takes
    chromium) command -v chromium >/dev/null && [ -d /usr/share/fonts/opentype/noto ] ;; # pages are Chinese
    nginx) [ -x /usr/sbin/nginx ] && [ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] && compgen -G '/usr/lib/*/lua/5.1/cjson.so' >/dev/null ;;
    font) [ -r /usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf ] ;; # where package sheet looks
    nginx | haproxy | pgbouncer) [ -x "$(command -v "$1" || echo "/usr/sbin/$1")" ] ;;
    systemd) command -v systemd-analyze >/dev/null ;;
    *) echo "install-test-tools: nobody knows how to look for '$1'" >&2; exit 2 ;;
  esac
}

# has_postgresql looks where internal/pgtest looks.
has_postgresql() {
  local initdb
  for initdb in "$(command -v initdb || true)" /usr/lib/postgresql/*/bin/initdb; do
    if [ -x "$initdb" ] && [ -x "$(dirname "$(readlink -f "$initdb")")/postgres" ]; then
      return 0
    fi
  done
  return 1
}

# has_mariadb looks where connectors/sqlview looks.
has_mariadb() {
  [ -x "$(command -v mariadbd || echo /usr/sbin/mariadbd)" ] && [ -x "$(command -v mariadb-install-db || echo /usr/bin/mariadb-install-db)" ]
}

# package names the Debian package that meets a need.
package() {
  case "$1" in
    postgresql) echo postgresql ;;
    pgbouncer) echo pgbouncer ;;
    mariadb) echo mariadb-server ;;
    cc) echo gcc libc6-dev ;;
    node) echo nodejs npm ;;
    openssl) echo openssl ;;
    pdftotext) echo poppler-utils ;;
    promtool) echo prometheus ;;
    nginx) echo nginx libnginx-mod-http-lua lua-cjson ;;
    font) echo fonts-arphic-gbsn00lp ;;
    chromium) echo chromium fonts-noto-cjk ;;
    nginx) echo nginx-light ;;
    haproxy | pgbouncer | systemd) echo "$1" ;;
  esac
}

# as_root runs a command as root, or fails without asking for a password.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

may_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

missing=()
for need in "$@"; do
  if ! has "$need"; then
    missing+=("$need")
  fi
done
if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi

packages=()
for need in "${missing[@]}"; do
  read -ra names <<<"$(package "$need")"
  packages+=("${names[@]}")
done
if ! may_install; then
  echo "install-test-tools: the tests need these Debian packages: ${packages[*]}" >&2
  echo "install-test-tools: they cannot be installed from here (no apt-get, or neither root nor sudo without a password)." >&2
  echo "install-test-tools: install them, for example with: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi

echo "installing ${packages[*]}"
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
for need in "${missing[@]}"; do
  if ! has "$need"; then
    echo "install-test-tools: '$need' is still not found after installing $(package "$need")" >&2
    exit 1
  fi
done
