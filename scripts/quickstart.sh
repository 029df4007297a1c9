#!/usr/bin/env bash
# The whole of Stateward on this machine, in one folder (./.stateward): builds, makes a vault, registers this machine,
# backs its System State up, restores it to a scratch folder, and proves it identical with other programs.
# An ordinary user may run it too, also in a folder of somebody else's with programs that are built already.
# On a terminal the vault goes on serving until Ctrl-C; otherwise it is stopped and the result is the exit code.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

usage() {
    cat <<'EOF'
Usage: scripts/quickstart.sh [OPTION]…

  --folder FOLDER    Keep everything in FOLDER instead of ./.stateward (~/.stateward where that can't be made)
  --component NAME   Protect this component only; may be repeated (default: all)
  --stop             Stop the vault at the end, even on a terminal
  --clean            Stop a vault that is running and remove the folder
  --help             Show this text
EOF
}

folder=$PWD/.stateward
if [[ ! -w $PWD && ! -w $folder ]]; then folder=${HOME:-/tmp}/.stateward; fi
components=()
action=run
serve_on=no
if [[ -t 0 && -t 1 ]]; then serve_on=yes; fi
while (($# > 0)); do
    case $1 in
        --folder) folder=$(realpath -m "$2"); shift ;;
        --component) components+=(--component "$2"); shift ;;
        --stop) serve_on=no ;;
        --clean) action=clean ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

vault_data=$folder/vault
home=$folder/home
restored=$folder/restored
results=$folder/results
vault_pid=''

# ---- the vault's process ----------------------------------------------------------------------------

# Stops a vault that an earlier run left behind: only a process that is ours and serves this very folder.
stop_earlier_vault() {
    local pid
    pid=$(cat "$folder/vault.pid" 2>/dev/null) || return 0
    rm -f "$folder/vault.pid"
    if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "stateward-vault serve --data $vault_data"; then
        say "Stopping the vault of an earlier run (process $pid)"
        kill "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    fi
}

start_vault() {
    "$bin/stateward-vault" serve --data "$vault_data" 2>>"$folder/vault.log" &
    vault_pid=$!
    printf '%s\n' "$vault_pid" >"$folder/vault.pid"
    if wait_for_vault "${url#https://}" "$vault_pid"; then return; fi
    tail -n 20 "$folder/vault.log" >&2
    fail "The vault does not answer at $url" "See $folder/vault.log; \`make clean-quickstart\` begins anew"
}

stop_vault() {
    if [[ -n "$vault_pid" ]]; then
        kill "$vault_pid" 2>/dev/null || true
        wait "$vault_pid" 2>/dev/null || true
        rm -f "$folder/vault.pid"
        vault_pid=''
    fi
}

# ---- running the agent ------------------------------------------------------------------------------

stateward() { "$bin/stateward" --home "$home" "$@"; }

# Runs a command whose words matter only if it fails.
quietly() {
    stateward "$@" &>"$results/step.log" || {
        cat "$results/step.log" >&2
        fail "\`stateward $1 $2 …\` failed"
    }
}

# Shows progress lines (JSON) as one line that is written over, on a terminal only.
show_progress() {
    if [[ ! -t 2 ]]; then cat >/dev/null; return; fi
    jq --unbuffered -rj 'select(.type == "progress")
        | "\r\u001b[K  \(.phase): \(.files) files, \((.bytes // 0) / 1e6 | floor) MB"
        + (if .rate then ", \(.rate / 1e6 | floor) MB/s" else "" end)
        + (if .eta_seconds then ", \(.eta_seconds | floor) s left" else "" end)' >&2
    printf '\r\033[K' >&2
}

