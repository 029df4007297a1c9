#!/usr/bin/env bash
# Measures what the second generation of a system volume's image uploads: ours, to a vault over TLS, and what the same files make
# other programs' backups grow by. Windows Server Backup makes such an image anew for each backup of System State; here a made-up one
# stands for it (crates/testing/src/synthetic_volume.rs says what it is). Only bytes are measured, so other load does no harm.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

usage() {
    cat <<'TEXT'
Usage: scripts/measure-image-generations.sh [OPTION]…

  --mib N          How long the volume is (default: 2048). A temporary folder needs two and a half times as much
  --block-mib N    How long a block of the VHDX is (default: 2)
  --source FOLDER  Where the files on it come from; it needs more than the volume holds (default: /usr)
  --seed N         From which all chance follows (default: 1)
  --out FILE       The table (default: docs/figures/image-generations.md); `-` prints it only

Others are measured if they are on the PATH: restic, borg.
TEXT
}

mib=2048 block_mib=2 source=/usr seed=1 out=docs/figures/image-generations.md
while (($# > 0)); do
    case $1 in
        --mib) mib=$2; shift ;;
        --block-mib) block_mib=$2; shift ;;
        --source) source=$2; shift ;;
        --seed) seed=$2; shift ;;
        --out) out=$2; shift ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
need_packages python3=python3 jq=jq

bin=$(built_folder)
for program in stateward stateward-vault synthetic-volume; do
    [[ -x "$bin/$program" ]] || fail "\`$bin/$program\` isn't built" 'cargo build --release --workspace --bins'
done
work=$(mktemp -d)
vault_pid=''
end() {
    if [[ -n "$vault_pid" ]]; then kill "$vault_pid" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM
data=$work/data
mkdir "$data"

# generation NUMBER ORDER: writes the image; what it holds goes to $work/facts.
generation() { "$bin/synthetic-volume" "$source" "$data/volume.vhdx" "$mib" "$block_mib" "$seed" "$1" "$2" >"$work/facts"; }
fact() { jq -r ".$1" "$work/facts"; }
bytes_below() { find "$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d", sum }'; }
mib_of() { python3 -c 'import sys; print(f"{int(sys.argv[1]) / 1048576:.1f}")' "$1"; }
hundredths() { python3 -c 'import sys; print(f"{100 * int(sys.argv[1]) / int(sys.argv[2]):.2f} %")' "$1" "$2"; }

# Each of them makes what it needs, then backs up when it is called again; REPO is what it stores into.
ours() {
    if [[ $1 == init ]]; then
        serve_new_vault "$bin" "$repo" "$work/tool"
        {
            sign_in "$work/tool" agent
            agent vault create images
            agent vault credentials images --out "$work/tool/credentials"
            agent register --credentials "$work/tool/credentials" --generate-passphrase \
                --passphrase-out "$work/tool/passphrase" --cache "$work/tool/cache"
            agent protect files "$data" --name image
        }
    else
        agent --json backup now --item image --wait | tail -n 1 >"$work/tool/result"
    fi
}
agent() { "$bin/stateward" --home "$work/tool/home" "$@"; }

of_restic() {
    local -x RESTIC_REPOSITORY=$repo RESTIC_PASSWORD=of-a-measurement RESTIC_CACHE_DIR=$work/tool/cache
    if [[ $1 == init ]]; then restic init; else restic backup "$data"; fi
}

of_borg() {
    local -x BORG_PASSPHRASE=of-a-measurement BORG_BASE_DIR=$work/tool/home BORG_REPO=$repo
    if [[ $1 == init ]]; then borg init -e repokey; else borg create -C zstd,3 "::gen$1" "$data"; fi
}

# measure NAME SETTINGS FUNCTION ORDER: one row.
measure() {
    local before first second
    repo=$work/repo
    mkdir "$work/tool" "$repo"
    {
        "$3" init
        generation 1 "$4"
        before=$(bytes_below "$repo")
        "$3" 1
        first=$(($(bytes_below "$repo") - before))
        # A file that changed in the same second is one that may have changed.
        sleep 2
        generation 2 "$4"
        before=$(bytes_below "$repo")
        "$3" 2
        second=$(($(bytes_below "$repo") - before))
    } >"$work/log" 2>&1 || fail "$1 failed" "$(tail -n 3 "$work/log")"
    # Nothing that holds so much packs so well: a file was left out.
    ((first * 20 > $(fact used))) || fail "$1 did not back the image up" 'Is the temporary folder a tmpfs? See TMPDIR'
    local sent=''
    if [[ $3 == ours ]]; then
        sent=$(mib_of "$(jq -r .bytes_uploaded "$work/tool/result")")
        kill "$vault_pid"
        wait "$vault_pid" || true
        vault_pid=''
    fi
    printf '| %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "$(mib_of "$first")" "$(mib_of "$second")" \
        "$(hundredths "$second" "$first")" "${sent:--}"
    rm -rf "$work/tool" "$repo"
}

# rows ORDER
rows() {
    cat <<'TEXT'

| program | settings | first, MiB | second, MiB | second of first | sent, MiB |
|---|---|--:|--:|--:|--:|
TEXT
    measure "$("$bin/stateward" --version)" 'its defaults, over TLS to its vault on 127.0.0.1' ours "$1"
    if command -v restic >/dev/null; then
        measure "$(restic version | cut -d ' ' -f 1,2)" 'its defaults: compression auto (about zstd 3), 16 MiB packs' of_restic "$1"
    fi
    if command -v borg >/dev/null; then
        measure "$(borg --version)" 'repokey, zstd 3, its default chunker' of_borg "$1"
    fi
}

{
    generation 2 another
    cat <<TEXT
# Two generations of a system volume's image

Written by \`scripts/measure-image-generations.sh --mib $mib\`; not typed. A made-up volume like NTFS', of $mib MiB, in a dynamic VHDX with blocks of
$block_mib MiB; on it files of this machine's \`$source\`, seed $seed. In the second generation 2 % of the clusters in use were written:
$(mib_of "$(fact changed)") of $(mib_of "$(fact used)") MiB, half of them in place, half by files that were written elsewhere. By their content
$(mib_of "$(fact new)") MiB of them are new: every other file that moved keeps what it held, behind some bytes that were put before it. What
changed lies scattered, in pieces of mostly one or a few clusters, which is hard on whoever cuts long chunks. Windows
Server Backup was not there; what its images look like from one backup to the next nobody has measured. "First" and "second" are by how
much each backup makes the store grow, "sent" is what went through the connection. Each encrypts. $(nproc) processors, $(uname -sr).

The image is a new file each time, whose $(fact blocks) blocks lie in it in the order of their first write, which is another each time:
TEXT
    rows another
    cat <<'TEXT'

The same with the blocks in the same order: what the order costs is the difference.
TEXT
    rows same
    cat <<'TEXT'

What is sent beyond what is new: a cluster that changed sends all of its chunk, and so do the records of files that were touched, and
the bitmap. Chunks of an image are some 32 KiB long in ours, and in the others by their defaults some 1 and 2 MiB. What the order of
the blocks costs is little for all of them beside that.
TEXT
} | tee "$work/table"
if [[ $out != - ]]; then cp "$work/table" "$out"; fi
