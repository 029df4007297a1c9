#!/usr/bin/env bash
# Backs up the System State of trees that debootstrap made of other releases, restores it, and compares it with the tree,
# by programs that are none of ours. As root, for only root can make such trees.
#
# Two releases; with STATEWARD_LONG=1 all that the mirror has under a name of their own, from the oldest that is still
# supported to the one that never freezes. RELEASES="NAME…" chooses others. Trees are made side by side.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

if [[ "${STATEWARD_LONG:-}" == 1 ]]; then releases='bullseye bookworm trixie sid'; else releases='bookworm trixie'; fi
read -ra releases <<<"${RELEASES:-$releases}"

need_trees 'make trees of other releases' rsync=rsync python3=python3

bin=$(built_folder)
work=$(mktemp -d)
vault_pid=''
declare -A makers=()

finish() {
    local code=$?
    if ((${#makers[@]})); then kill "${makers[@]}" 2>/dev/null || true; wait "${makers[@]}" 2>/dev/null || true; fi
    if [[ -n "$vault_pid" ]]; then kill "$vault_pid" 2>/dev/null || true; wait "$vault_pid" 2>/dev/null || true; fi
    if ((code == 0)); then rm -rf "$work"; else say "What this run made is in $work"; fi
}
trap finish EXIT

stateward() { "$bin/stateward" --home "$work/home" "$@"; }

# What has no counterpart in the tree, or is left out by a rule, is no difference: only what was restored is compared, and
# that all of what must be there is there.
compare() {
    local tree=$1 restored=$2 tops=() top path
    for path in etc/os-release usr/bin/dpkg var/lib/dpkg/status etc/passwd etc/fstab etc/apt/sources.list; do
        if [[ -e "$tree/$path" && ! -e "$restored/$path" ]]; then fail "\`/$path\` was not restored"; fi
    done
    while IFS= read -r -d '' top; do tops+=("./$top"); done \
        < <(find "$restored" -mindepth 1 -maxdepth 1 -not -name stateward-generated -printf '%P\0')
    (cd "$restored" && rsync --dry-run --archive --acls --xattrs --hard-links --checksum --modify-window=-1 --relative \
        --no-implied-dirs --out-format='%i %n' "${tops[@]}" "$tree/") >"$work/differences"
    if [[ -s "$work/differences" ]]; then fail 'What was restored differs' "$(head -n 5 "$work/differences")"; fi
    for path in etc usr var/lib/dpkg; do
        if ! diff <(cd "$tree" && find "$path" | sort) <(cd "$restored" && find "$path" | sort) >"$work/names"; then
            fail "Not every name below \`/$path\` came back" "$(head -n 5 "$work/names")"
        fi
    done
    # dpkg's own list, its first two columns of facts.
    chroot "$tree" dpkg --list | awk '/^[a-z][a-z] / { print $2 "\t" $3 }' | sort >"$work/packages"
    cut -f 1,2 "$restored/stateward-generated/packages/versions" | sort | diff "$work/packages" - >"$work/names" ||
        fail 'The list of packages is not what the tree says of itself' "$(head -n 5 "$work/names")"
}

say "A vault and an agent in $work"
serve_new_vault "$bin" "$work/vault-data" "$work"
sign_in "$work" stateward >/dev/null
stateward vault create trees >/dev/null
stateward vault credentials trees --out "$work/credentials" >/dev/null
stateward register --credentials "$work/credentials" --generate-passphrase --passphrase-out "$work/passphrase" \
    --recovery-code-file "$work/recovery-code" >/dev/null

# One tree for each release, side by side: most of the time is dpkg's, which uses one processor.
for release in "${releases[@]}"; do
    make_tree "$work/$release" "$work/debootstrap-$release.log" "$release" &
    makers[$release]=$!
done

check() {
    local release=$1 tree=$work/$1 began=$SECONDS files
    stateward protect system-state --root "$tree" --name "$release" >/dev/null
    stateward --json backup now --item "$release" --wait | tail -n 1 >"$work/backup.json"
    stateward restore --recovery-point latest --item "$release" --target "$work/restored-$release" --wait >/dev/null
    compare "$tree" "$work/restored-$release"
    files=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["files"])' "$work/backup.json")
    if ((files < 2000)); then fail "$release: only $files files were backed up"; fi
    say "$release: $files files backed up, restored and the same, in $((SECONDS - began)) s"
    rm -rf "$tree" "$work/restored-$release"
}

for release in "${releases[@]}"; do
    tree_or_fail "$work/$release" "$work/debootstrap-$release.log" "${makers[$release]}"
    unset "makers[$release]"
    say "$release: the tree is there after $SECONDS s"
    check "$release"
done
