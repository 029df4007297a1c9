#!/usr/bin/env bash
# Measures what a backup does to a busy server, with and without `--low-priority`, and how well `--limit-rate` is kept;
# writes a table. Builds nothing: run `make build` first. Everything stays on this machine and in temporary folders.
#
# The busy server is a stand-in: as many loops as there are processors, each with a request every 10 ms that computes
# for 4 ms and makes a write of 4 KiB durable. A request's latency counts from the moment at which it was due, so it
# contains the wait for those before it. The vault, which would stand elsewhere, runs at the lowest priority all along
# and keeps its store in memory, so that it takes as little from the busy server as can be.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

usage() {
    cat <<'TEXT'
Usage: scripts/measure-priority.sh [OPTION]…

  --mib N       Data of each backup beside the busy server (default: 2048)
  --seconds N   How long a job at a limited rate is to take, and the busy server alone (default: 20)
  --out FILE    The table (default: docs/figures/priority.md); `-` prints it only
TEXT
}

mib=2048 seconds=20 out=docs/figures/priority.md
while (($# > 0)); do
    case $1 in
        --mib) mib=$2; shift ;;
        --seconds) seconds=$2; shift ;;
        --out) out=$2; shift ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
need_packages python3=python3
bin=$(built_folder)
[[ -x $bin/stateward && -x $bin/stateward-vault ]] || fail 'The programs are not built' 'make build'
work=$(mktemp -d)
store=$(mktemp -d --tmpdir=/dev/shm)
vault_pid=''
finish() {
    if [[ -n $vault_pid ]]; then
        kill "$vault_pid" 2>/dev/null || true
        wait "$vault_pid" 2>/dev/null || true
    fi
    rm -rf "$work" "$store"
}
trap finish EXIT
trap 'exit 130' INT TERM

agent() { "$bin/stateward" --home "$work/home" "$@"; }

set_up() {
    serve_new_vault "$bin" "$store/vault" "$work" nice -n 19
    sign_in "$work" agent
    agent vault create priority
    agent vault credentials priority --out "$work/credentials"
    agent register --credentials "$work/credentials" --generate-passphrase --passphrase-out "$work/passphrase"
}

set_up >/dev/null 2>"$work/set-up.log" || fail 'The vault cannot be set up' "$(tail -n 3 "$work/set-up.log")"
python3 - "$bin/stateward" "$work" "$mib" "$seconds" >"$work/table" <<'PYTHON'
import hashlib, json, multiprocessing, os, platform, shutil, subprocess, sys, time
program, work, mib, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
PERIOD, COMPUTE = 0.010, 0.004
processors = len(os.sched_getaffinity(0))

def say(text):
    print(text, file=sys.stderr, flush=True)

