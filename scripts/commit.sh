#!/usr/bin/env bash
# Prints the commit that this folder is at, with -dirty if there are uncommitted changes. Prints nothing where there is no
# repository (an unpacked archive) or no git. `make build` passes it on to `farm --version`.
set -euo pipefail
cd "$(dirname "$0")/.."
# The folder is named explicitly: an archive that was unpacked inside another repository is not at that repository's commit.
git=(git --git-dir=.git --work-tree=.)
[ -e .git ] && commit=$("${git[@]}" rev-parse --short=10 HEAD 2> /dev/null) || exit 0
changes=$("${git[@]}" status --porcelain)
echo "$commit${changes:+-dirty}"
