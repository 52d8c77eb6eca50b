#!/bin/sh
# Copies the user's files: install_files.sh PROJECT FOLDER.
set -eu
project=$1
folder=$2

mkdir -p "$folder"
cp -R "$project/." "$folder/"
# Lambda runs commands as a user that does not own these files.
chmod -R u+rwX,go+rX,go-w "$folder"
