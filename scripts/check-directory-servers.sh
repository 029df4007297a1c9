#!/usr/bin/env bash
# Backs up a machine with OpenLDAP, Samba AD and a Kerberos KDC, restores it, and has each server's own program read its
# dump back: in a tree that debootstrap makes, in which the agent runs as if it were the machine. As root; takes minutes,
# so that it is run with STATEWARD_LONG=1 only.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

MIRROR=${MIRROR:-http://deb.debian.org/debian}
if [[ "${STATEWARD_LONG:-}" != 1 ]] || ((EUID != 0)); then
    say 'LEFT OUT: real directory servers are installed only by root, and only with STATEWARD_LONG=1'
    exit 0
fi
need_packages debootstrap=debootstrap python3=python3

bin=$(built_folder)
work=$(mktemp -d)
tree=$work/tree
vault_pid=''

finish() {
    local code=$?
    if [[ -n "$vault_pid" ]]; then kill "$vault_pid" 2>/dev/null || true; wait "$vault_pid" 2>/dev/null || true; fi
    umount "$tree/dev" "$tree/proc" 2>/dev/null || true
    if ((code == 0)) && ! mountpoint -q "$tree/dev"; then rm -rf --one-file-system "$work"; else say "What this run made is in $work"; fi
}
trap finish EXIT

# In the tree, with nothing of this shell's environment.
inside() { chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
stateward() { inside /usr/local/bin/stateward --home /var/lib/stateward "$@"; }

make_machine() {
    debootstrap --variant=minbase bookworm "$tree" "$MIRROR"
    printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
    chmod 755 "$tree/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$tree/etc/resolv.conf"
    mount --bind /proc "$tree/proc"
    mount --bind /dev "$tree/dev"
    inside apt-get update
    inside apt-get install --yes --no-install-recommends slapd krb5-kdc krb5-admin-server samba samba-dsdb-modules \
        samba-vfs-modules samba-ad-provision winbind python3-samba
    printf '[realms]\n    EXAMPLE.ORG = {\n    }\n' >"$tree/etc/krb5kdc/kdc.conf"
    inside kdb5_util -r EXAMPLE.ORG create -s -P 'a master password'
    rm "$tree/etc/samba/smb.conf"
    inside samba-tool domain provision --realm=EXAMPLE.ORG --domain=EXAMPLE --server-role=dc --host-name=dc1 \
        --dns-backend=SAMBA_INTERNAL --adminpass='A-Passw0rd.'
    install -m 755 "$bin/stateward" "$tree/usr/local/bin/stateward"
}

# Each server's own program takes its dump.
read_back() {
    local dumps=/var/tmp/restored/stateward-generated/directory-services
    inside mkdir /var/tmp/config /var/tmp/ldap
    inside sed -i 's#/var/lib/ldap#/var/tmp/ldap#' "$dumps/openldap-0.ldif"
    inside slapadd -F /var/tmp/config -n 0 -l "$dumps/openldap-0.ldif"
    inside slapadd -F /var/tmp/config -n 1 -l "$dumps/openldap-1.ldif"
    diff <(inside slapcat -n 1) <(inside slapcat -F /var/tmp/config -n 1)
    say 'OpenLDAP reads its dumps back'
    inside kdb5_util -r EXAMPLE.ORG -d /var/tmp/principal load "$dumps/kerberos-EXAMPLE.ORG.dump"
    diff <(inside kdb5_util -r EXAMPLE.ORG dump) <(inside kdb5_util -r EXAMPLE.ORG -d /var/tmp/principal dump)
    say 'Kerberos reads its dump back'
    inside samba-tool domain backup restore --backup-file="$dumps/samba-domain.tar.bz2" --targetdir=/var/tmp/domain \
        --newservername=dc2 >"$work/samba.log" 2>&1 || fail 'Samba does not read its dump back' "$(tail -n 3 "$work/samba.log")"
    inside samba-tool user list -H /var/tmp/domain/private/sam.ldb | grep -qx Administrator
    say 'Samba reads its dump back'
}

say "A machine with three directory servers in $tree"
make_machine >"$work/machine.log" 2>&1 || fail 'The machine cannot be made' "$(tail -n 3 "$work/machine.log")"
serve_new_vault "$bin" "$work/vault-data" "$work"
cp "$(vault_fact "$work" ca_file)" "$tree/var/tmp/ca.pem"
stateward login --url "$(vault_fact "$work" url)" --ca-file /var/tmp/ca.pem \
    --client-id "$(vault_fact "$work" client_id)" --client-secret "$(vault_fact "$work" client_secret)" >/dev/null
stateward vault create machines >/dev/null
stateward vault credentials machines --out /var/tmp/credentials >/dev/null
stateward register --credentials /var/tmp/credentials --generate-passphrase --passphrase-out /var/tmp/passphrase \
    --recovery-code-file /var/tmp/recovery-code >/dev/null
stateward protect system-state --component directory-services >/dev/null
stateward backup now --wait
stateward restore --recovery-point latest --target /var/tmp/restored --wait >/dev/null
read_back
