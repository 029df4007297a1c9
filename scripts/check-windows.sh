#!/usr/bin/env bash
# Type-checks the agent's crates for Windows. Nothing is linked and nothing is run: that they compile is all it shows.
#
# The target is the one that still serves Windows 7 and Server 2008 R2. No prebuilt standard library exists for it, so it is
# checked from source, by Debian's own Rust (which ships that source). C code is compiled by mingw; which compiler that is
# must be known before the first build, for not every build script looks again.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

target=x86_64-win7-windows-gnu
mingw=x86_64-w64-mingw32

need_packages /usr/bin/rustc=rustc-web /usr/bin/cargo=cargo-web "$mingw-gcc=gcc-mingw-w64-x86-64-win32" \
    "$mingw-g++=g++-mingw-w64-x86-64-win32" /usr/lib/rustlib/src/rust/library/Cargo.lock=rust-web-src

# Apart from the main build: two compilers would throw each other's work away.
folder="${CARGO_TARGET_DIR:-target}-windows"
# Debian's compiler, whatever comes first elsewhere; the standard library is not stable, hence the second.
export PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1
export "CC_${target//-/_}=$mingw-gcc" "CXX_${target//-/_}=$mingw-g++" "AR_${target//-/_}=$mingw-ar"

crates=$(/usr/bin/cargo tree --locked --quiet --target "$target" --package stateward-cli --edges normal,build \
    --prefix none --format '{p}')
if grep -q '^windows v' <<<"$crates"; then
    fail "The agent needs the crate windows, which imports what Windows 7 and Server 2008 R2 lack" \
        "Use windows-sys instead"
fi

/usr/bin/cargo check --locked -Zbuild-std=std,panic_abort --target "$target" --target-dir "$folder" \
    --package stateward-agent --package stateward-cli
say "The agent's crates compile for $target"
