#!/usr/bin/env bash
# Measures Stateward against other backup programs with the benchmark harness, which is not part of this tree, and
# writes BENCHMARKS.md.
#
# BENCH    the harness's folder (bench.py)
# CORPORA  what its make_corpus.py made
# TOOLS    whom to compare with (default: those that are installed of rustic, bupstash, restic, borg, tar-zstd, cp)
# ROUNDS   how often all of it is done (default: 3)
# WORK     a scratch folder on the disk to be measured (default: ./target/bench)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

hint='make bench BENCH=FOLDER CORPORA=FOLDER'
[[ -f "${BENCH:-}/bench.py" ]] || fail 'BENCH does not name the folder of bench.py' "$hint"
[[ -d "${CORPORA:-}" ]] || fail 'CORPORA does not name the folder of the corpora' "$hint"
need_packages python3=python3 rsync=rsync mkfs.ext4=e2fsprogs
scripts/build.sh
work=${WORK:-target/bench}
mkdir -p "$work"
python3 "$BENCH/bench.py" --corpora "$CORPORA" --work "$work" --tool-file bench/stateward.toml \
    --tools "stateward,${TOOLS:-rustic,bupstash,restic,borg,tar-zstd,cp}" --bin "stateward=$(built_folder)/stateward" \
    --verify --rounds "${ROUNDS:-3}" --out "$work/results"
cargo xtask benchmarks "$work/results.json" "$BENCH/peers.toml"
