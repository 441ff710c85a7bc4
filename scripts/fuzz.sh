#!/usr/bin/env bash
# Fuzzes every place where bytes from outside come in (Tests/Fuzzing), with libFuzzer under the address sanitizer, as many
# places at a time as there are processors. The C libraries are not instrumented: only their use of the heap is checked.
#   scripts/fuzz.sh [ENTRY…]     FUZZ_INPUTS=N sets the number of inputs for each.
# Prints a table, and exits with 1 if an input crashes, hangs, takes too much memory or breaks a promise. The input is then
# in .build-fuzz/found. Replay it with: FARM_FUZZ_ENTRY=ENTRY .build-fuzz/release/farm-fuzz FILE
set -euo pipefail
cd "$(dirname "$0")/.."

export FARM_FUZZ=1 FARM_ASSERTIONS=1
swift build -c release --scratch-path .build-fuzz --product farm-fuzz --sanitize=fuzzer --sanitize=address \
  -Xswiftc -sanitize=fuzzer -Xswiftc -enable-testing -Xcc -fsanitize=fuzzer-no-link -Xcxx -fsanitize=fuzzer-no-link

# The sanitizer reports crashes. Leaks are not checked, since Foundation itself leaks. Recording where each block was allocated
# is useless for all inputs but a failing one: without it, and with the inputs' files in memory, twice as many inputs run.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:malloc_context_size=1
TMPDIR=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/farm-fuzz.XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
mkdir -p .build-fuzz/{corpus,found,log}

fuzz() {
  local name=$1 inputs=${FUZZ_INPUTS:-$2} longest=$3 fixtures=${4:-} log=.build-fuzz/log/$1
  local folders=(".build-fuzz/corpus/$name" "Tests/Corpora/$name")
  [ -z "$fixtures" ] || folders+=("Tests/$fixtures")
  mkdir -p ".build-fuzz/corpus/$name"
  FARM_FUZZ_ENTRY=$name .build-fuzz/release/farm-fuzz -runs="$inputs" -max_len="$longest" \
    -dict="Tests/Corpora/$name.dict" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix=".build-fuzz/found/$name-" "${folders[@]}" > "$log" 2>&1 || {
    echo "fuzz: $name: a finding: $(grep -aE 'Fatal error|ERROR: |SUMMARY' "$log" | head -1 | cut -c1-300); see $log" >&2
    return 1
  }
  stat() { grep -a "stat::$1:" "$log" | tail -1 | awk '{ print $2 }'; }
  printf '| %s | %s | %s | %s | %s |\n' "$name" "$(stat number_of_executed_units)" \
    "$(grep -ao 'DONE *cov: [0-9]*' "$log" | tail -1 | awk '{ print $NF }')" "$(stat peak_rss_mb)" \
    "$(stat slowest_unit_time_sec)"
}
export -f fuzz

entries=$(.build-fuzz/release/farm-fuzz)
[ $# = 0 ] || entries=$(grep -E "^($(IFS='|'; echo "$*")) " <<< "$entries")
printf '| entry | inputs | edges covered | peak MB | slowest s |\n| --- | --- | --- | --- | --- |\n'
xargs -P "$(nproc)" -I{} bash -c 'set -euo pipefail; fuzz {}' <<< "$entries"
