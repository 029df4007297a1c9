#!/usr/bin/env bash
# Proves the vault with Azure's own clients, unmodified: `az`, the SDKs for Python (those of today and old ones) and for
# JavaScript, against a real vault on a free port and real agents. The clients come from their package registries and are
# kept in the target folder; they are installed again when their lists in crates/e2e/clients change.
#
#   usage: test-clients.sh [PYTEST ARGUMENT…]
#          test-clients.sh --install [NAME…]      only installs them: az, sdk, old-sdk, javascript
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

bin=$(built_folder)
tests=$PWD/crates/e2e/clients
clients=${bin%/release}/clients

# Whether what is in a folder was installed from these lists.
is_installed() { [[ "$(cat "$clients/$1.installed" 2>/dev/null)" == "$(cat "${@:2}" | sha256sum)" ]]; }

# install_python NAME: an environment of Python with what requirements-NAME.txt lists. What is imported is compiled then,
# which is much less than all.
install_python() {
    local list=$tests/requirements-$1.txt
    if is_installed "$1" "$list"; then return; fi
    rm -rf "${clients:?}/$1"
    python3 -m venv "$clients/$1"
    "$clients/$1/bin/pip" install --quiet --disable-pip-version-check --no-compile --requirement "$list"
    sha256sum <"$list" >"$clients/$1.installed"
}

install_javascript() {
    if is_installed javascript "$tests/package.json" "$tests/package-lock.json"; then return; fi
    rm -rf "$clients/javascript"
    mkdir -p "$clients/javascript"
    cp "$tests"/package{,-lock}.json "$clients/javascript"
    npm clean-install --prefix "$clients/javascript" --no-audit --no-fund --silent
    cat "$tests"/package{,-lock}.json | sha256sum >"$clients/javascript.installed"
}

# install NAME…: those of `az`, `sdk`, `old-sdk`, `javascript`. The first takes as long as all the others.
install() {
    local began=$SECONDS name job jobs=()
    mkdir -p "$clients"
    for name in "$@"; do
        if [[ $name == javascript ]]; then
            install_javascript >"$clients/$name.log" 2>&1 &
        else
            install_python "$name" >"$clients/$name.log" 2>&1 &
        fi
        jobs+=("$!:$name")
    done
    for job in "${jobs[@]}"; do
        wait "${job%%:*}" || fail "Cannot install ${job#*:}" "$(tail -n 5 "$clients/${job#*:}.log")"
    done
    say "Azure's clients are in $clients ($((SECONDS - began)) s, $(du --summarize --human-readable "$clients" | cut -f 1))"
}

need_packages python3=python3 node=nodejs npm=npm openssl=openssl
# Debian and Ubuntu have the one part of Python that makes environments apart.
python3 -c 'import ensurepip' 2>/dev/null || need_packages /nowhere/ensurepip=python3-venv
all=(az sdk old-sdk javascript)
if [[ ${1:-} == --install ]]; then
    shift
    if (($# > 0)); then install "$@"; else install "${all[@]}"; fi
    exit
fi
install "${all[@]}"
STATEWARD_PROGRAMS=$bin STATEWARD_CLIENTS=$clients "$clients/sdk/bin/python" -B -m pytest \
    --rootdir "$tests" -p no:cacheprovider --quiet --durations 8 "$@" "$tests"
