#!/usr/bin/env bash
# Measures backup and restore over distant links against plain TCP connections on the same link, and writes a table.
#
# Two network namespaces are joined by scripts/link-lab.py; all traffic stays between them, and they are gone at the end.
# Needs root (namespaces, TUN devices). Writes nothing outside of a temporary folder but the table; while it runs, the
# kernel's list of congestion controls that programs may choose (net.ipv4.tcp_allowed_congestion_control) is longer.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

usage() {
    cat <<'TEXT'
Usage: scripts/measure-links.sh [OPTION]…

  --profile NAME   50ms-100mbit, 200ms-1%loss or 50ms-5%loss; may be repeated (default: the first two)
  --control NAME   A TCP congestion control; may be repeated (default: cubic and bbr)
  --seconds N      How long a plain transfer is measured; data is sized so that ours take about as long
                   (default: 30 at 50 ms; with loss, where chance needs longer to even out, 90, and 240 with cubic:
                   its connections bring so little that signing in and the last parts weigh much in a short run)
  --seed N         For the loss (default: 1)
  --least PERCENT  Fails where backup or restore reach less than this share of 8 plain connections (default: 0)
  --out FILE       The table (default: docs/figures/links.md); `-` prints it only
TEXT
}

profiles=() controls=() asked_seconds='' seconds='' seed=1 least=0 out=docs/figures/links.md
while (($# > 0)); do
    case $1 in
        --profile) profiles+=("$2"); shift ;;
        --control) controls+=("$2"); shift ;;
        --seconds) asked_seconds=$2; shift ;;
        --seed) seed=$2; shift ;;
        --least) least=$2; shift ;;
        --out) out=$2; shift ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
