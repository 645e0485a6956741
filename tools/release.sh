#!/usr/bin/env bash
# Makes a release in out/: the program, its bill of materials, and their digests.
#
#   tools/release.sh [VERSION]
#
# What is built is what was committed. It is built twice, in folders of different names
# and with a build cache of its own the second time, and there is no release unless both
# are equal byte by byte: anybody can build it again and compare.
set -euo pipefail
cd "$(dirname "$0")/.."

# An exact version: the newest one is not the same one tomorrow.
bom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
largest=$((60 * 1024 * 1024))

commit=$(git rev-parse HEAD)
version=${1:-$(git describe --tags --always)}
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
  echo "release: there are changes that are not committed; they are not in the release" >&2
fi

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT

# MessagePack is a tenth of the program and nobody speaks it here: nomsgpack.
#
# build builds that very commit in a folder (HEAD may move meanwhile), for this kind of machine or GOOS and GOARCH.
build() {
  mkdir -p "$1"
  git archive --format=tar "$commit" | tar -x -C "$1"
  (cd "$1" && CGO_ENABLED=0 GOFLAGS=-mod=readonly GOCACHE=${2:-$(go env GOCACHE)} \
    go build -trimpath -buildvcs=false -tags=nomsgpack -ldflags="-s -w -buildid= -X main.version=$version -X main.commit=$commit" -o mianti ./cmd/mianti)
}

build "$folder/a"
build "$folder/another/folder" "$folder/cache"
if ! cmp "$folder/a/mianti" "$folder/another/folder/mianti"; then
  echo "release: two builds of the same source differ" >&2
  exit 1
fi
echo "two builds are equal"

mkdir -p out
install -m 755 "$folder/a/mianti" out/mianti
# Without a number and a time of its own, so that it can be made again too.
GOFLAGS=-mod=mod go run "$bom" bin -json -std -noserial -notimestamp -output out/mianti.cdx.json -version "$version" out/mianti

# Every module that the program was linked with is in the bill, with its digest.
linked=$(go version -m out/mianti | grep -c $'^\tdep\t')
listed=$(grep -c '"purl": "pkg:golang/' out/mianti.cdx.json)
if [ "$listed" -lt "$linked" ]; then
  echo "release: the bill of materials lists $listed modules, and $linked were linked" >&2
  exit 1
fi
for module in $(go version -m out/mianti | awk '$1 == "dep" { print $2 }'); do
  grep -q "\"name\": \"$module\"" out/mianti.cdx.json || { echo "release: $module is not in the bill of materials" >&2; exit 1; }
done

(cd out && sha256sum mianti mianti.cdx.json >SHA256SUMS && cat SHA256SUMS)
size=$(stat -c %s out/mianti)
echo "mianti has $((size / 1024 / 1024)) MiB ($size bytes; at most $((largest / 1024 / 1024)) MiB), $listed modules in its bill of materials"
[ "$size" -le "$largest" ] || echo "release: the program is larger than it should be" >&2
out/mianti version
