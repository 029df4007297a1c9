#!/usr/bin/env bash
# Builds the two programs.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

need_packages cc=gcc
need_rust
cargo build --release --locked --bin stateward --bin stateward-vault
say "The programs are $(built_folder)/stateward and $(built_folder)/stateward-vault"