def stateward(*arguments):
    done = subprocess.run([program, "--home", f"{work}/home", "--json", *arguments], capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:
        sys.exit(f"`stateward {' '.join(arguments)}` ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return lines[-1]

def bytes_for(compute):
    """How many bytes are hashed in so many seconds: the least of several tries, so that others do not count."""
    block = bytes(1 << 20)
    least = 1.0
    for _ in range(50):
        begin = time.perf_counter()
        hashlib.sha256(block)
        least = min(least, time.perf_counter() - begin)
    return int(len(block) * compute / least)

def serve(number, size, stop, results):
    """One loop of the busy server: requests are due at fixed moments, however long earlier ones took."""
    block, page, latencies = bytes(size), os.urandom(4096), []
    file = os.open(f"{work}/served-{number}", os.O_WRONLY | os.O_CREAT)
    due = time.monotonic() + PERIOD * number / processors
    while not stop.is_set():
        time.sleep(max(0.0, due - time.monotonic()))
        hashlib.sha256(block)
        os.pwrite(file, page, 0)
        os.fdatasync(file)
        latencies.append(time.monotonic() - due)
        due += PERIOD
    results.put(latencies)

def beside(work_of_job):
    """Runs the busy server while a job runs: seconds of the job, requests a second, latencies in ms."""
    os.sync()
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    loops = [multiprocessing.Process(target=serve, args=(n, size, stop, results)) for n in range(processors)]
    for loop in loops:
        loop.start()
    begin = time.monotonic()
    work_of_job()
    took = time.monotonic() - begin
    stop.set()
    latencies = sorted(latency * 1000 for _ in loops for latency in results.get())
    for loop in loops:
        loop.join()
    share = lambda part: latencies[min(len(latencies) - 1, int(len(latencies) * part))]
    return took, len(latencies) / took, share(0.5), share(0.99), latencies[-1]

def fill(name, mib):
    """Half random, half text, in files of 16 MiB and some thousand small ones; no two calls make the same."""
    folder = f"{work}/{name}"
    os.makedirs(f"{folder}/small")
    for number in range(0, mib, 16):
        data = os.urandom(16 << 20) if number % 32 else os.urandom(8 << 20).hex().encode()
        with open(f"{folder}/{number}", "wb") as file:
            file.write(data)
    for number in range(4000):
        with open(f"{folder}/small/{number}", "wb") as file:
            file.write(os.urandom(1500).hex().encode())
    stateward("protect", "files", folder, "--name", name)
    # Only what changed two seconds before a run is known as unchanged later; this also lets writes settle.
    time.sleep(3)

def wait_for(job):
    """Looks at the job's record as seldom as can be: each look takes from what is measured."""
    while True:
        time.sleep(0.2)
        with open(f"{work}/home/jobs/{job}.json") as file:
            state = json.load(file)["state"]
        if state not in ("Queued", "Running"):
            return state

def background(name, *flags):
    job = stateward("backup", "now", "--item", name, *flags)["job"]
    state = wait_for(job)
    if state != "Completed":
        sys.exit(f"the backup is {state}")

def autogroup():
    try:
        return open("/proc/sys/kernel/sched_autogroup_enabled").read().strip() == "1"
    except OSError:
        return False

size = bytes_for(COMPUTE)
rows = []
alone = beside(lambda: time.sleep(seconds))
rows.append(("nothing", *alone))
for what, waits, flags in [
    ("a backup, `--wait`", True, []),
    ("a backup, `--wait --low-priority`", True, ["--low-priority"]),
    ("a backup in the background", False, []),
    ("a backup in the background, `--low-priority`", False, ["--low-priority"]),
]:
    name = f"item-{len(rows)}"
    fill(name, mib)
    if waits:
        row = beside(lambda: stateward("backup", "now", "--item", name, "--wait", *flags))
    else:
        row = beside(lambda: background(name, *flags))
    rows.append((what, *row))
    shutil.rmtree(f"{work}/{name}")
    say(f"{what}: {row[0]:.1f} s, {row[1]:.0f} requests/s, p50 {row[2]:.1f} ms, p99 {row[3]:.1f} ms")
name = "undisturbed"
fill(name, mib)
begin = time.monotonic()
stateward("backup", "now", "--item", name, "--wait")
undisturbed = time.monotonic() - begin
shutil.rmtree(f"{work}/{name}")

rates = []
for asked in (1, 10, 50):
    name = f"rate-{asked}"
    os.makedirs(f"{work}/{name}")
    with open(f"{work}/{name}/file", "wb") as file:
        for _ in range(seconds):
            file.write(os.urandom(asked * 1_000_000))
    stateward("protect", "files", f"{work}/{name}", "--name", name)
    limit = ["--wait", "--limit-rate", f"{asked}MB"]
    begin = time.monotonic()
    sent = stateward("backup", "now", "--item", name, *limit)["bytes_uploaded"]
    sent_in = time.monotonic() - begin
    begin = time.monotonic()
    target = f"{work}/restored-{asked}"
    got = stateward("restore", "--recovery-point", "latest", "--item", name, "--target", target, *limit)
    got_in = time.monotonic() - begin
    shutil.rmtree(target)
    rates.append((asked, sent / sent_in / 1e6, sent_in, got["bytes_downloaded"] / got_in / 1e6, got_in))
    say(f"{asked} MB/s: backup {rates[-1][1]:.3f} MB/s in {sent_in:.1f} s, restore {rates[-1][3]:.3f} MB/s in {got_in:.1f} s")

print(f"""# Low priority and limited rates

Written by `scripts/measure-priority.sh`, which says how; not to be edited. Linux {platform.release().split("-")[0]}, {processors} processors
for busy server, agent and vault together; processors shared out by session (autogroup): {"yes" if autogroup() else "no"}.

## A busy server beside a first backup of {mib} MiB

Requests are due every {PERIOD * 1000:.0f} ms in each of {processors} loops, {processors / PERIOD:.0f} in a second; each computes for {COMPUTE * 1000:.0f} ms and makes 4 KiB durable.
With nobody beside it the backup took {undisturbed:.1f} s.

| beside it runs | requests/s | p50 ms | p99 ms | worst ms | backup s |
|---|--:|--:|--:|--:|--:|""")
for what, took, throughput, p50, p99, worst in rows:
    backup = "" if what == "nothing" else f"{took:.1f}"
    print(f"| {what} | {throughput:.0f} | {p50:.1f} | {p99:.1f} | {worst:.0f} | {backup} |")
print(f"""
## Rates asked for and got

Bytes of packs over the time of the whole command, its start and end included; random data for about {seconds} s.

| asked MB/s | backup MB/s | s | restore MB/s | s |
|--:|--:|--:|--:|--:|""")
for asked, sent, sent_in, got, got_in in rates:
    print(f"| {asked} | {sent:.2f} | {sent_in:.1f} | {got:.2f} | {got_in:.1f} |")
PYTHON
cat "$work/table"
if [[ $out != - ]]; then
    mkdir -p "$(dirname "$out")"
    cp "$work/table" "$out"
fi
