#!/usr/bin/env bash
# Proves that docs/format.md says enough: restores the golden vaults of testdata, and a tree of every kind that is backed up
# here, with scripts/independent-reader.py, which knows that document only, and compares. Needs Python 3 with venv, and pip for three packages; says so and ends
# with 0 where they cannot be had.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

bin=$(built_folder)
python=$bin/independent-reader/bin/python
if ! [[ -x $python ]] || ! "$python" -c 'import blake3, cryptography, zstandard' 2>/dev/null; then
    if ! { python3 -m venv "$bin/independent-reader" &&
        "$python" -m pip install --quiet --disable-pip-version-check cryptography==50.0.2 blake3==1.0.11 zstandard==0.25.0; } \
        >"$bin/independent-reader.log" 2>&1; then
        say "Left out: no Python with venv and pip (see $bin/independent-reader.log)"
        exit 0
    fi
fi

work=$(mktemp -d)
: >"$work/log"
vault_pid=''
finish() {
    local code=$?
    if [[ -n $vault_pid ]]; then
        kill "$vault_pid" 2>/dev/null || true
        wait "$vault_pid" 2>/dev/null || true
    fi
    if ((code == 0)); then
        rm -rf "$work"
    else
        tail -n 5 "$work/log" >&2
        say "Failed; what this left is in $work"
    fi
}
trap finish EXIT

stateward() { "$bin/stateward" --home "${home:-$work/home}" "$@"; }

# A tree of every kind: small, empty, large (so large that its pieces are listed), sparse, linked, oddly named, deep.
make_tree() {
    local tree=$1 i
    mkdir -p "$tree/many" "$tree/deep/a/b/c/d/e/f"
    for i in {1..600}; do printf 'file %d\n' "$i" >"$tree/many/$i"; done
    : >"$tree/empty"
    head -c 40000000 /dev/urandom >"$tree/large"
    head -c 9000000 < <(yes 'compressible') >"$tree/text"
    truncate -s 100M "$tree/sparse"
    printf 'in the middle' | dd of="$tree/sparse" bs=1 seek=50000000 conv=notrunc status=none
    ln "$tree/text" "$tree/deep/a/same-text"
    ln -s ../text "$tree/deep/link"
    ln -s /nowhere "$tree/dangling"
    mkfifo "$tree/fifo"
    printf 'odd\n' >"$tree/$(printf 'n\377me\nwith a line')"
    chmod 4750 "$tree/many/1"
    touch -d '1999-12-31 23:59:59.123456789' "$tree/many/2"
    setfattr -n user.note -v 'a value' "$tree/many/3" 2>/dev/null || true
}

# What earlier builds wrote: every recovery point, with passphrase and recovery code.
restore_golden() {
    local golden=$1 point server sequence hash epoch key
    key=$(jq -r .public_key "$golden/vault.json")
    while IFS=$'\t' read -r server sequence hash epoch; do
        point=$server-$sequence-${hash:0:8}
        jq -r ".servers[\"$server\"].passphrases[\"$epoch\"][-1]" "$golden/vault.json" >"$work/golden-passphrase"
        jq -r ".servers[\"$server\"].recovery_code" "$golden/vault.json" >"$work/golden-recovery-code"
        for secret in passphrase recovery-code; do
            "$python" scripts/independent-reader.py --store "$golden" --server "$server" --point "$hash" \
                --vault-key "$key" "--$secret-file" "$work/golden-$secret" --target "$work/$point-$secret" >>"$work/log"
            "$python" -B scripts/compare-golden.py "$golden/entries/$point.jsonl" "$work/$point-$secret" ||
                fail "What the independent reader restored of $golden differs" "$point, with the $secret"
            rm -rf "${work:?}/$point-$secret"
        done
    done < <(jq -r '[.server, .sequence, .hash, .epoch] | @tsv' "$golden/points.jsonl")
}

for golden in testdata/vaults/*; do
    say "Restoring the golden vault ${golden##*/} with the independent reader"
    restore_golden "$golden"
done

