"""A server of a test's own: the real agent with a home and a small tree of files."""

import contextlib
import json
import pathlib
import signal
import subprocess

from vault import environment


class Refused(Exception):
    """The agent ended with another exit code than 0."""

    def __init__(self, code: int, text: str):
        super().__init__(f"exit code {code}: {text}")
        self.code = code


class Agent:
    def __init__(self, programs: pathlib.Path, folder: pathlib.Path, label: str):
        self.program = programs / "stateward"
        self.folder = folder
        self.label = label
        self.home = folder / "home"
        self.tree = folder / "tree"
        self.tree.mkdir(parents=True)
        for number in range(20):
            name = self.tree / f"folder-{number % 3}" / f"file-{number}.txt"
            name.parent.mkdir(exist_ok=True)
            name.write_text(f"{label}, file {number}\n" * (number + 1))

    def run(self, *arguments, program_input: str | None = None) -> str:
        ended = subprocess.run(
            [self.program, "--home", self.home, *map(str, arguments)],
            env=environment(self.folder),
            input=program_input,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if ended.returncode != 0:
            raise Refused(ended.returncode, f"{' '.join(map(str, arguments))}\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def register(self, credentials: pathlib.Path, *more):
        passphrase = self.folder / "passphrase"
        passphrase.write_text(f"the passphrase of {self.label}\n")
        self.run(
            *("register", "--label", self.label, "--credentials", credentials, "--cache", self.folder / "cache"),
            *("--passphrase-file", passphrase, "--recovery-code-file", self.folder / "recovery-code", *more),
        )

    def protect(self, name: str = "tree"):
        self.run("protect", "files", self.tree, "--name", name)

    def back_up(self, name: str = "tree", *more) -> dict:
        """Backs an item up, and returns the job's result."""
        lines = self.run("backup", "now", "--item", name, "--wait", "--json", *more).splitlines()
        return json.loads(lines[-1])

    def restore(self, target: pathlib.Path, name: str = "tree"):
        self.run("restore", "--recovery-point", "latest", "--item", name, "--target", target, "--wait")

    @contextlib.contextmanager
    def running(self):
        """The agent as a service, which does what the vault asks it for."""
        with open(self.folder / "agent.log", "ab") as log:
            process = subprocess.Popen(
                [self.program, "--home", self.home, "agent", "run"], env=environment(self.folder), stdout=log, stderr=log
            )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0, (self.folder / "agent.log").read_text()

    def write(self, name: str, text: str):
        (self.tree / name).write_text(text)


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """All files below a folder, by their names below it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
