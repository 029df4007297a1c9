#!/usr/bin/env bash
# Builds stateward.exe and runs it under Wine: the tests of the rooms that have code for Windows, then the whole product against
# a vault on this machine. Wine is not Windows: docs/windows-verification.md says what this shows and what it doesn't.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh
# shellcheck source=scripts/windows-target.sh
source scripts/windows-target.sh

wine=/usr/lib/wine/wine64
need_packages "$wine=wine64"
need_rust
scripts/windows.sh
windows_cargo build --release --package stateward-testing --bin stand-in
cargo build --release --locked --workspace --bins

work=$(mktemp -d)
end() {
    # Its own processes only: those of this folder.
    WINEPREFIX="$work/machine" /usr/lib/wine/wineserver64 -k >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap end EXIT
export STATEWARD_WINE_PREFIX="$work/machine" STATEWARD_WINDOWS_PROGRAM="$windows_built/stateward.exe"
export STATEWARD_WINDOWS_STAND_IN="$windows_built/stand-in.exe"
export WINEPREFIX="$STATEWARD_WINE_PREFIX" WINEDEBUG=-all LC_ALL=C.UTF-8 WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe='
unset DISPLAY
say 'Making a machine for Wine'
"$wine" wineboot -i >"$work/boot.log" 2>&1 </dev/null || fail 'Wine can not make its machine' "$(tail -n 3 "$work/boot.log")"

# What stands for VSS, compiled against mingw's header of it, which is the point. Programs take Wine's own unless they are told not to.
"$mingw-g++" -std=c++17 -O1 -Wall -Wextra -Werror -Wno-non-virtual-dtor -fno-exceptions -fno-rtti -shared -static -s \
    -o "$work/vssapi.dll" crates/testing/stand-ins/vssapi.cpp -lole32 -loleaut32
mv "$work/vssapi.dll" "$work/machine/drive_c/windows/system32/vssapi.dll"
mkdir "$work/vss"

# A second drive, which Wine sees when it starts anew.
mkdir "$work/machine/drive_e"
ln -s ../drive_e "$work/machine/dosdevices/e:"
/usr/lib/wine/wineserver64 -k >/dev/null 2>&1 || true
/usr/lib/wine/wineserver64 -w

runner="CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$windows_target")_RUNNER"
# rooms ARGUMENTS [NAME=VALUE…]: runs tests of the rooms. What the programs say goes into a file: one of Wine's servers may keep a pipe
# open.
rooms() {
    if ! env "$runner=$wine" "${@:2}" bash -c "source scripts/tools.sh; source scripts/windows-target.sh
        windows_cargo test --release --lib $1" >>"$work/rooms.log" 2>&1 </dev/null; then
        cat "$work/rooms.log" >&2
        fail 'The tests of the rooms for Windows failed'
    fi
}
rooms '--package stateward-windows --package stateward-system-state'
rooms '--package stateward-windows -- --ignored snapshots_are_there' \
    "WINEDLLOVERRIDES=$WINEDLLOVERRIDES;vssapi=n" "STATEWARD_VSS_SCENE=Z:${work//\//\\}\\vss"
grep '^test result' "$work/rooms.log"

scripts/check-msi.sh

# With the whole workspace, as the other tests are built: nothing is built anew for it.
cargo test --release --locked --workspace --test windows --test windows_record --test windows_snapshots \
    --test windows_system_state -- --ignored