if ((${#profiles[@]} == 0)); then profiles=('50ms-100mbit' '200ms-1%loss'); fi
if ((${#controls[@]} == 0)); then controls=(cubic bbr); fi
if ((EUID != 0)); then fail 'This needs root: it makes network namespaces and TUN devices'; fi
need_packages python3=python3 jq=jq ip=iproute2 sysctl=procps
[[ -c /dev/net/tun ]] || fail 'This machine has no /dev/net/tun' 'modprobe tun'

bin=$(built_folder)
work=$(mktemp -d)
lab=$PWD/scripts/link-lab.py
agent=stateward-agent-$$ vault=stateward-vault-$$
# For benchmarks between two networks (RFC 2544 §C.2.2); nobody else sees them.
agent_address=198.18.0.1 vault_address=198.18.0.2
mbit=100
processes=()
allowed=$(sysctl -n net.ipv4.tcp_allowed_congestion_control)
available=$(sysctl -n net.ipv4.tcp_available_congestion_control)

stop_processes() {
    if ((${#processes[@]} > 0)); then
        kill "${processes[@]}" 2>/dev/null || true
        wait "${processes[@]}" 2>/dev/null || true
    fi
    processes=()
}

# Stops the process that was started last.
stop_last() {
    kill "${processes[-1]}"
    wait "${processes[-1]}" 2>/dev/null || true
    unset 'processes[-1]'
}

finish() {
    local code=$?
    stop_processes
    ip netns delete "$agent" 2>/dev/null || true
    ip netns delete "$vault" 2>/dev/null || true
    sysctl -q -w net.ipv4.tcp_allowed_congestion_control="$allowed"
    if ((code == 0)); then rm -rf "$work"; else say "What this left is in $work"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM
# Namespaces may choose only from this list.
sysctl -q -w net.ipv4.tcp_allowed_congestion_control="$available"

in_agent() { ip netns exec "$agent" "$@"; }
in_vault() { ip netns exec "$vault" "$@"; }
stateward() { in_agent "$bin/stateward" --home "$work/home" "$@"; }

# wait_for_word FILE WORD
wait_for_word() {
    for _ in {1..200}; do
        if grep -q "$2" "$1" 2>/dev/null; then return; fi
        sleep 0.1
    done
    fail "No \`$2\` in $1" "$(tail -n 3 "$1")"
}

# make_link ROUND_TRIP_MS LOSS: anew, with a queue of one round trip's bytes in each direction.
make_link() {
    local device space queue=$((mbit * 125 * $1))
    nice -n -10 python3 "$lab" forward --devices "swa$$,swv$$" --one-way-ms "$(($1 / 2))" --loss "$2" --mbit "$mbit" \
        --queue-bytes "$queue" --seed "$seed" --seconds 3600 >"$work/link" 2>&1 &
    processes+=("$!")
    link=$!
    wait_for_word "$work/link" ready
    for space in "$agent" "$vault"; do
        ip netns add "$space"
        device=swa$$
        if [[ $space == "$vault" ]]; then device=swv$$; fi
        ip link set "$device" netns "$space" txqueuelen 2000
        ip -n "$space" link set lo up
        ip -n "$space" link set "$device" up mtu 1500
    done
    ip -n "$agent" address add "$agent_address" peer "$vault_address" dev "swa$$"
    ip -n "$vault" address add "$vault_address" peer "$agent_address" dev "swv$$"
}

# use_control NAME: for new connections. What earlier ones learned of the way is not kept, so that each begins alike.
use_control() {
    local space
    for space in "$agent" "$vault"; do
        ip netns exec "$space" sysctl -q -w net.ipv4.tcp_congestion_control="$1" net.ipv4.tcp_no_metrics_save=1
    done
}

start_vault() {
    in_vault "$bin/stateward-vault" init --data "$work/vault" --listen "$vault_address:7443" --json >"$work/vault.json"
    # Not through a function: what is stopped at the end must be the vault itself, not a shell that waits for it.
    ip netns exec "$vault" "$bin/stateward-vault" serve --data "$work/vault" 2>"$work/vault.log" &
    processes+=("$!")
    wait_for_word "$work/vault.log" 'listening on'
    mkdir "$work/data"
    {
        stateward login --url "https://$vault_address:7443" --ca-file "$(jq -r .ca_file "$work/vault.json")" \
            --client-id "$(jq -r .client_id "$work/vault.json")" \
            --client-secret "$(jq -r .client_secret "$work/vault.json")"
        stateward vault create links
        stateward vault credentials links --out "$work/credentials"
        stateward register --credentials "$work/credentials" --generate-passphrase --passphrase-out "$work/passphrase"
        stateward protect files "$work/data" --name data
    } >>"$work/log" 2>&1
}

# plain DIRECTION CONNECTIONS: Mbit/s of plain TCP; `there` is from the agent to the vault.
plain() {
    local from=in_agent to=in_vault address=$vault_address receiver
    if [[ $1 == back ]]; then from=in_vault to=in_agent address=$agent_address; fi
    : >"$work/plain"
    "$to" python3 "$lab" receive --listen "$address:7500" --connections "$2" --seconds "$seconds" >"$work/plain" &
    receiver=$!
    wait_for_word "$work/plain" ready
    "$from" python3 "$lab" send --to "$address:7500" --connections "$2" --seconds "$((seconds + 1))"
    wait "$receiver"
    tail -n 1 "$work/plain" | jq -r '.bytes * 8 / .seconds / 1e6 * 100 | round / 100'
}

# timed_job NAME COMMAND…: runs a job; sets $job_seconds and $job_rate, the latter of the bytes named by $moved.
timed_job() {
    local name=$1 begin
    shift
    begin=$(date +%s.%N)
    stateward "$@" --json >"$work/$name.jsonl" 2>>"$work/log" || fail "\`stateward $1\` failed" "$(tail -n 1 "$work/$name.jsonl")"
    job_seconds=$(awk -v begin="$begin" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f", end - begin }')
    job_rate=$(tail -n 1 "$work/$name.jsonl" | jq -r --argjson seconds "$job_seconds" --arg moved "$moved" \
        '.[$moved] * 8 / $seconds / 1e6 * 100 | round / 100')
}

# Writes down how many connections to the vault were open at most, as the kernel lists them (port 7443 is 1D13).
watch_connections() {
    local most=0 now
    while sleep 0.5; do
        now=$(in_agent cat /proc/net/tcp | awk '$3 ~ /:1D13$/ && $4 == "01"' | wc -l)
        if ((now > most)); then
            most=$now
            printf '%s\n' "$most" >"$work/connections"
        fi
    done
}

share() { awk -v ours="$1" -v theirs="$2" 'BEGIN { printf "%.0f %%", 100 * ours / theirs }'; }

# enough WHAT OURS THEIRS: fails if the share is less than was asked for.
enough() {
    awk -v ours="$2" -v theirs="$3" -v least="$least" 'BEGIN { exit 100 * ours < least * theirs }' ||
        fail "$1 reached $2 of $3 Mbit/s: less than $least %"
}

rows=()

# seconds_for PROFILE CONTROL: how long a plain transfer is measured, if nobody said.
seconds_for() {
    case $1,$2 in
        *loss,cubic) echo 240 ;;
        *loss,*) echo 90 ;;
        *) echo 30 ;;
    esac
}

# measure PROFILE CONTROL
measure() {
    local one eight back_eight moved mib up up_seconds up_connections
    use_control "$2"
    seconds=${asked_seconds:-$(seconds_for "$1" "$2")}
    one=$(plain there 1)
    eight=$(plain there 8)
    back_eight=$(plain back 8)
    mib=$(awk -v rate="$eight" -v s="$seconds" 'BEGIN { printf "%d", rate * 1e6 / 8 * s / 1048576 + 1 }')
    say "$1, $2: plain TCP $one Mbit/s with 1 connection, $eight with 8, $back_eight back; data of $mib MiB"
    head -c "$((mib << 20))" /dev/urandom >"$work/data/file"
    printf '0\n' >"$work/connections"
    watch_connections &
    processes+=("$!")
    moved=bytes_uploaded
    timed_job backup backup now --item data --wait
    up=$job_rate up_seconds=$job_seconds up_connections=$(<"$work/connections")
    stop_last
    say "  backup $up Mbit/s in $up_seconds s, $up_connections connections"
    enough 'A backup' "$up" "$eight"
    printf '0\n' >"$work/connections"
    watch_connections &
    processes+=("$!")
    moved=bytes_downloaded
    timed_job restore restore --recovery-point latest --item data --target "$work/restored" --wait
    stop_last
    say "  restore $job_rate Mbit/s in $job_seconds s, $(<"$work/connections") connections"
    enough 'A restore' "$job_rate" "$back_eight"
    cmp "$work/data/file" "$work/restored$work/data/file" || fail 'What was restored is not what was backed up'
    rm -rf "$work/restored"
    rows+=("| $1 | $2 | $one | $eight | $back_eight | $up | $(share "$up" "$eight") | $up_connections | $job_rate | $(share "$job_rate" "$back_eight") | $(<"$work/connections") | $mib | $seconds |")
}

table() {
    cat <<TEXT
# Distant links

Written by \`scripts/measure-links.sh\`; not to be edited. Rates in Mbit/s: of payload for plain TCP, of packs for backup
and restore, whole jobs, from the command's start to its end. Shares are of 8 plain TCP connections in the same run and
direction; "conn." is the most connections that were open at once, "s" how long plain TCP was measured, from its first
connection on. The data is random, so nothing is saved by compressing.

Link: $mbit Mbit/s of IP packets in each direction, so payload can fill 96.5 % of it; a queue of one round trip's bytes;
the profile's name gives the round trip and the loss in each direction. Linux $(uname -r | cut -d - -f 1), 2 namespaces,
vault and agent on the same $(nproc) processors, seed $seed.

| link | control | 1 TCP | 8 TCP | 8 TCP back | backup | share | conn. | restore | share | conn. | MiB | s |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
TEXT
    printf '%s\n' "${rows[@]}"
}

for profile in "${profiles[@]}"; do
    case $profile in
        50ms-100mbit) make_link 50 0 ;;
        '200ms-1%loss') make_link 200 0.01 ;;
        '50ms-5%loss') make_link 50 0.05 ;;
        *) fail "There is no profile \`$profile\`" '50ms-100mbit, 200ms-1%loss and 50ms-5%loss' ;;
    esac
    start_vault
    for control in "${controls[@]}"; do
        if [[ " $available " == *" $control "* ]]; then
            measure "$profile" "$control"
        else
            say "This kernel has no $control: left out"
            rows+=("| $profile | $control | not in this kernel | | | | | | | | | | |")
        fi
    done
    kill -INT "$link"
    wait "$link" || true
    say "$profile: $(tail -n 2 "$work/link" | tr '\n' ' ')"
    stop_processes
    ip netns delete "$agent"
    ip netns delete "$vault"
    rm -rf "${work:?}"/{vault,home,data,restored,credentials,passphrase}
done
table >"$work/table"
cat "$work/table"
if [[ $out != - ]]; then
    mkdir -p "$(dirname "$out")"
    cp "$work/table" "$out"
fi
