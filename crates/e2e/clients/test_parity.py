"""docs/parity.md names every command of `az backup`."""

import pathlib
import re
import subprocess

from az import configure
from conftest import CLIENTS
from vault import environment

PARITY = pathlib.Path(__file__).parents[3] / "docs/parity.md"
LIST = """
from azure.cli.core import get_default_cli
from azure.cli.core.commands import AzCliCommandInvoker
cli = get_default_cli()
cli.invocation = AzCliCommandInvoker(cli_ctx=cli, commands_loader_cls=cli.commands_loader_cls,
                                     parser_cls=cli.parser_cls, help_cls=cli.help_cls)
loader = cli.invocation.commands_loader
loader.load_command_table(["backup"])
print(*sorted(name for name in loader.command_table if name.startswith("backup ")), sep="\\n")
"""


def test_every_command_of_az_backup_has_its_row(tmp_path, elsewhere):
    configure(tmp_path / "azure")
    listed = subprocess.run(
        [CLIENTS / "az/bin/python", "-B", "-c", LIST],
        env=environment(tmp_path, AZURE_CONFIG_DIR=str(tmp_path / "azure"), **elsewhere.environment()),
        check=True,
        capture_output=True,
        text=True,
    )
    commands = {line.removeprefix("backup ") for line in listed.stdout.splitlines()}
    assert len(commands) > 50, commands
    rows = [line.split("|") for line in PARITY.read_text().split("## Features")[0].splitlines() if line.startswith("| `")]
    named = {name.split(" --")[0] for row in rows for name in re.findall("`([^`]+)`", row[1])}
    assert named - {"--soft-delete-duration"} == commands
    assert {row[2].strip() for row in rows} <= {"works", "differs", "silent", "not here"}
