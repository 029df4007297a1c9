#!/usr/bin/env bash
# Measures what a second server of the same build costs: two servers back the same tree up into one vault, first with
# domains of their own, then, in a fresh vault, in one deduplication domain. Writes a table: time, bytes uploaded, growth
# of the store. Builds nothing: run `make build` first.
#
# Usage: scripts/measure-servers.sh [TREE [OUT]]
#   TREE  what both back up; it is only read (default: /usr/lib)
#   OUT   the table (default: docs/figures/servers.md); `-` prints it only
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

tree=${1:-/usr/lib} out=${2:-docs/figures/servers.md}
[[ -d $tree ]] || fail "There is no folder $tree" 'scripts/measure-servers.sh [TREE [OUT]]'
tree=$(realpath "$tree")
need_packages python3=python3 jq=jq
bin=$(built_folder)
[[ -x $bin/stateward && -x $bin/stateward-vault ]] || fail 'The programs are not built' 'make build'
load=$(cut -d " " -f 1 /proc/loadavg)
work=$(mktemp -d)
vault_pid=''
stop_vault() {
    if [[ -n $vault_pid ]]; then
        kill "$vault_pid" 2>/dev/null || true
        wait "$vault_pid" 2>/dev/null || true
    fi
    vault_pid=''
}
finish() {
    local code=$?
    stop_vault
    if ((code != 0)); then tail -n 5 "$work/log" >&2 || true; fi
    rm -rf "$work"
}
trap finish EXIT
: >"$work/log"

agent() { "$bin/stateward" --home "$work/home-$1" "${@:2}" >>"$work/log" 2>&1; }

new_vault() {
    rm -rf "$work/vault" "$work"/home-*
    serve_new_vault "$bin" "$work/vault" "$work"
    (umask 077 && printf 'a passphrase of measurements\n' >"$work/passphrase")
    sign_in "$work" agent 1
    agent 1 vault create servers
}

# register NUMBER OPTION…: a server with credentials of its own.
register() {
    local number=$1 domain=()
    rm -f "$work/credentials"
    if [[ ${2:-} == shared ]]; then
        rm -f "$work/domain"
        agent 1 domain share --out "$work/domain" --passphrase-file "$work/passphrase"
        agent 1 vault credentials servers --out "$work/credentials" --domain server-1
        domain=(--domain "$work/domain" --domain-passphrase-file "$work/passphrase")
    else
        agent 1 vault credentials servers --out "$work/credentials"
    fi
    agent "$number" register --credentials "$work/credentials" --passphrase-file "$work/passphrase" \
        --label "server-$number" "${domain[@]}"
    agent "$number" protect files "$tree" --name tree
}

stored() { du -sb "$work/vault/store" | cut -f 1; }

# back_up NAME NUMBER: one backup, as a row of the table.
back_up() {
    local before after began ended result
    before=$(stored)
    began=$(date +%s%N)
    # Files that change while they are read, or that this user may not read, are no failure here.
    "$bin/stateward" --home "$work/home-$2" --json backup now --item tree --wait >"$work/result" 2>>"$work/log" ||
        (($? == 3)) || fail "The backup of server $2 failed" "$(tail -n 1 "$work/result")"
    ended=$(date +%s%N)
    after=$(stored)
    result=$(tail -n 1 "$work/result")
    printf '%s\n' "$result" >>"$work/log"
    jq -r --arg name "$1" --argjson nanoseconds $((ended - began)) --argjson grown $((after - before)) '
        def mb: . / 1e4 | round / 100;
        "| \($name) | \($nanoseconds / 1e8 | round / 10) s | \(.bytes | mb) MB | \(.files_unchanged) of \(.files)" +
        " | \(.bytes_uploaded | mb) MB | \($grown | mb) MB |"' <<<"$result" >>"$work/rows"
    tail -n 1 "$work/rows"
}

: >"$work/rows"
# Read once, so that no run pays for a cold page cache.
tar -C "$tree" -cf - . 2>/dev/null | wc -c >"$work/tree-bytes" || true
for kind in own shared; do
    new_vault
    register 1
    back_up "first server, a domain of its own" 1
    register 2 "$kind"
    case $kind in
        own) back_up 'second server, a domain of its own: nothing shared' 2 ;;
        shared)
            back_up "second server, in the first one's domain" 2
            back_up 'the same, once more (unchanged)' 2
            ;;
    esac
    stop_vault
done

# shellcheck disable=SC2016 # What stands in backticks is Markdown.
table() {
    printf '# A second server of the same build\n\n'
    printf 'Written by `scripts/measure-servers.sh`; not typed. Two servers back the same tree up into one vault on the same\n'
    printf 'machine: `%s`, %s files, %s MB as a tar archive, read before once. %s processors, whose\nload by other work was %s before.\n\n' "$tree" \
        "$(find "$tree" -xdev -type f 2>/dev/null | wc -l)" "$(($(<"$work/tree-bytes") / 1000000))" "$(nproc)" "$load"
    printf '| backup | time | contents | known as unchanged | uploaded | store grew by |\n|---|--:|--:|--:|--:|--:|\n'
    cat "$work/rows"
    printf '\nThe first two rows are one vault, the others a fresh one. Before its first backup a server that joins a domain also\n'
    printf 'reads the tables of the packs that are there, the last MiB of each; this is part of its time.\n'
}
if [[ $out == - ]]; then table; else
    mkdir -p "$(dirname "$out")"
    table >"$out"
    say "Written: $out"
fi
