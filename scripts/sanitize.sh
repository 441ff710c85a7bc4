#!/usr/bin/env bash
# Runs the tests under the thread sanitizer, in a separate build (.build-sanitize), after showing that it reports races and
# nothing else (Tests/Sanitizing).
#   scripts/sanitize.sh [OPTION OF SWIFT TEST…]     e.g. --filter HarmonyTests
# Exits with 1 if a test fails or one of its processes has a race. The sanitizer's reports are in .build-sanitize/reports.
# Only Swift is instrumented: the sanitizer sees what C libraries do through libc, and nothing of the servers.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$PWD/.build-sanitize
rm -rf "$build/reports"
mkdir -p "$build/reports"
clang -O1 -Wall -Werror -DREPORTS="\"$build/reports/race\"" -c Tests/Sanitizing/mutex.c -o "$build/mutex.o"

swiftc -swift-version 6 -parse-as-library -O -sanitize=thread Tests/Sanitizing/Races.swift "$build/mutex.o" -o "$build/races"
expect() {
  local status=0
  TSAN_OPTIONS=log_path="$build/races.log" "$build/races" "$1" || status=$?
  [ "$status" = "$2" ] || { echo "sanitize: $1: ended with $status, not $2; see $build/races.log.*" >&2; exit 1; }
}
expect guarded 0
# The exit code of a program in which the sanitizer found races.
for race in unguarded guarded-by-one guarded-by-two; do expect $race 66; done
echo "sanitize: the sanitizer reports planted races, and none where a Mutex guards"

# Programs are slow under it: more tests at a time would only wait for each other, and time limits are longer.
# Each seed and each mutated input is a run in one thread, so fewer of them show as much.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4 FARM_PATIENCE=10
export FARM_SEEDS=${FARM_SEEDS:-300} FARM_FUZZ_INPUTS=${FARM_FUZZ_INPUTS:-300}
options=(--sanitize=thread --scratch-path "$build" -Xlinker "$build/mutex.o")
swift build --build-tests "${options[@]}"
status=0
scripts/servers/run.sh swift test --skip-build "${options[@]}" "$@" || status=$?
for report in "$build"/reports/*; do
  [ -e "$report" ] || break
  echo "sanitize: $report: $(grep -m1 SUMMARY "$report")" >&2
  status=1
done
exit "$status"
