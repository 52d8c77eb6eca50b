#!/usr/bin/env bash
# Whether the library is installed in a prefix with the headers of this tree: tests against older ones would tell of
# what was.
set -euo pipefail
prefix=$(realpath -m "${1:?the prefix}")
cd "$(dirname "$0")/../.."
for header in include/*.h*; do
  cmp -s "$header" "$prefix/$header" || {
    printf '%s/%s is missing or another: tools/install.sh --from target/debug --prefix %s\n' \
      "$prefix" "$header" "$prefix" >&2
    exit 1
  }
done
