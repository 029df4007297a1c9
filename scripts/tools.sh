# Sourced by the scripts beside it: finds what they need, installs it as root on Debian and Ubuntu, names it otherwise.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }

fail() {
    printf 'Error: %s\n' "$1" >&2
    if [[ -n "${2:-}" ]]; then printf 'Hint: %s\n' "$2" >&2; fi
    exit 1
}

# has PROGRAM: whether a program, or a file of that whole path, is there.
has() {
    case $1 in
        /*) [[ -e $1 ]] ;;
        *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null ;;
    esac
}

# need_packages PROGRAM=PACKAGE…: makes sure that the programs are there, from these packages.
need_packages() {
    local pair missing=() packages=()
    for pair in "$@"; do
        if ! has "${pair%%=*}"; then
            missing+=("${pair%%=*}")
            packages+=("${pair#*=}")
        fi
    done
    if ((${#missing[@]} == 0)); then return; fi
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        fail "These programs are needed and not installed: ${missing[*]}" \
            "As root: apt-get install ${packages[*]}"
    fi
    say "Installing ${packages[*]} (for ${missing[*]})"
    local log
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        "${packages[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "Cannot install ${packages[*]}" "The lines above are from apt-get"
    fi
    rm -f "$log"
}

# Makes sure that there is a Rust that is new enough, and says how to get it.
need_rust() {
    if ! command -v cargo >/dev/null && [[ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    local hint='Install it from https://rustup.rs, or run: rustup update stable'
    command -v cargo >/dev/null || fail 'Rust is needed and not installed' "$hint"
    local want have
    want=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    have=$(cargo --version | awk '{print $2}')
    if [[ "$(printf '%s\n%s\n' "$want" "$have" | sort -V | head -n 1)" != "$want" ]]; then
        fail "Rust $want or newer is needed, this is $have" "$hint"
    fi
}

# need_component COMMAND COMPONENT: a part of Rust that a small installation lacks, such as `clippy`.
need_component() {
    if cargo "$1" --version >/dev/null 2>&1; then return; fi
    if command -v rustup >/dev/null && rustup component add "$2" >/dev/null 2>&1; then return; fi
    fail "Rust's \`$2\` is needed and not installed" "rustup component add $2"
}

# need_trees WHAT PROGRAM=PACKAGE…: for a script that works in trees of its own which make_tree makes. Ends it, and well, where this is
# not root, who alone can do WHAT; makes sure that the programs are there.
need_trees() {
    if ((EUID != 0)); then
        say "LEFT OUT: only root can $1"
        exit 0
    fi
    need_packages debootstrap=debootstrap "${@:2}"
    MIRROR=${MIRROR:-http://deb.debian.org/debian}
}

# make_tree TREE LOG [RELEASE [FLAG…]]: makes a small tree of a release of Debian, of that of this machine if none is named: the
# programs that were built here run there. In the background its process is debootstrap's, which can be stopped, and says nothing of
# its failure; then tree_or_fail TREE LOG PID waits for it.
make_tree() {
    local tree=$1 log=$2 release=${3:-$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")}
    local making=(debootstrap --variant=minbase "${@:4}" "$release" "$tree" "$MIRROR")
    if ((BASHPID != $$)); then exec "${making[@]}" >"$log" 2>&1; fi
    "${making[@]}" >"$log" 2>&1 || fail "debootstrap can't make \`${tree##*/}\`" "$(tail -n 3 "$log")"
}

tree_or_fail() { wait "$3" || fail "debootstrap can't make \`${1##*/}\`" "$(tail -n 3 "$2")"; }

# Where the programs are after a release build.
built_folder() {
    local target="${CARGO_TARGET_DIR:-target}"
    if [[ "$target" != /* ]]; then target="$PWD/$target"; fi
    printf '%s/release' "$target"
}

# wait_for_vault HOST:PORT PID: waits until the vault listens; fails when its process has ended or half a minute is over.
wait_for_vault() {
    for _ in {1..300}; do
        kill -0 "$2" 2>/dev/null || return 1
        if (: <"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    return 1
}

# serve_new_vault BIN DATA WORK [COMMAND…]: makes a vault in DATA and serves it, by COMMAND if one is given (such as `nice -n 19`).
# Sets vault_pid; WORK/vault.json holds what the vault told, WORK/vault.log what it logs.
serve_new_vault() {
    local bin=$1 data=$2 work=$3 url
    "$bin/stateward-vault" init --data "$data" --listen 127.0.0.1:0 --json >"$work/vault.json"
    "${@:4}" "$bin/stateward-vault" serve --data "$data" 2>"$work/vault.log" &
    vault_pid=$!
    url=$(vault_fact "$work" url)
    wait_for_vault "${url#https://}" "$vault_pid" || fail 'The vault does not listen' "$(tail -n 3 "$work/vault.log")"
}

# vault_fact WORK NAME: what the vault of serve_new_vault told of itself.
vault_fact() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1/vault.json" "$2"; }

# sign_in WORK AGENT…: signs the agent (a command and what comes before its verbs) in to the vault of serve_new_vault.
sign_in() {
    "${@:2}" login --url "$(vault_fact "$1" url)" --ca-file "$(vault_fact "$1" ca_file)" \
        --client-id "$(vault_fact "$1" client_id)" --client-secret "$(vault_fact "$1" client_secret)"
}
