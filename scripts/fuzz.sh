#!/usr/bin/env bash
# Fuzzes the decoders of foreign bytes (the targets of fuzz/src/lib.rs) with libFuzzer, on the stable toolchain: rustc's
# own LLVM puts in the coverage that libFuzzer reads. Needs a C++ compiler.
#
# Usage: scripts/fuzz.sh [--seconds N] [--keep] [TARGET…]
#   --seconds N  for all targets together (default 60; hours are welcome)
#   --keep       afterwards, adds to fuzz/corpus what reached new places, as few and as short inputs as do
#   TARGET       only these (default: all)
# What breaks a target is put into its corpus, where `cargo test -p stateward-fuzz` gives it to the target ever after.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

seconds=60 keep='' targets=()
while (($#)); do
    case $1 in
        --seconds) seconds=${2:-} && shift ;;
        --keep) keep=yes ;;
        -*) fail "There is no option $1" 'scripts/fuzz.sh [--seconds N] [--keep] [TARGET…]' ;;
        *) targets+=("$1") ;;
    esac
    shift
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "--seconds is no number: $seconds"
((${#targets[@]})) || for folder in fuzz/corpus/*/; do targets+=("$(basename "$folder")"); done
for target in "${targets[@]}"; do
    [[ -d fuzz/corpus/$target ]] || fail "There is no target $target" "One of: $(cd fuzz/corpus && echo *)"
done
need_packages c++=g++
need_rust

# Counters at edges and the operands of comparisons: what libFuzzer steers by.
coverage='-Cpasses=sancov-module'
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    coverage+=" -Cllvm-args=-sanitizer-coverage-$option"
done
host=$(rustc -vV | sed -n 's/^host: //p')
built=${CARGO_TARGET_DIR:-target}/fuzz
# With --target the flags are for the programs alone, not for what builds them. A panic tells its line without more.
RUSTFLAGS="$coverage --cfg fuzzing" CARGO_TARGET_DIR=$built CARGO_PROFILE_RELEASE_DEBUG=false \
    cargo build --release --locked --target "$host" --package stateward-fuzz --features libfuzzer --bin fuzz
program=$built/$host/release/fuzz

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The targets of the cache make small files at every run.
if [[ -w /dev/shm ]]; then export TMPDIR=/dev/shm; fi
each=$(((seconds + ${#targets[@]} - 1) / ${#targets[@]}))
broken=()
for target in "${targets[@]}"; do
    export STATEWARD_FUZZ_TARGET=$target
    grown=$work/$target/grown
    mkdir -p "$grown" "$work/$target/broken"
    if ! "$program" -max_total_time="$each" -max_len=4096 -timeout=10 -rss_limit_mb=512 -print_final_stats=1 \
        -artifact_prefix="$work/$target/broken/" "$grown" "fuzz/corpus/$target" >"$work/$target/log" 2>&1; then
        broken+=("$target")
        grep -v '^#' "$work/$target/log" | tail -n 30 >&2
        for found in "$work/$target/broken"/*; do
            if [[ -f $found ]]; then cp "$found" "fuzz/corpus/$target/found-$(b2sum -l 64 "$found" | cut -c1-16)"; fi
        done
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target/log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/$target/log" | tail -n 1)
    say "$(printf '%-16s %10s runs %6s edges %5d s' "$target" "${runs:-?}" "${covered:-?}" "$each")"
    if [[ -n $keep ]]; then
        "$program" -set_cover_merge=1 -max_len=4096 "fuzz/corpus/$target" "$grown" >"$work/$target/merge" 2>&1 ||
            fail "The corpus of $target can't be merged" "$(tail -n 3 "$work/$target/merge")"
    fi
done
if ((${#broken[@]})); then
    fail "Broken: ${broken[*]}" 'The inputs are in fuzz/corpus/TARGET/found-…: mend the decoder and commit them'
fi
