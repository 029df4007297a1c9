#!/usr/bin/env bash
# Installs what the tests need and runs all of them. Stops at the first stage that fails; the last lines say how long
# each stage took.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

stages=()
current=''
began=0
smoke=''

end_stage() {
    if [[ -n "$current" ]]; then stages+=("$(printf '%6d s  %-8s %s' $((SECONDS - began)) "$1" "$current")"); fi
    current=''
}

stage() {
    end_stage passed
    current=$1
    began=$SECONDS
    printf '\n== %s\n' "$current"
}

summary() {
    local code=$?
    if [[ -n "$smoke" ]]; then rm -rf "$smoke"; fi
    if ((code == 0)); then end_stage passed; else end_stage FAILED; fi
    printf '\n== stages\n'
    printf '%s\n' "${stages[@]}"
    if ((code != 0)); then printf 'Failed\n'; fi
}
trap summary EXIT

stage 'tools'
need_packages cc=gcc c++=g++ make=make rsync=rsync getcap=libcap2-bin getfattr=attr setfacl=acl mkfs.ext4=e2fsprogs \
    mkfs.btrfs=btrfs-progs mkfs.xfs=xfsprogs jq=jq ps=procps setpriv=util-linux useradd=passwd shellcheck=shellcheck \
    faketime=faketime valgrind=valgrind sfdisk=fdisk vgcfgbackup=lvm2 cryptsetup=cryptsetup-bin rpmbuild=rpm \
    slapcat=slapd debootstrap=debootstrap /usr/lib/postgresql=postgresql psql=postgresql-client
need_rust

stage 'lint'
scripts/lint.sh

stage 'build'
cargo build --release --locked --workspace --bins

stage 'tests'
cargo test --release --locked --workspace --no-fail-fast

stage 'the vault over PostgreSQL'
# As the stage before has built them: asked for by itself, the vault is built anew, with fewer features of its libraries.
mapfile -t programs < <(cargo test --release --locked --workspace --no-run --message-format json 2>/dev/null | jq --raw-output \
    'select(.profile.test? == true and (.target.name == "stateward_vault" or .target.name == "life")) | .executable')
if ((${#programs[@]} != 2)); then fail "The vault's tests can not be found" "${programs[*]}"; fi
for program in "${programs[@]}"; do
    (cd crates/vault && STATEWARD_DATABASE=postgres "$program")
done

stage 'nonces'
cargo test --release --locked --package stateward-engine --features ledger --test nonces

stage 'fuzzing'
scripts/fuzz.sh --seconds 25

stage 'Windows'
scripts/test-windows.sh

stage 'instructions'
scripts/count-instructions.sh

stage 'reference'
cargo xtask reference --check

stage 'real clients'
scripts/test-clients.sh

stage 'a line that loses packets'
if [[ -c /dev/net/tun ]] && ((EUID == 0)); then
    scripts/measure-links.sh --profile '50ms-5%loss' --control cubic --seconds 5 --out -
else
    say 'LEFT OUT: a line that loses packets needs root and /dev/net/tun'
fi

stage 'many clients at once'
scripts/measure-clients.sh --short

stage 'guides'
scripts/run-guides.sh

stage 'independent reader of the format'
scripts/check-format.sh

stage 'trees of other releases'
scripts/check-trees.sh

stage 'directory servers'
scripts/check-directory-servers.sh

stage 'packages'
scripts/check-packages.sh

stage 'the service under systemd'
scripts/check-service.sh

stage 'quickstart (three components)'
smoke=$(mktemp -d)
scripts/quickstart.sh --folder "$smoke/quickstart" --component configuration --component accounts \
    --component packages --stop

stage 'quickstart as an ordinary user'
scripts/quickstart-unprivileged.sh
end_stage passed
