#!/usr/bin/env bash
# Fails unless the library is installed in a prefix with the headers of this tree. Otherwise tests would run against an
# older version.
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
