#!/usr/bin/env bash
# Checks that a prefix has the library with the headers of this tree, so that no test runs against an older installation.
set -euo pipefail
prefix=$(realpath -m "${1:?the prefix}")
cd "$(dirname "$0")/../.."
for header in include/*.h*; do
  cmp -s "$header" "$prefix/$header" || {
    printf '%s/%s is missing or differs from this tree: tools/install.sh --from target/debug --prefix %s\n' \
      "$prefix" "$header" "$prefix" >&2
    exit 1
  }
done
