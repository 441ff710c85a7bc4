#!/usr/bin/env bash
# Runs what takes too long for CI, one part after another, each by its own verb of make, and writes the figures into
# docs/reliability.md.
#   scripts/nightly.sh [simulate] [faults] [trixie] [fuzz] [sanitize]     all, if none is named
# SEEDS, FAULTS, IMAGES, FUZZ_INPUTS and TESTS are passed to these verbs. Exits with 1 if a part fails; the others run all
# the same. Their output is in .build-nightly.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .build-nightly
document=docs/reliability.md

# Applies a sed command to the last line that contains a text.
said() { grep -aF -- "$2" "$1" | tail -1 | sed -E "$3"; }

figures_of_simulate() {
  local faults
  # Names padded to 48 characters, and then counts.
  faults=$(awk 'substr($0, 49) ~ /^[0-9]+$/ { sum += substr($0, 49) } END { print sum + 0 }' "$1")
  echo "$(said "$1" 'seeds from' 's/ by .*seeds\/s,/,/'), $faults faults; $(said "$1" 'simulated time' 's/.*was done/all done/')"
}
figures_of_faults() { grep -aE ' (embedded|servers.*): [0-9]+ of ' "$1" | sed -E 's/^ *[0-9.]+ //' | paste -sd ';' | sed 's/;/; /g'; }
figures_of_fuzz() {
  awk -F ' *[|] *' '$3 ~ /^[0-9]+$/ { n++; inputs += $3; if ($5 > mb) mb = $5; if ($6 > slow) slow = $6 }
    END { printf "%d entry points, %d inputs, at most %d MB, %d s for the slowest input\n", n, inputs, mb, slow }' "$1"
}
figures_of_trixie() { echo "$(figures_of_sanitize "$1"); $(figures_of_faults "$1")"; }
figures_of_sanitize() { said "$1" 'Test run with' 's/.*(Test run with)/\1/'; }

# Replaces the row of a part.
record() {
  ROW="| $1 | $(date -u +%F) | $2 | $3 |" awk -v part="| $1 |" '
    /^<!-- nightly: written/ { inside = 1 }
    /^<!-- nightly: end/ { print ENVIRON["ROW"]; inside = 0 }
    !(inside && index($0, part) == 1)' "$document" > .build-nightly/document
  cat .build-nightly/document > "$document"
}

parts=("$@") failed=()
[ $# -gt 0 ] || parts=(simulate faults trixie fuzz sanitize)
for part in "${parts[@]}"; do
  log=.build-nightly/$part.log
  echo "nightly: $part: $log"
  begun=$SECONDS outcome=clean
  make "$part" > "$log" 2>&1 || { outcome=failed; failed+=("$part"); }
  record "$part" "$("figures_of_$part" "$log")" "$outcome, $(((SECONDS - begun + 59) / 60)) min"
done
[ ${#failed[@]} = 0 ] || { echo "nightly: failed: ${failed[*]}; see .build-nightly" >&2; exit 1; }
