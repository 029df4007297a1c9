"""Azure's command line, unmodified, with a configuration of its own."""

import json
import pathlib
import re
import subprocess

from vault import environment

# What no test wants: questions, colours, news, and calls to anybody but the vault.
CONFIGURATION = """\
[core]
collect_telemetry = false
disable_confirm_prompt = false
no_color = true
survey_message = false
login_experience_v2 = off
only_show_errors = false
[auto-upgrade]
enable = false
prompt = false
[extension]
use_dynamic_install = no
[logging]
enable_log_file = no
"""


class Ended:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit code {self.code}\n{self.out}\n{self.err}"


def configure(folder: pathlib.Path):
    """Makes a configuration in a new folder."""
    folder.mkdir(parents=True)
    (folder / "config").write_text(CONFIGURATION)
    # A new configuration asks for the newest version, whatever it says, unless it knows which one it is of.
    listed = (pathlib.Path(__file__).parent / "requirements-az.txt").read_text()
    version = {"local": re.search(r"^azure-cli-core==(.+)$", listed, re.MULTILINE)[1]}
    (folder / "versionCheck.json").write_text(json.dumps({"versions": {"azure-cli": version, "core": version}}))


class Az:
    def __init__(self, program: pathlib.Path, folder: pathlib.Path, vault, elsewhere):
        self.program = program
        self.vault = vault
        configure(folder)
        self.environment = environment(
            folder, AZURE_CONFIG_DIR=str(folder), REQUESTS_CA_BUNDLE=vault.ca_file, **elsewhere.environment()
        )

    def end(self, command: str, *more: str) -> Ended:
        """Runs `az COMMAND`, whose words are apart by spaces; what follows may hold spaces."""
        words = [self.program, *command.split(), *map(str, more)]
        ended = subprocess.run(
            words, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def __call__(self, command: str, *more: str):
        """Runs a command that must succeed; returns what it printed as JSON, `None` if nothing."""
        ended = self.end(command, *more)
        assert ended.code == 0, f"az {command} {more}: {ended}"
        return json.loads(ended.out) if ended.out.strip() else None

    def refuses(self, command: str, *more: str, code: int = 1, says: str) -> str:
        """Runs a command that must fail with this exit code and these words."""
        ended = self.end(command, *more)
        assert ended.code == code and says in ended.err, f"az {command} {more}: {ended}"
        return ended.err

    def sign_in(self, *given: str):
        """Signs in as the vault's first administrator, or with what is given."""
        if "stateward" not in [cloud["name"] for cloud in self("cloud list")]:
            self("cloud register --name stateward", "--endpoint-resource-manager", self.vault.url)
        self("cloud set --name stateward")
        facts = self.vault
        own = ("--username", facts.client_id, "--password", facts.client_secret, "--tenant", facts.tenant)
        return self("login --service-principal", *(given or own))
