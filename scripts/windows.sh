#!/usr/bin/env bash
# Builds stateward.exe, and looks what it asks of Windows: system libraries only, and of these nothing that Server 2008 R2 lacks.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh
# shellcheck source=scripts/windows-target.sh
source scripts/windows-target.sh

need_windows_tools
need_packages python3=python3
refuse_newer_crates
windows_cargo build --release --package stateward-cli --bin stateward
python3 scripts/check-imports.py "$mingw-objdump" "$windows_built/stateward.exe" packaging/windows/imports.txt
say "The program is $windows_built/stateward.exe"
