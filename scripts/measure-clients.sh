#!/usr/bin/env bash
# Measures many agents and many management clients at one vault at once, over SQLite and over PostgreSQL. Fails at the first
# error. Builds nothing: run `make build` first.
#
# Usage: scripts/measure-clients.sh [--short] [OUT]
#   --short  four of each and one round, which is what the tests run; writes nothing
#   OUT      the table (default: docs/figures/clients.md); `-` prints it only
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

size=(--agents 20 --managers 20 --rounds 3)
out=docs/figures/clients.md
if [[ ${1:-} == --short ]]; then
    size=(--agents 4 --managers 4 --rounds 1)
    out=-
    shift
fi
out=${1:-$out}
bin=$(built_folder)
[[ -x $bin/stateward && -x $bin/stateward-vault ]] || fail 'The programs are not built' 'make build'
need_packages jq=jq /usr/lib/postgresql=postgresql
scripts/test-clients.sh --install sdk
clients=${bin%/release}/clients
load=$(cut -d ' ' -f 1 /proc/loadavg)
results=$(mktemp)
trap 'rm -f "$results"' EXIT

for database in '' --postgres; do
    STATEWARD_PROGRAMS=$bin STATEWARD_CLIENTS=$clients "$clients/sdk/bin/python" -B crates/e2e/clients/load.py \
        "${size[@]}" ${database:+"$database"} >>"$results"
done

page() {
    cat <<EOF
# Many clients at once

Written by \`scripts/measure-clients.sh\`; not typed. $(jq -r 'first(inputs) | "\(.agents) agents and \(.managers) management clients"' -n "$results")
work with one vault at the same time, all on one machine: each agent makes $(jq -r 'first(inputs) | .rounds' -n "$results") backups of a small tree that changes and restores the
last one, compared byte for byte; each client (Azure's SDKs for Python, in one process) lists, shows and changes without a pause until
the agents are done. $(nproc) processors, whose load by other work was $load before. No call failed.

Clients and agents share the processors with the vault, so the times are those of a machine that is much too busy, not of
the vault alone.
EOF
    jq -r '
        def mib: . / 1048576 | floor;
        "\n## \(.database)\n\n\(.seconds) s in all, \(.calls) management calls (\(.calls / .seconds | floor) a second). The vault held \(.memory_before | mib) MiB of memory before, " +
        "\(.memory_most | mib) MiB at most, \(.memory_after | mib) MiB after.\n\n" +
        "| call | how often | median | 95 % within | slowest |\n|---|--:|--:|--:|--:|\n" +
        ([.times[] | "| \(.call) | \(.count) | \(.p50_ms) ms | \(.p95_ms) ms | \(.max_ms) ms |"] | join("\n"))' "$results"
}

if [[ $out == - ]]; then page; else page >"$out"; fi
