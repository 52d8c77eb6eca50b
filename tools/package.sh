#!/usr/bin/env bash
# Makes packages in build/packages from what `make portable` built:
#
#   lambda-executor-VERSION-linux-x86_64.tar.gz   a tree that can be unpacked anywhere
#   lambda-executor_VERSION_amd64.deb             for Debian 10, Ubuntu 18.04 and newer
#
#   tools/package.sh [--from FOLDER] [--to FOLDER] [tarball | deb]    default: both
#
# The same commit and the same built files give the same packages, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C

fail() { printf 'package: %s\n' "$*" >&2; exit 1; }

from=build/portable out=build/packages
while [[ ${1:-} == --* ]]; do
  [ -n "${2:-}" ] || fail "$1: a folder is missing"
  case $1 in
    --from) from=$2 ;;
    --to) out=$2 ;;
    *) fail "$1: no such option (expected --from or --to)" ;;
  esac
  shift 2
done
[ "$#" -gt 0 ] || set -- tarball deb

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
abi=$(sed -n 's/^#define LAMBDA_EXECUTOR_ABI_VERSION *\([0-9]*\)u .*/\1/p' include/lambda_executor.h)
url=$(sed -n 's/^repository = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Time of every file: of the commit, or without git of the changelog.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d "${TMPDIR:-/tmp}/lambda-executor-package.XXXXXX")
trap 'rm -rf "$work"' EXIT

documents() { # folder
  mkdir -p "$1"
  install -m 644 README.md CHANGELOG.md "$1/"
  # Most licences of linked code require their text.
  python3 packaging/third_party_licenses.py >"$1/THIRD-PARTY-LICENSES"
  cp -r docs examples "$1/"
  find "$1" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
}

# Newest glibc version that the files need.
needed_glibc() {
  find "$@" -type f \( -name '*.so.*' -o -path '*/bin/*' \) -exec readelf --version-info --wide {} + |
    grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1 | cut -d _ -f 2
}

# Size by dpkg's rules, independent of the file system.
kibibytes() { find "$1" -printf '%y %s\n' | awk '{ sum += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print sum }'; }

settle() { find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +; }

tarball() {
  local name=lambda-executor-$version-linux-x86_64
  DESTDIR=$work tools/install.sh --from "$from" --prefix "/$name" --relocatable >/dev/null
  documents "$work/$name/share/doc/lambda-executor"
  settle "$work/$name"
  tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=gnu -cf - "$name" |
    gzip -9n >"$out/$name.tar.gz"
  printf '%s: %s bytes\n' "$out/$name.tar.gz" "$(stat -c %s "$out/$name.tar.gz")"
}

# One package, since library, headers and programs are few files of one version. It provides the names that Debian would
# give to separate packages, so that other packages can depend on these.
deb() {
  command -v dpkg-deb >/dev/null || fail "no dpkg-deb on this machine: use tools/package.sh tarball"
  local root=$work/deb doc=usr/share/doc/lambda-executor file
  DESTDIR=$root tools/install.sh --from "$from" --prefix /usr --libdir /usr/lib/x86_64-linux-gnu >/dev/null
  documents "$root/$doc"
  # Debian's file of the licence is `copyright`.
  rm "$root/$doc/LICENSE"
  gzip -9n "$root"/usr/share/man/man*/* "$root/$doc/CHANGELOG.md" "$root/$doc/THIRD-PARTY-LICENSES"
  sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$(date -uRd "@$SOURCE_DATE_EPOCH")/" packaging/debian/changelog.in |
    gzip -9n >"$root/$doc/changelog.gz"
  sed -e "s|@URL@|$url|" packaging/debian/copyright.in >"$root/$doc/copyright"
  mkdir "$root/DEBIAN"
  sed -e "s/@VERSION@/$version/" -e "s/@ABI@/$abi/" packaging/debian/shlibs.in >"$root/DEBIAN/shlibs"
  install -m 644 packaging/debian/triggers "$root/DEBIAN/"
  sed -e "s/@VERSION@/$version/g" -e "s/@ABI@/$abi/g" -e "s|@URL@|$url|" \
    -e "s/@GLIBC@/$(needed_glibc "$root/usr")/" -e "s/@SIZE@/$(kibibytes "$root/usr")/" \
    packaging/debian/control.in >"$root/DEBIAN/control"
  (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
  settle "$root"
  file=$out/lambda-executor_${version}_amd64.deb
  dpkg-deb --root-owner-group -Zxz --build "$root" "$file" >/dev/null
  printf '%s: %s bytes\n' "$file" "$(stat -c %s "$file")"
}

mkdir -p "$out"
for kind in "$@"; do
  case $kind in
    tarball | deb) "$kind" ;;
    *) fail "unknown package '$kind' (expected tarball or deb)" ;;
  esac
done