make_tree "$work/tree"
"$bin/stateward-vault" init --data "$work/vault" --listen 127.0.0.1:0 --json >"$work/init.json"
value() { jq -r ".$1" "$work/init.json"; }
"$bin/stateward-vault" serve --data "$work/vault" 2>"$work/vault.log" &
vault_pid=$!
address=$(value url)
wait_for_vault "${address#https://}" "$vault_pid" || fail 'The vault does not answer' "$(tail -n 3 "$work/vault.log")"

back_up_twice() {
    stateward login --url "$(value url)" --ca-file "$(value ca_file)" --client-id "$(value client_id)" \
        --client-secret-file <(value client_secret)
    stateward vault create format
    stateward vault credentials format --out "$work/credentials"
    stateward register --credentials "$work/credentials" --label first --generate-passphrase --passphrase-out "$work/passphrase" \
        --recovery-code-file "$work/recovery-code"
    stateward protect files "$work/tree" --name tree
    stateward backup now --wait
    # A second recovery point, most of whose packs are the first one's.
    printf 'changed\n' >"$work/tree/many/4"
    stateward backup now --wait
}

# A second server in the first one's deduplication domain, whose recovery point refers to the first one's packs.
back_up_in_its_domain() {
    stateward domain share --out "$work/domain" --passphrase-file "$work/passphrase"
    stateward vault credentials format --out "$work/member-credentials" --domain first
    local home=$work/member-home
    stateward register --credentials "$work/member-credentials" --label second --domain "$work/domain" \
        --domain-passphrase-file "$work/passphrase" --generate-passphrase --passphrase-out "$work/member-passphrase"
    stateward protect files "$work/tree" --name tree
    stateward backup now --wait
}

say 'Backing a tree of every kind up'
{
    back_up_twice
    back_up_in_its_domain
} >"$work/log" 2>&1
kill "$vault_pid"
wait "$vault_pid" || true
vault_pid=''

say 'Restoring it with the independent reader'
restore_and_compare() {
    local target=$1
    shift
    "$python" scripts/independent-reader.py --store "$work/vault" --target "$target" "$@" >>"$work/log"
    local differing
    differing=$(rsync --dry-run --archive --hard-links --acls --xattrs --checksum --modify-window=-1 --delete \
        --itemize-changes "$work/tree/" "$target$work/tree/")
    if [[ -n $differing ]]; then
        printf '%s\n' "$differing" >&2
        fail 'What the independent reader restored differs'
    fi
    if (($(stat --format=%b "$target$work/tree/sparse") > 1024)); then fail 'A sparse file came back full'; fi
}

# Entries as only newer or Windows' agents write them, byte for byte as the tests of crates/format pin them.
check_entries() {
    "$python" -B - <<'PYTHON'
import importlib.util

spec = importlib.util.spec_from_file_location("reader", "scripts/independent-reader.py")
reader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reader)
head = "0302a403" "040101" "060102" "08080300000000000000"


def entry(kind, *attributes):
    return reader.Entry(bytes.fromhex(kind + "0161" + head + "".join(attributes)))


assert entry("02", "0a130180808080808080808002ffffffffffffffff").identity == (1, 1 << 64, -1)
kept = entry("02", "1e0401000480", "220850524f4752417e31", "3108030000a064617461", "e807046b657074")
assert kept.refused is None
expected = ["security descriptor", "short name", "reparse point", "attribute of the unknown type 1000"]
assert kept.left_off == expected, kept.left_off
refused = entry("07", "e90700")
assert refused.refused == "the critical attribute 1001 is not known", refused.refused
assert "EFS" in entry("01", "110100", "13020000", "3306808080808020").refused
assert entry("02", "2206eda0bdedb880").refused is not None
PYTHON
}

check_entries
restore_and_compare "$work/by-passphrase" --server first --passphrase-file "$work/passphrase"
restore_and_compare "$work/by-code" --server first --recovery-code-file "$work/recovery-code"
restore_and_compare "$work/of-member" --server second --passphrase-file "$work/member-passphrase"
say 'The independent reader restores the same tree, with the passphrase and with the recovery code, and of a server in a shared domain'
