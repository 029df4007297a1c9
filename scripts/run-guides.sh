#!/usr/bin/env bash
# Runs the commands of docs/guides, in order, against the built programs: every block marked `sh`. Folders, address and
# home are replaced by ones of this run; nothing outside of a temporary folder is written.
#
#   sh             must end with 0
#   sh background  is started, and waited for until the vault answers
#   sh elsewhere   must end with 0, and is run with the home of another server
#   sh az          must end with 0, and finds Azure's command line
#   python         must end with 0, and finds Azure's SDKs
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

repository=$PWD
bin=$(built_folder)
clients=${bin%/release}/clients
scripts/test-clients.sh --install az sdk
work=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
background=()

finish() {
    local code=$?
    if ((${#background[@]} > 0)); then
        kill "${background[@]}" 2>/dev/null || true
        wait "${background[@]}" 2>/dev/null || true
    fi
    if ((code == 0)); then rm -rf "$work"; else say "What the guides' commands left is in $work"; fi
}
trap finish EXIT

# The programs as a reader of the guides has them. An ordinary user may not read all of the System State, so for him
# "done with warnings" is as good as it gets.
stateward() {
    local code=0
    "$bin/stateward" --home "$home" "$@" || code=$?
    if ((code == 3 && EUID != 0)); then code=0; fi
    return "$code"
}
stateward-vault() { "$bin/stateward-vault" "$@"; }

# What guides that use Azure's clients tell their readers to set.
value() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" init.json; }
az() { AZURE_CONFIG_DIR=$work/azure REQUESTS_CA_BUNDLE=$(value ca_file) "$clients/az/bin/az" "$@"; }
run_python() { "$clients/sdk/bin/python" -c "$1"; }

# Three components stand for the whole System State, which quickstart takes.
replace() {
    sed -e "s#/srv/stateward#$work/vault#g" -e "s#/srv/www#$work/www#g" -e "s#/var/tmp/#$work/#g" \
        -e "s#vault\.example\.org:7443#127.0.0.1:$port#g" \
        -e 's#^stateward protect system-state$#& --component accounts --component packages --component host-identity#'
}

# run_block KIND TEXT
run_block() {
    printf '%s\n' "$2" | sed 's/^/  $ /'
    local text
    text=$(replace <<<"$2")
    if [[ $1 == background ]]; then
        eval "start_in_background $text"
        wait_for_vault "127.0.0.1:$port" "${background[-1]}" ||
            fail "Nothing listens on port $port" "$(tail -n 3 "$work/background.log")"
        return
    fi
    # A block of its own, and not as a condition: only so does its first failing command end it.
    local code=0 home=$work/home
    if [[ $1 == elsewhere ]]; then home=$work/other-home; fi
    if [[ $1 == python ]]; then text="run_python ${text@Q}"; fi
    set +e
    (
        set -e
        eval "$text"
    ) >"$work/output" 2>&1
    code=$?
    set -e
    if ((code != 0)); then
        cat "$work/output" >&2
        fail "This block of ${guide##*/} ended with $code"
    fi
}

start_in_background() {
    local program=$1
    shift
    "$bin/$program" "$@" >"$work/background.log" 2>&1 &
    background+=("$!")
}

run_guide() {
    local line kind='' text=''
    while IFS= read -r line; do
        case $line in
            '```sh') kind=foreground text='' ;;
            '```sh background') kind=background text='' ;;
            '```sh elsewhere') kind=elsewhere text='' ;;
            '```sh az') kind=az text='' ;;
            '```python') kind=python text='' ;;
            '```')
                if [[ -n $kind ]]; then run_block "$kind" "$text"; fi
                kind=''
                ;;
            *) if [[ -n $kind ]]; then text+=${text:+$'\n'}$line; fi ;;
        esac
    done <"$1"
}

mkdir -p "$work/www" "$work/azure"
printf '[core]\ncollect_telemetry = false\n[auto-upgrade]\nenable = false\n' >"$work/azure/config"
printf 'A page\n' >"$work/www/index.html"
cd "$work"
# As the list of them has them.
mapfile -t guides < <(sed -n 's/^[0-9]*\. \[.*\](\(.*\.md\))$/\1/p' "$repository/docs/guides/README.md")
((${#guides[@]} == $(find "$repository/docs/guides" -name '*.md' ! -name README.md | wc -l))) ||
    fail 'The list of guides in docs/guides/README.md lacks one'
for guide in "${guides[@]}"; do
    guide=$repository/docs/guides/$guide
    say "${guide##*/}"
    run_guide "$guide"
done
say 'All commands of the guides work'
