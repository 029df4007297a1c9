#!/usr/bin/env bash
# Builds the deb and rpm packages of the agent (`stateward`) and of the vault (`stateward-vault`), and the agent's MSI, into
# target/packages, with SHA256SUMS beside them. What is built twice from one commit is the same byte for byte.
#
# --release N: the package's own release, 1 unless told otherwise.
# --no-msi: not that one, whose program needs another compiler (scripts/package-msi.sh builds it alone).
# --sign KEYFILE: signs the agent's packages with that release key (`cargo xtask make-release-key` makes one).
set -euo pipefail
export LC_ALL=C

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

release=1
key=
makes_msi=yes
while (($#)); do
    case $1 in
        --release) release=${2:?} && shift 2 ;;
        --sign) key=$(realpath -- "${2:?}") && shift 2 ;;
        --no-msi) makes_msi='' && shift ;;
        *) fail "There is no flag \`$1\`" 'scripts/package.sh [--release N] [--sign KEYFILE] [--no-msi]' ;;
    esac
done

need_packages cc=gcc strip=binutils dpkg-deb=dpkg rpmbuild=rpm gzip=gzip
need_rust
cargo build --release --locked --bin stateward --bin stateward-vault

bin=$(built_folder)
out=${bin%/release}/packages
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat --format=%Y Cargo.lock)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"

summary_of() {
    case $1 in
        stateward) printf 'Backs the System State of this server up to a Stateward vault' ;;
        stateward-vault) printf 'Keeps recovery points of servers, and cannot read them' ;;
    esac
}

description_of() {
    case $1 in
        stateward) printf 'The agent: registration, backup by policy, restore, verify; and administration of vaults.' ;;
        stateward-vault) printf 'The vault with its management API, on a folder and SQLite or PostgreSQL.' ;;
    esac
}

# stage NAME: lays the package's files out as they are to lie, below $work/NAME.
stage() {
    local name=$1 root=$work/$1
    install -D --mode=0755 "$bin/$name" "$root/usr/bin/$name"
    # Names of functions stay, so that a report of a failure can be read.
    strip --strip-debug "$root/usr/bin/$name"
    install -D --mode=0644 "packaging/$name/$name.service" "$root/usr/lib/systemd/system/$name.service"
    for text in LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md; do
        install -D --mode=0644 "$text" "$root/usr/share/doc/$name/$text"
    done
    if [[ $name == stateward ]]; then
        mkdir -p "$root/usr/share/man/man1" "$root/usr/share/bash-completion/completions" \
            "$root/usr/share/zsh/site-functions" "$root/usr/share/fish/vendor_completions.d"
        "$bin/stateward" man | gzip --no-name --best >"$root/usr/share/man/man1/stateward.1.gz"
        "$bin/stateward" completion bash >"$root/usr/share/bash-completion/completions/stateward"
        "$bin/stateward" completion zsh >"$root/usr/share/zsh/site-functions/_stateward"
        "$bin/stateward" completion fish >"$root/usr/share/fish/vendor_completions.d/stateward.fish"
    fi
    find "$root" -type d -exec chmod 0755 {} +
    find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

# The newest glibc that the program asks for: with an older one it does not start.
needs_glibc() { objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1 | cut -d _ -f 2; }

build_deb() {
    local name=$1 root=$work/$1 control=$work/$1/DEBIAN architecture depends
    architecture=$(dpkg --print-architecture)
    depends="libc6 (>= $(needs_glibc "$root/usr/bin/$name"))"
    if [[ $name == stateward-vault ]]; then depends+=', passwd'; fi
    mkdir "$control"
    cat >"$control/control" <<EOF
Package: $name
Version: $version-$release
Architecture: $architecture
Maintainer: The Stateward developers <stateward@localhost>
Section: admin
Priority: optional
Depends: $depends
Installed-Size: $(du --apparent-size --summarize --block-size=1024 "$root/usr" | cut -f 1)
Description: $(summary_of "$name")
 $(description_of "$name")
EOF
    { printf '#!/bin/sh\nset -e\n' && cat "packaging/$name/after-install"; } >"$control/postinst"
    { printf '#!/bin/sh\nset -e\n' && cat "packaging/$name/before-remove"; } >"$control/prerm"
    chmod 0755 "$control" "$control/postinst" "$control/prerm"
    find "$control" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$root" "$out/${name}_$version-${release}_$architecture.deb" >/dev/null
    rm -r "$control"
}

build_rpm() {
    local name=$1 root=$work/$1 top=$work/rpm-$1
    mkdir -p "$top"
    {
        cat <<EOF
Name: $name
Version: $version
Release: $release
Summary: $(summary_of "$name")
License: Apache-2.0 OR MIT
AutoReqProv: yes
%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%description
$(description_of "$name")
%install
cp --archive $root/. %{buildroot}
%files
EOF
        (cd "$root" && find . -type f -printf '/%P\n')
        printf '%%post\nset -e\n' && cat "packaging/$name/after-install"
        printf '%%preun\nset -e\n' && cat "packaging/$name/before-remove"
    } >"$top/$name.spec"
    rpmbuild -bb --define "_topdir $top" --define 'use_source_date_epoch_as_buildtime 1' \
        --define 'clamp_mtime_to_source_date_epoch 1' --define '_buildhost localhost' "$top/$name.spec" >"$top/log" 2>&1 ||
        fail "rpmbuild can't make $name" "$(tail -n 5 "$top/log")"
    find "$top/RPMS" -name '*.rpm' -exec cp {} "$out" \;
}

for name in stateward stateward-vault; do
    stage "$name"
    build_deb "$name"
    build_rpm "$name"
done
if [[ -n $makes_msi ]]; then scripts/package-msi.sh --release "$release" --out "$out"; fi
mapfile -t packages < <(cd "$out" && ls -- *.deb *.rpm && if [[ -n $makes_msi ]]; then ls -- *.msi; fi)
if [[ -n $key ]]; then
    mapfile -t agents < <(printf '%s\n' "${packages[@]}" | grep -v '^stateward-vault')
    cargo run --quiet --release --locked --package xtask -- sign-package "$key" "${agents[@]/#/$out/}"
fi
(cd "$out" && sha256sum -- "${packages[@]}" >SHA256SUMS)
say "In $out:"
(cd "$out" && du --human-readable --apparent-size -- "${packages[@]}")
