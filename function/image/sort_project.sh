#!/bin/sh
# Copies the parts of the image from the user's folder: sort_project.sh PROJECT PARTS. Each part is a separate folder,
# empty if the project does not have it.
set -eu
project=$1
parts=$2

fail() { printf 'sort_project: %s\n' "$*" >&2; exit 1; }

mkdir -p "$parts/requirements" "$parts/constraints" "$parts/dags"
found=
for name in requirements constraints; do
  file=$project/$name.txt
  [ -e "$file" ] || continue
  [ -f "$file" ] || fail "$name.txt in the project is not a file"
  cp "$file" "$parts/$name/"
  found="$found $name.txt"
done
if [ -e "$project/dags" ]; then
  [ -d "$project/dags" ] || fail "dags in the project is not a folder"
  cp -R "$project/dags/." "$parts/dags/"
  found="$found dags"
fi
# Lambda runs commands as a user that does not own these files.
chmod -R u+rwX,go+rX,go-w "$parts"
printf 'sort_project: found%s\n' "${found:- none of requirements.txt, constraints.txt and dags}"
