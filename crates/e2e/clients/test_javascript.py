"""Azure's SDKs for JavaScript: the tests are in `javascript`, and are run by Node's own test runner."""

import os
import pathlib
import re
import subprocess

from conftest import CLIENTS
from vault import environment

TESTS = pathlib.Path(__file__).parent / "javascript"


def run(vault, elsewhere, tmp_path, *files: str, **facts: str) -> int:
    """Runs files of tests, and returns how many tests passed."""
    # An import is looked for beside the file that asks, so the tests go to where the SDKs are.
    folder = CLIENTS / "javascript"
    for path in TESTS.glob("*.mjs"):
        (folder / path.name).write_text(path.read_text())
    told = {name.upper(): value for name, value in {**vault.facts, **facts}.items()}
    ended = subprocess.run(
        ["node", "--test", "--test-reporter", "tap", *files],
        cwd=folder,
        env=environment(tmp_path, NODE_EXTRA_CA_CERTS=vault.ca_file, **elsewhere.environment(), **told),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    return int(re.search(r"^# pass (\d+)$", ended.stdout, re.MULTILINE)[1])


def test_vaults(vault, elsewhere, tmp_path):
    assert run(vault, elsewhere, tmp_path, "vaults.mjs") == 3


def test_servers_and_policies(vault, server, elsewhere, tmp_path):
    facts = {"served": server.vault, "container": server.container, "item": server.item, "label": server.label}
    assert run(vault, elsewhere, tmp_path, "servers.mjs", **facts) == 4
