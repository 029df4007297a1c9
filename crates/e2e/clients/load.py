"""Many agents and many management clients at one vault, all at once: agents back up and restore, clients (Azure's SDKs for
Python) read and change. Fails at the first error; else prints what it saw as JSON.

usage: load.py --agents N --managers N --rounds N [--postgres]
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time

from azure.mgmt.recoveryservices import models as services
from azure.mgmt.recoveryservicesbackup import models as backup

from agent import Agent, contents
from conftest import PROGRAMS, Sdk
from vault import Vault
from wire import Wire

SERVE_POSTGRES = pathlib.Path(__file__).parents[3] / "scripts/serve-postgres.sh"
NAME = "load"


class Times:
    """How long calls took, by what they did; many threads write it down."""

    def __init__(self):
        self.lock, self.taken = threading.Lock(), {}

    def measure(self, what: str, act):
        began = time.monotonic()
        result = act()
        with self.lock:
            self.taken.setdefault(what, []).append(time.monotonic() - began)
        return result

    def table(self) -> list[dict]:
        rows = []
        for what, taken in sorted(self.taken.items()):
            taken = sorted(taken)
            at = lambda share: round(taken[min(len(taken) - 1, int(len(taken) * share))] * 1000)
            rows.append({"call": what, "count": len(taken), "p50_ms": at(0.5), "p95_ms": at(0.95), "max_ms": at(1)})
        return rows


def agent_rounds(agent: Agent, rounds: int, times: Times):
    for number in range(rounds):
        agent.write("changing.txt", f"{agent.label}, round {number}\n" * 1000)
        result = times.measure("an agent's backup", agent.back_up)
        assert result["status"] == "Completed", result
    target = agent.folder / "restored"
    times.measure("an agent's restore", lambda: agent.restore(target))
    assert sorted(contents(target).values()) == sorted(contents(agent.tree).values()), agent.label


def manage(number: int, vault: Vault, stop: threading.Event, times: Times):
    """One administrator's program, until the agents are done."""
    sdk = Sdk(vault)
    mine = f"load-{number}"
    wanted = services.Vault(location="local", sku=services.Sku(name="Standard"), properties=services.VaultProperties())
    times.measure("vault create", lambda: sdk.services.vaults.begin_create_or_update("default", mine, wanted).result())
    mab = "backupManagementType eq 'MAB'"
    config = lambda days: backup.BackupResourceVaultConfigResource(
        properties=backup.BackupResourceVaultConfig(soft_delete_retention_period_in_days=days)
    )
    days = 14
    while not stop.is_set():
        days = 14 + (days + 1) % 100
        of = (NAME, "default")
        reads = {
            "vault list": lambda: list(sdk.services.vaults.list_by_subscription_id()),
            "server list": lambda: list(sdk.backup.backup_protection_containers.list(*of, filter=mab)),
            "item list": lambda: list(sdk.backup.backup_protected_items.list(*of, filter=mab)),
            "job list": lambda: list(sdk.backup.backup_jobs.list(*of, filter=mab)),
            "policy list": lambda: list(sdk.backup.backup_policies.list(*of)),
        }
        for what, read in reads.items():
            times.measure(what, read)
        tags = services.PatchVault(tags={"days": str(days)})
        changed = times.measure("vault update", lambda: sdk.services.vaults.begin_update("default", mine, tags).result())
        assert changed.tags == {"days": str(days)}
        times.measure("soft delete set", lambda: sdk.backup.backup_resource_vault_configs.update(mine, "default", config(days)))
        got = times.measure("vault show", lambda: sdk.services.vaults.get("default", mine))
        assert got.properties.security_settings.soft_delete_settings.soft_delete_retention_period_in_days == days
    times.measure("vault delete", lambda: sdk.services.vaults.begin_delete("default", mine).result())


def register(wire: Wire, folder: pathlib.Path, number: int) -> Agent:
    agent = Agent(PROGRAMS, folder / f"server-{number}", f"server-{number}")
    made = wire("PUT", wire.in_vault(NAME, "certificates/server"))
    assert made.status == 200, made
    credentials = agent.folder / "credentials"
    credentials.write_text(json.dumps(made.json["properties"]["vaultCredentials"]))
    agent.register(credentials)
    agent.protect()
    return agent


def run(vault: Vault, folder: pathlib.Path, options) -> dict:
    wire = Wire(vault)
    assert wire("PUT", wire.in_vault(NAME), {"location": "local", "properties": {}}).status == 201
    with concurrent.futures.ThreadPoolExecutor(2) as few:
        agents = list(few.map(lambda number: register(wire, folder, number), range(options.agents)))
    before = vault.memory()
    times, stop = Times(), threading.Event()
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.agents + options.managers) as all_at_once:
        managers = [all_at_once.submit(manage, n, vault, stop, times) for n in range(options.managers)]
        rounds = [all_at_once.submit(agent_rounds, agent, options.rounds, times) for agent in agents]
        try:
            for one in concurrent.futures.as_completed(rounds):
                one.result()
        finally:
            stop.set()
        for one in managers:
            one.result()
    seconds = time.monotonic() - began
    vaults = wire.get("providers/Microsoft.RecoveryServices/vaults")["value"]
    (usage,) = [one["properties"]["usage"] for one in vaults if one["name"] == NAME]
    assert [one["name"] for one in vaults] == [NAME], "Each client deleted its own vault"
    assert usage["recoveryPoints"] == options.agents * options.rounds, usage
    figures = {"memory_before": before, "memory_most": vault.memory("VmHWM"), "memory_after": vault.memory()}
    calls = sum(row["count"] for row in times.table() if not row["call"].startswith("an agent"))
    return {"seconds": round(seconds, 1), "calls": calls, **figures, "times": times.table()}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--agents", type=int, default=20)
    options.add_argument("--managers", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--postgres", action="store_true")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        postgres, database = None, None
        if options.postgres:
            postgres = subprocess.Popen([SERVE_POSTGRES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            socket = postgres.stdout.readline().strip()
            database = f"postgres:///postgres?host={socket}&user=postgres"
        vault = Vault(PROGRAMS, folder, database).start()
        os.environ["REQUESTS_CA_BUNDLE"] = vault.ca_file
        try:
            seen = run(vault, folder, options)
        finally:
            code = vault.stop()
            if postgres is not None:
                postgres.stdin.close()
                postgres.wait(timeout=60)
        # The PostgreSQL of tests does not wait for its disk, and the vault says what that means.
        vault.check_log(allowed="fsync = off")
        assert code == 0, code
        kind = "PostgreSQL" if options.postgres else "SQLite"
        given = {"agents": options.agents, "managers": options.managers, "rounds": options.rounds}
        print(json.dumps({"database": kind, **given, **seen}))


if __name__ == "__main__":
    main()
