#!/usr/bin/env bash
# Checks the format and warnings, which a reviewer should not have to look for.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests Benchmarks
! grep -rnwE 'TODO|FIXME|XXX' Sources Tests Benchmarks --include=*.swift || { echo "lint: finish it or write an issue" >&2; exit 1; }
for script in scripts/*.sh scripts/servers/*.sh examples/services/*.sh .ci/run; do bash -n "$script"; done
# Imports between modules, and names between the folders of farm, go one way. Planted ones that do not are found.
python3 scripts/arrows.py
python3 scripts/arrows_test.py 2> /dev/null || { echo "lint: scripts/arrows_test.py fails" >&2; exit 1; }
# Warnings in our own modules are errors here (Package.swift). The tests use what this has built.
# shellcheck disable=SC2086 # They are several.
FARM_CHECKED=1 swift build --build-tests ${FARM_BUILD_FLAGS:-}
