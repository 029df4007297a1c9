#!/usr/bin/env bash
# Builds the packages for Linux twice and compares them, then installs, upgrades and removes each in a tree that debootstrap makes, and
# uses what is installed there: a vault is made by its own user, a server registered, backed up and restored, and upgraded in
# between. As root, for only root can make such trees. No systemd runs in the tree: its units are checked by
# systemd-analyze where that is there, and what the packages say to a running systemd is not tested.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

need_trees 'make a tree to install into' rpm=rpm

built=$(built_folder)
built=${built%/release}/packages
work=$(mktemp -d)
tree=$work/tree
inside=''

finish() {
    local code=$?
    if [[ -n "$inside" ]]; then kill "$inside" 2>/dev/null || true; wait "$inside" 2>/dev/null || true; fi
    umount "$tree/proc" 2>/dev/null || true
    if ((code == 0)); then rm -rf "$work"; else say "What this run made is in $work"; fi
}
trap finish EXIT

# quiet COMMAND…: runs it, and says what it said only if it fails.
quiet() { "$@" >"$work/said" 2>&1 || fail "This failed: $*" "$(tail -n 5 "$work/said")"; }

make_tree "$tree" "$work/log" &
maker=$!

say 'Packages of release 1, twice, and of release 2'
quiet scripts/package.sh --no-msi
cp -r "$built" "$work/first"
quiet scripts/package.sh --no-msi
diff "$work/first/SHA256SUMS" "$built/SHA256SUMS" || fail 'A second build of the packages differs from the first'
quiet scripts/package.sh --release 2 --no-msi
cp -r "$built" "$work/second"
(cd "$work/second" && sha256sum --quiet --check SHA256SUMS)
for unit in packaging/*/*.service; do
    if has systemd-analyze; then
        # The programs need not be on this machine.
        sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' "$unit" >"$work/${unit##*/}"
        systemd-analyze verify "$work/${unit##*/}" 2>"$work/verify" || fail "$unit is no unit" "$(cat "$work/verify")"
        grep -E "${unit##*/}:[0-9]+:" "$work/verify" && fail "$unit holds what systemd does not know"
    else
        say "LEFT OUT: no systemd-analyze to check $unit with"
    fi
done

tree_or_fail "$tree" "$work/log" "$maker"
mount --bind /proc "$tree/proc" 2>/dev/null || true
mkdir "$tree/packages"
cp "$work"/first/*.deb "$work"/first/*.rpm "$tree/packages"
mkdir "$tree/packages/second"
cp "$work"/second/*.deb "$work"/second/*.rpm "$tree/packages/second"

enter=(chroot "$tree" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/srv)
as_vault=(setpriv --reuid=stateward-vault --regid=stateward-vault --clear-groups)
in_tree() { "${enter[@]}" "$@"; }

serve() {
    # Not by the function: the process that is signalled must be the vault.
    "${enter[@]}" "${as_vault[@]}" stateward-vault serve --data /var/lib/stateward-vault 2>"$work/vault.log" &
    inside=$!
    wait_for_vault "${url#https://}" "$inside" || fail 'The vault does not listen' "$(tail -n 3 "$work/vault.log")"
}

stop() {
    kill "$inside"
    wait "$inside" || fail 'The vault did not end well' "$(tail -n 3 "$work/vault.log")"
    inside=''
}

fact() { in_tree cat /srv/init.json | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }

say 'deb: install'
quiet in_tree sh -c 'dpkg --install /packages/*.deb'
in_tree "${as_vault[@]}" stateward-vault init --data /var/lib/stateward-vault --listen 127.0.0.1:0 --json \
    >"$tree/srv/init.json"
url=$(fact url)
serve
quiet in_tree stateward login --url "$url" --ca-file "$(fact ca_file)" --client-id "$(fact client_id)" \
    --client-secret "$(fact client_secret)"
quiet in_tree stateward vault create main
quiet in_tree stateward vault credentials main --out /srv/credentials
quiet in_tree stateward register --credentials /srv/credentials --generate-passphrase --passphrase-out /srv/passphrase \
    --recovery-code-file /srv/code
quiet in_tree stateward protect files /etc --name etc
quiet in_tree stateward backup now --wait

say 'deb: upgrade, with all that it keeps'
stop
quiet in_tree sh -c 'dpkg --install /packages/second/*.deb'
versions=$(in_tree dpkg-query --show --showformat="\${Version} " stateward stateward-vault)
[[ $versions == *-2\ *-2\  ]] || fail 'It is not the second release' "$versions"
serve
quiet in_tree stateward backup now --wait
quiet in_tree stateward restore --recovery-point latest --target /srv/restored --wait
diff --recursive --no-dereference "$tree/etc" "$tree/srv/restored/etc" || fail 'What was restored differs'
stop

say 'deb: remove and purge, and what stays'
quiet in_tree dpkg --purge stateward stateward-vault
for gone in usr/bin/stateward usr/bin/stateward-vault usr/lib/systemd/system/stateward.service; do
    [[ ! -e $tree/$gone ]] || fail "\`/$gone\` is still there"
done
for kept in var/lib/stateward/registration.json var/lib/stateward-vault/vault.json; do
    [[ -e $tree/$kept ]] || fail "\`/$kept\` went with its package"
done

say 'rpm: install, upgrade, remove'
# The tree is a Debian's, whose libraries rpm knows nothing of.
rpm_in() { quiet rpm --root "$tree" --nodeps "$@"; }
rpm_in --install "$work"/first/*.rpm
rpm_in --verify stateward stateward-vault
rpm_in --upgrade "$work"/second/*.rpm
rpm_in --verify stateward stateward-vault
[[ $(rpm --root "$tree" --query --queryformat '%{RELEASE} ' stateward stateward-vault) == '2 2 ' ]] || fail 'It is not the second release'
serve
quiet in_tree stateward backup now --wait
stop
rpm_in --erase stateward stateward-vault
[[ ! -e $tree/usr/bin/stateward && -e $tree/var/lib/stateward-vault/vault.json ]] || fail 'What stays is not what is to stay'
say "Both kinds of packages are the same when built twice, and install, upgrade and go ($(wc -l <"$work/first/SHA256SUMS") packages)"