# run_job NAME COMMAND…: runs a job, keeps its lines in $results/NAME.jsonl and its seconds in $seconds; fails unless
# it is done, with or without warnings.
run_job() {
    local name=$1 code=0 begin
    shift
    begin=$(date +%s.%N)
    stateward "$@" --json 2>"$results/$name.err" | tee "$results/$name.jsonl" | show_progress || code=$?
    seconds=$(awk -v begin="$begin" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f", end - begin }')
    if ((code != 0 && code != 3)); then
        cat "$results/$name.err" >&2
        fail "\`stateward $*\` ended with $code: $(jq -r 'select(.message) | .message' "$results/$name.jsonl" | tail -n 1)" \
            "Its log is in $home/logs"
    fi
}

# result NAME FIELD: a field of a job's result.
result() { jq -r --arg field "$2" 'select(.type == "result") | .[$field]' "$results/$1.jsonl" | tail -n 1; }

vault_bytes() { du --summarize --bytes "$vault_data/store" | cut -f 1; }

size() { awk -v bytes="$1" 'BEGIN { if (bytes < 1e6) printf "%.1f kB", bytes / 1e3; else printf "%.1f MB", bytes / 1e6 }'; }

rate() { awk -v bytes="$1" -v s="$2" 'BEGIN { printf "%.0f MB/s", (s > 0 ? bytes / 1e6 / s : 0) }'; }

# Names what a job left out: how many of each code, and the first of them.
name_warnings() {
    local count
    count=$(result "$1" warnings)
    if [[ "$count" == 0 ]]; then return; fi
    say "  $count warnings:"
    jq -r 'select(.type == "warning") | .code' "$results/$1.jsonl" | sort | uniq -c | sed 's/^ */    /'
    jq -r 'select(.type == "warning") | "    \(.code): \(.path // "") \(.message)"' "$results/$1.jsonl" | sed -n 1,5p
}

# ---- the steps --------------------------------------------------------------------------------------

# Whether the programs are there and this user can't build them: they were built by somebody else.
is_built_by_others() {
    [[ -x $bin/stateward && -x $bin/stateward-vault && ! -w $bin ]]
}

build() {
    if is_built_by_others; then
        say "1. Using the two programs in $bin"
        return
    fi
    say '1. Building the two programs'
    scripts/build.sh
}

make_vault() {
    if [[ -e "$folder/ready" ]]; then
        say "2. Using the vault and the registration that are in $folder"
        url=$(jq -r .url "$folder/vault.json")
        start_vault
        return
    fi
    if [[ -e "$folder" ]]; then
        say "2. Renewing $folder: an earlier run did not get as far as registering this machine"
        remove_folder
    fi
    say "2. Making a vault in $folder"
    mkdir -p "$folder" "$results"
    chmod 700 "$folder"
    (umask 077 && "$bin/stateward-vault" init --data "$vault_data" --listen 127.0.0.1:0 --json >"$folder/vault.json")
    url=$(jq -r .url "$folder/vault.json")
    start_vault
    quietly login --url "$url" --ca-file "$(jq -r .ca_file "$folder/vault.json")" \
        --client-id "$(jq -r .client_id "$folder/vault.json")" \
        --client-secret-file <(jq -r .client_secret "$folder/vault.json")
    quietly vault create quickstart
    quietly vault credentials quickstart --out "$folder/quickstart.credentials"
    say '   Registering this machine'
    quietly register --credentials "$folder/quickstart.credentials" --cache "$folder/cache" \
        --generate-passphrase --passphrase-out "$folder/passphrase" \
        --recovery-code-file "$folder/recovery-code"
    say "   The passphrase is in $folder/passphrase, the recovery code in $folder/recovery-code"
    touch "$folder/ready"
}

back_up() {
    say "3. Backing up this machine's System State"
    if ((EUID != 0)); then say '   As an ordinary user: what you may not read is left out and named'; fi
    rm -rf "$restored"
    quietly protect system-state "${components[@]}"
    backup_began=$(date +%s)
    run_job first backup now --item system-state --wait
    first_seconds=$seconds
    first_store=$(vault_bytes)
    say "   $(result first files) files, $(size "$(result first bytes)") in $first_seconds s"
    name_warnings first
}

restore() {
    say "4. Restoring it to $restored"
    run_job restore restore --recovery-point latest --item system-state --target "$restored" --wait
    restore_seconds=$seconds
    say "   $(result restore files) files, $(size "$(result restore bytes)") in $restore_seconds s"
    name_warnings restore
}

prove() {
    say '5. Comparing it with the live system: rsync by checksums, names, capabilities, sparse blocks'
    local begin=$SECONDS
    # The rules leave these out too: what an earlier check found on a disk, and what quickstart itself writes.
    printf '%s\n' /boot/lost+found /opt/lost+found /usr/lost+found "$folder" >"$results/left-out"
    local whole=()
    if ((${#components[@]} == 0)); then whole=(/usr /etc /boot /opt); fi
    proof=0
    scripts/compare-restored.sh "$restored" "$backup_began" "$results" "$results/left-out" "${whole[@]}" || proof=$?
    # Where this folder is itself part of the System State, the next backup would take what was restored.
    case $folder in /usr/* | /opt/* | /etc/* | /boot/* | /var/lib/*) rm -rf "$restored" ;; esac
    proof_seconds=$((SECONDS - begin))
}

back_up_again() {
    say '6. Backing up again'
    local before
    before=$(vault_bytes)
    run_job again backup now --item system-state --wait
    again_seconds=$seconds
    again_growth=$(($(vault_bytes) - before))
    say "   $(result again files) files in $again_seconds s; the vault grew by $(size "$again_growth")"
}

show() {
    say '7. What there is now'
    stateward vault show quickstart | sed 's/^/   /'
    stateward recovery-point list | sed 's/^/   /'
    local bytes
    bytes=$(result first bytes)
    say
    printf '   %-22s %10s %14s %14s %12s\n' '' 'time' 'read' 'in the vault' 'speed'
    printf '   %-22s %8s s %14s %14s %12s\n' 'backup' "$first_seconds" "$(size "$bytes")" \
        "$(size "$first_store")" "$(rate "$bytes" "$first_seconds")"
    printf '   %-22s %8s s %14s %14s %12s\n' 'restore' "$restore_seconds" '' '' "$(rate "$bytes" "$restore_seconds")"
    printf '   %-22s %8s s\n' 'independent check' "$proof_seconds"
    printf '   %-22s %8s s %14s %14s\n' 'backup, little changed' "$again_seconds" '' "+$(size "$again_growth")"
    say
}

remove_folder() {
    # A backup that was renewed or removed is gone for good: only what quickstart made is removed.
    rm -rf "$vault_data" "$home" "$restored" "$results" "$folder/cache"
    rm -f "$folder"/{vault.json,vault.log,vault.pid,passphrase,recovery-code,quickstart.credentials,ready}
    rmdir "$folder" 2>/dev/null || say "   $folder holds other files and is kept"
}

# ---- the run ----------------------------------------------------------------------------------------

stop_earlier_vault
if [[ $action == clean ]]; then
    remove_folder
    exit 0
fi
need_packages rsync=rsync getcap=libcap2-bin jq=jq
bin=$(built_folder)
is_built_by_others || { need_packages cc=gcc && need_rust; }
trap stop_vault EXIT
trap 'exit 130' INT TERM

build
make_vault
mkdir -p "$results"
back_up
restore
prove
back_up_again
show
if ((proof == 0)); then
    say 'The restored System State is identical to what was backed up.'
    if ((EUID != 0)); then
        say "As an ordinary user you could not read everything ($(result first warnings) warnings) and not give files back to"
        say "their owners ($(result restore warnings) warnings); each is named in $results. Run it as root for the whole System State."
    fi
else
    say "The restored System State DIFFERS from what was backed up: see $results"
fi
if [[ $serve_on == yes ]]; then
    trap 'exit "$proof"' INT TERM
    say "The vault serves at $url. Ctrl-C stops it; \`make quickstart\` runs again; \`make clean-quickstart\` removes it."
    wait "$vault_pid" || true
else
    stop_vault
    say "The vault is stopped. \`make quickstart\` runs again; \`make clean-quickstart\` removes $folder."
fi
exit "$proof"
