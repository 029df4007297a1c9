#!/usr/bin/env bash
# Type-checks the agent's crates for Windows. Nothing is linked and nothing is run: that they compile is all it shows.
# scripts/windows.sh builds the program.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh
# shellcheck source=scripts/windows-target.sh
source scripts/windows-target.sh

need_windows_tools
refuse_newer_crates
windows_cargo check --package stateward-windows --package stateward-agent --package stateward-cli
say "The agent's crates compile for $windows_target"
