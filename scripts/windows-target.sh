# Sourced by the scripts for Windows beside it: the target, where its build goes, and cargo for it. After tools.sh.
# shellcheck shell=bash
#
# The target is the one that still serves Windows 7 and Server 2008 R2. No prebuilt standard library exists for it, so it is
# built from source, by Debian's own Rust (which ships that source). C code is compiled by mingw, as .cargo/config.toml says;
# which compiler that is must be known before the first build, for not every build script looks again.

windows_target=x86_64-win7-windows-gnu
mingw=x86_64-w64-mingw32

# Apart from the main build: two compilers would throw each other's work away.
windows_folder="${CARGO_TARGET_DIR:-target}-windows"
if [[ "$windows_folder" != /* ]]; then windows_folder="$PWD/$windows_folder"; fi
# shellcheck disable=SC2034 # of the scripts that source this
windows_built="$windows_folder/$windows_target/release"

need_windows_tools() {
    need_packages /usr/bin/rustc=rustc-web /usr/bin/cargo=cargo-web "$mingw-gcc=gcc-mingw-w64-x86-64-win32" \
        "$mingw-g++=g++-mingw-w64-x86-64-win32" /usr/lib/rustlib/src/rust/library/Cargo.lock=rust-web-src
}

# windows_cargo VERB ARGUMENT…: Debian's cargo, whatever comes first elsewhere, for this target; the standard library is not
# stable, hence the second.
windows_cargo() {
    PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1 /usr/bin/cargo "$1" --locked -Zbuild-std=std,panic_abort \
        --target "$windows_target" --target-dir "$windows_folder" "${@:2}"
}

# Refuses what would not load on the oldest system.
refuse_newer_crates() {
    local crates
    crates=$(PATH="/usr/bin:$PATH" /usr/bin/cargo tree --locked --quiet --target "$windows_target" --package stateward-cli \
        --edges normal,build --prefix none --format '{p}')
    if grep -q '^windows v' <<<"$crates"; then
        fail "The agent needs the crate windows, which imports what Windows 7 and Server 2008 R2 lack" \
            "Use windows-sys instead"
    fi
    if grep -q '^aws-lc' <<<"$crates"; then
        fail "The agent needs aws-lc, which this target is not built with" "Use rustls with ring only"
    fi
}
