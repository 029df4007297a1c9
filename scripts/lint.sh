#!/usr/bin/env bash
# Checks formatting, lints, the rules of the house, licences and sources of dependencies, and these scripts.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

need_packages cc=gcc shellcheck=shellcheck
need_rust
need_component fmt rustfmt
need_component clippy clippy
cargo fmt --all --check
# In the profile of the build, so that what C libraries compile to is made once.
cargo clippy --release --workspace --all-targets --locked -- --deny warnings
cargo xtask tidy
cargo xtask openapi --check
shellcheck --external-sources scripts/*.sh .ci/run
if command -v cargo-deny >/dev/null; then
    # Advisories need the network; they are checked where there is one: cargo deny check advisories
    cargo deny --log-level error check licenses bans sources
else
    say 'cargo-deny is not installed: licences are not checked (cargo install cargo-deny)'
fi
