#!/usr/bin/env bash
# Builds farm from a commit, once, and prints where the program is, so that an upgrade from that version can be tried.
#   scripts/older.sh COMMIT
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(git rev-parse --verify "$1^{commit}")
folder=$PWD/.build-older/$commit
if [ ! -x "$folder/farm" ]; then
  mkdir -p "$folder"
  git archive "$commit" | tar -x -C "$folder"
  (cd "$folder" && swift build -c release --static-swift-stdlib --product farm >&2)
  cp "$folder/.build/release/farm" "$folder/farm"
fi
echo "$folder/farm"
