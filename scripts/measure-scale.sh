#!/usr/bin/env bash
# Measures how Stateward does with very many small files: a first backup, an unchanged one, and one after the cache
# folder was lost, with times, processor time and the peak anonymous memory of agent and vault. Writes a table. Builds
# nothing: run `make build` first.
#
# Usage: scripts/measure-scale.sh [FILES [TABLE]]
#   FILES   how many (default 20000; the table in the tree is of 1000000)
#   TABLE   where the table goes, `-` for nowhere (default: docs/figures/scale.md)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

files=${1:-20000}
table=${2:-docs/figures/scale.md}
[[ $files =~ ^[1-9][0-9]*$ ]] || fail "FILES is no number: $files" 'scripts/measure-scale.sh [FILES [TABLE]]'
need_packages python3=python3
bin=$(built_folder)
[[ -x $bin/stateward && -x $bin/stateward-vault ]] || fail 'The programs are not built' 'make build'
work=$(mktemp -d)
vault_pid=''
finish() {
    if [[ -n $vault_pid ]]; then
        kill "$vault_pid" 2>/dev/null || true
        wait "$vault_pid" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

# Files of 100 to 1000 bytes, 500 to a folder, all different, the same for the same number.
make_files() {
    python3 - "$work/source" "$files" <<'EOF'
import os, sys
top, count = sys.argv[1], int(sys.argv[2])
for number in range(count):
    if number % 500 == 0:
        folder = f"{top}/{number // 50000:03d}/{number // 500 % 100:02d}"
        os.makedirs(folder)
    with open(f"{folder}/{number}", "wb", buffering=0) as file:
        file.write((b"file %d " % number) * (8 + number % 57))
EOF
}

agent() { "$bin/stateward" --home "$work/home" "$@"; }

set_up() {
    serve_new_vault "$bin" "$work/vault" "$work"
    (umask 077 && printf 'a passphrase of measurements\n' >"$work/passphrase")
    sign_in "$work" agent
    agent vault create scale
    agent vault credentials scale --out "$work/credentials"
    agent register --credentials "$work/credentials" --passphrase-file "$work/passphrase" --cache "$work/cache"
    agent protect files "$work/source" --name scale
}

# measure NAME: one backup; memory is looked at every 5 ms.
measure() {
    python3 - "$1" "$vault_pid" "$work/log" "$bin/stateward" --home "$work/home" backup now --item scale --wait <<'EOF'
import os, resource, subprocess, sys, time
name, vault, log = sys.argv[1:4]
def anonymous(process):
    try:
        with open(f"/proc/{process}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("RssAnon:")), 0)
    except OSError:
        return 0
def ticks():
    fields = open(f"/proc/{vault}/stat").read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])
before, began = ticks(), time.perf_counter()
with open(log, "ab") as out:
    agent = subprocess.Popen(sys.argv[4:], stdout=out, stderr=out)
    peaks = [0, 0]
    while agent.poll() is None:
        peaks = [max(peaks[0], anonymous(agent.pid)), max(peaks[1], anonymous(vault))]
        time.sleep(0.005)
wall = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
served = (ticks() - before) / os.sysconf("SC_CLK_TCK")
unchanged = [line.split(None, 1)[1].strip() 
             for line in open(log, errors="replace") if line.lstrip().startswith("Unchanged ")]
cells = [name, f"{wall:.2f} s", f"{used.ru_utime + used.ru_stime:.2f} s", f"{served:.2f} s",
         f"{peaks[0] >> 10} MiB", f"{peaks[1] >> 10} MiB", unchanged[-1] if unchanged else "not told"]
print(f"| {' | '.join(cells)} |", flush=True)
if agent.returncode:
    sys.exit(f"exit code {agent.returncode}: {open(log, errors='replace').read()[-400:]}")
EOF
}

make_files
# Only what changed at least two seconds before a run began is known as unchanged in the next one.
sleep 3
set_up >/dev/null 2>"$work/set-up.log" || fail 'The vault cannot be set up' "$(tail -n 3 "$work/set-up.log")"
load=$(cut -d ' ' -f 1 /proc/loadavg)
{
    cat <<TEXT
# Very many files

Written by \`scripts/measure-scale.sh $files\`; not typed. $files files of 100 to 1000 bytes, all different, 500 to a
folder; each is one chunk. Agent and vault on the same $(nproc) processors, whose load by other work was $load before. The
peaks are of anonymous memory. That the index keeps what it promises with ten million chunks is held by a test
(\`crates/engine/src/index/fingerprints.rs\`).

| backup | time | CPU, agent | CPU, vault | peak, agent | peak, vault | known as unchanged |
|---|--:|--:|--:|--:|--:|--:|
TEXT
    measure first
    measure unchanged
    rm -rf "$work/cache"
    measure 'cache lost: rebuilt from the vault'
} | tee "$work/table"
if [[ $table != - ]]; then cp "$work/table" "$table"; fi
