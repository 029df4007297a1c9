"""A vault of a test's own: a real process on a free port, with its private certificate authority."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.parse


class Vault:
    """A running vault. `facts` is what `stateward-vault init --json` printed."""

    def __init__(self, programs: pathlib.Path, folder: pathlib.Path, database: str | None = None):
        self.program = programs / "stateward-vault"
        self.data = folder / "vault"
        self.log = folder / "vault.log"
        command = [self.program, "init", "--data", self.data, "--listen", "127.0.0.1:0", "--json"]
        if database is not None:
            command += ["--database", database]
        printed = subprocess.run(command, check=True, capture_output=True, text=True)
        self.facts = json.loads(printed.stdout)
        self.url = self.facts["url"]
        self.process = None

    def __getattr__(self, name: str):
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def address(self) -> tuple[str, int]:
        parts = urllib.parse.urlsplit(self.url)
        return parts.hostname, parts.port

    def start(self) -> "Vault":
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.program, "serve", "--data", self.data], stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(self.address, timeout=1).close()
                return self
            except OSError:
                assert self.process.poll() is None, f"The vault ended: {self.log_text()[-2000:]}"
                assert time.monotonic() < deadline, "The vault does not listen"
                time.sleep(0.05)

    def stop(self) -> int:
        """Ends it as a service manager does, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def memory(self, field: str = "VmRSS") -> int:
        """What the process holds in memory, in bytes (`VmHWM`: the most that it ever held)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024

    def check_log(self, allowed: str = "\0"):
        """No panic, and nothing that failed within but what is allowed."""
        text = self.log_text()
        assert "panicked" not in text, text[text.index("panicked") - 500 :][:2000]
        errors = [line for line in text.splitlines() if re.search(r"\bERROR\b", line) and allowed not in line]
        assert not errors, "\n".join(errors[:10])


def environment(folder: pathlib.Path, **more: str) -> dict[str, str]:
    """What a client's process sees of this machine: a home of its own, and nothing else that could matter."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "LANG") if name in os.environ}
    return {**kept, "HOME": str(folder), **more}
