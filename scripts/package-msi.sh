#!/usr/bin/env bash
# Builds the MSI of the agent into target/packages, with wixl, which needs no Windows. Of the same program, what is built twice is
# the same byte for byte.
#
# --release N: the package's own release, 1 unless told otherwise.
# --version V: another version than the workspace's, for tests of upgrades. The program inside tells the workspace's.
# --out FOLDER: another folder.
# --built: the program is built already.
set -euo pipefail
export LC_ALL=C TZ=UTC

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh
# shellcheck source=scripts/windows-target.sh
source scripts/windows-target.sh

release=1
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
out=$(built_folder)
out=${out%/release}/packages
is_built=''
while (($#)); do
    case $1 in
        --release) release=${2:?} && shift 2 ;;
        --version) version=${2:?} && shift 2 ;;
        --out) out=$(realpath -- "${2:?}") && shift 2 ;;
        --built) is_built=yes && shift ;;
        *) fail "There is no flag \`$1\`" 'scripts/package-msi.sh [--release N] [--version V] [--out FOLDER] [--built]' ;;
    esac
done

need_packages "$mingw-strip=binutils-mingw-w64-x86-64" wixl=wixl msibuild=msitools msiinfo=msitools python3=python3
if [[ -z $is_built ]]; then scripts/windows.sh; fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat --format=%Y Cargo.lock)}
# strip writes it into the program, too.
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -D --mode=0755 "$windows_built/stateward.exe" "$work/files/stateward.exe"
# Names of functions stay, so that a report of a failure can be read.
"$mingw-strip" --strip-debug "$work/files/stateward.exe"
install --mode=0644 CHANGELOG.md "$work/files"
for license in LICENSE-APACHE LICENSE-MIT; do
    # As an editor of Windows shows it.
    sed 's/$/\r/' "$license" >"$work/files/$license.txt"
done
find "$work/files" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +

# The code of a product, and that of a package, are of what is in them: other bytes never go by the same code.
code() {
    { cat packaging/windows/stateward.wxs scripts/msi-tables.py && cd "$work/files" && sha256sum -- * && printf '%s' "$*"; } |
        sha256sum | python3 -c 'import sys, uuid; print(str(uuid.uuid5(uuid.NAMESPACE_OID, sys.stdin.read())).upper())'
}

wxs=$PWD/packaging/windows/stateward.wxs
product=$(code product "$version-$release")
package=$(code package "$version-$release" "$SOURCE_DATE_EPOCH")
# wixl takes what it packs from the folder that it runs in.
(cd "$work/files" && wixl --arch x64 --define Version="$version.$release" --define ProductCode="$product" \
    --define Summary='Backs the System State of this server up to a Stateward vault' \
    --output "$work/raw.msi" "$wxs") >"$work/log" 2>&1 || fail 'wixl can not make the MSI' "$(tail -n 5 "$work/log")"
mkdir -p "$out"
msi=$out/stateward-$version-$release.x64.msi
python3 scripts/msi-tables.py finish "$work/raw.msi" "$msi" "{$package}" "$SOURCE_DATE_EPOCH"
say "The package is $msi"
