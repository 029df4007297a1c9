# The verbs of the house. Each is a script or one cargo command; see CONTRIBUTING.md.

.DEFAULT_GOAL := help
.PHONY: help quickstart build packages test lint windows check-windows bench clean-quickstart

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

quickstart: ## Build, make a vault in ./.stateward, back this machine's System State up, restore it, prove it identical
	@scripts/quickstart.sh

build: ## Build the two programs
	@scripts/build.sh

packages: ## Build deb and rpm packages of both, and the MSI of the agent, into target/packages
	@scripts/package.sh

test: ## Install what the tests need and run all of them
	@scripts/test.sh

lint: ## Check formatting, lints, the rules of the house, licences, scripts
	@scripts/lint.sh

windows: ## Build stateward.exe (installs Debian's Rust and mingw)
	@scripts/windows.sh

check-windows: ## Type-check the agent's crates for Windows (installs Debian's Rust and mingw)
	@scripts/check-windows.sh

bench: ## Measure against other backup programs (BENCH=FOLDER with bench.py, CORPORA=FOLDER with what it measures)
	@scripts/bench.sh

clean-quickstart: ## Stop what quickstart started and remove ./.stateward
	@scripts/quickstart.sh --clean
