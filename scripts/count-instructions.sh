#!/usr/bin/env bash
# Counts the instructions of small engine runs with callgrind and fails when a phase needs over 5 % more than
# bench/instructions.toml says. With --record it writes that file anew.
#
# Only the self cost of our own functions counts: ciphers, hashes and the compressor choose their code by the processor,
# so their counts differ between machines. What they are given to do is held by the tests of counted work.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

expected=bench/instructions.toml
need_packages valgrind=valgrind
need_rust
program=$(cargo test --release --locked --package stateward-engine --test instructions --no-run 2>&1 |
    sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
[[ -x $program ]] || fail 'The runs cannot be built' 'cargo test --release -p stateward-engine --test instructions --no-run'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# count RUN: the millions of instructions of our functions in that run.
count() {
    if ! valgrind --tool=callgrind --callgrind-out-file="$work/$1" "$program" --exact "$1" --test-threads 1 \
        >"$work/log" 2>&1; then
        tail -n 20 "$work/log" >&2
        fail "The run \`$1\` failed under callgrind"
    fi
    callgrind_annotate --auto=no --threshold=100 "$work/$1" 2>"$work/annotate.log" |
        awk '/stateward_testing/ { next }
            /:.*stateward_(engine|format|crypto|model)::/ { gsub(",", "", $1); sum += $1 }
            END { printf "%.2f", sum / 1e6 }'
}

worse=0
recorded='# Millions of instructions of our own functions in the runs of crates/engine/tests/instructions.rs, each after the first
# without what the first backup costs.
# Written by scripts/count-instructions.sh --record; say in the commit why they changed.
'
for run in first first_unchanged first_restore first_verify; do
    counted=$(count "$run")
    # What a phase costs by itself: without the first backup that it stands on.
    if [[ $run == first ]]; then first=$counted; else counted=$(awk "BEGIN { printf \"%.2f\", $counted - $first }"); fi
    recorded+="$run = $counted"$'\n'
    if [[ ${1:-} == --record ]]; then continue; fi
    known=$(sed -n "s/^$run = //p" "$expected")
    [[ -n $known ]] || fail "\`$expected\` does not know \`$run\`" 'scripts/count-instructions.sh --record'
    verdict=$(awk -v now="$counted" -v known="$known" 'BEGIN {
        print (now <= 0 || now > known * 1.05) ? "WORSE" : now < known * 0.95 ? "better: record it" : "as expected" }')
    say "$run: $counted million instructions, expected $known: $verdict"
    if [[ $verdict == WORSE ]]; then worse=1; fi
done
if [[ ${1:-} == --record ]]; then printf '%s' "$recorded" >"$expected"; cat "$expected"; fi
exit "$worse"
