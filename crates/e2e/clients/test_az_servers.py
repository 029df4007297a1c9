"""Azure's command line: servers, items, recovery points, jobs. What it passes over in silence is asserted too: it ends
with 0 and nothing has changed, so that docs/parity.md stays true."""

import json

import pytest

GROUP = "--resource-group default"
NIGHTLY = {
    "schedulePolicy": {
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": "Daily",
        "scheduleRunTimes": ["2026-01-01T02:30:00Z"],
    },
    "retentionPolicy": {
        "retentionPolicyType": "LongTermRetentionPolicy",
        "dailySchedule": {
            "retentionTimes": ["2026-01-01T02:30:00Z"],
            "retentionDuration": {"count": 14, "durationType": "Days"},
        },
    },
}
MAB = "--backup-management-type MAB"


def of(server) -> str:
    return f"{GROUP} --vault-name {server.vault}"


def at(server) -> str:
    """The item, as commands about it want it: `az` knows items by what people call them, as long as their names have no `;`,
    and tells that it is a server's by the name of the container."""
    return f"{of(server)} --container-name {server.container} --item-name tree"


def state(wire, server) -> dict:
    return wire.get(server.path)["properties"]


def test_servers(az, server):
    (listed,) = az(f"backup container list {of(server)} {MAB}")
    assert listed["name"] == server.container and listed["properties"]["friendlyName"] == server.label
    assert listed["properties"]["registrationStatus"] == "Registered"
    for name in (server.container, server.label):
        assert az(f"backup container show {of(server)} {MAB} --name {name}")["name"] == server.container
    table = az.end(f"backup container list {of(server)} {MAB} --output table")
    assert table.code == 0 and server.label in table.out, table


def test_items(az, server):
    (listed,) = az(f"backup item list {of(server)} {MAB}")
    assert listed["name"] == server.item and listed["properties"]["protectionState"] == "Protected"
    shown = az(f"backup item show {of(server)} --container-name {server.container} --name tree {MAB}")
    assert shown["name"] == server.item and shown["properties"]["friendlyName"] == "tree"
    table = az.end(f"backup item list {of(server)} {MAB} --output table")
    assert table.code == 0 and "tree" in table.out, table


def test_jobs(az, server):
    jobs = az(f"backup job list {of(server)} --operation Backup --status Completed")
    assert len(jobs) == 2 and {job["properties"]["jobType"] for job in jobs} == {"MabJob"}
    assert az(f"backup job list {of(server)} --status Failed") == []
    shown = az(f"backup job show {of(server)} --name {jobs[0]['name']}")["properties"]
    assert shown["status"] == "Completed" and shown["extendedInfo"]["tasksList"]
    az(f"backup job wait {of(server)} --name {jobs[0]['name']} --timeout 60")
    table = az.end(f"backup job list {of(server)} --output table")
    assert table.code == 0 and "Completed" in table.out, table
    az.refuses(f"backup job stop {of(server)} --name {jobs[0]['name']}", says="InvalidState")


def test_recovery_points(az, wire, server):
    points = wire.get(server.path + "/recoveryPoints")["value"]
    assert len(points) == 2
    named = at(server)
    shown = az(f"backup recoverypoint show {named} --name {points[0]['name']}")
    assert shown["properties"]["objectType"] == "GenericRecoveryPoint"
    # `az` knows no list of them for servers: it ends with 0 and shows none. `az rest` does.
    assert az(f"backup recoverypoint list {named}") is None
    assert len(rest(az, "get", server.path + "/recoveryPoints")["value"]) == 2


def rest(az, method: str, path: str, body: dict | None = None):
    url = f"{az.vault.url}/subscriptions/{az.vault.subscription}/{path}?api-version=2024-04-01"
    more = [] if body is None else ["--body", json.dumps(body)]
    return az(f"rest --method {method} --resource {az.vault.url}", "--url", url, *more)


def test_what_az_passes_over_in_silence(az, wire, server):
    policy = {"backupManagementType": "MAB", **NIGHTLY}
    nightly = wire.in_vault(server.vault, "backupPolicies/nightly")
    assert wire("PUT", nightly, {"properties": policy}).status == 200
    before = (state(wire, server), len(wire.get(server.path + "/recoveryPoints")["value"]))
    jobs = len(wire.get(wire.in_vault(server.vault, "backupJobs"))["value"])
    for command in (
        f"backup protection backup-now {at(server)} --retain-until 01-01-2030",
        f"backup protection disable {at(server)} --yes",
        f"backup protection resume {at(server)} --policy-name nightly",
    ):
        ended = az.end(command)
        assert ended.code == 0 and ended.out.strip() == "", (command, ended)
    assert (state(wire, server), len(wire.get(server.path + "/recoveryPoints")["value"])) == before
    assert len(wire.get(wire.in_vault(server.vault, "backupJobs"))["value"]) == jobs


def test_what_az_refuses_by_itself(az, server, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"properties": {"backupManagementType": "MAB"}}))
    az.refuses(f"backup policy create {of(server)} {MAB} --name x --policy", str(policy), code=2, says="MAB")
    az.refuses(f"backup vault list-soft-deleted-containers {GROUP} --name {server.vault} {MAB}", code=2, says="MAB")
    az.refuses(f"backup protection undelete {at(server)}", says="not supported")


def test_unregister(az, wire, new_server):
    server = new_server("az-unregister")
    az(f"backup container unregister {of(server)} {MAB} --container-name {server.container} --yes")
    listed = wire.get(wire.in_vault(server.vault, "backupProtectionContainers?$filter=status eq 'Registered'"))
    assert listed["value"] == []
    with pytest.raises(Exception, match="exit code 13"):
        server.agent.back_up()


def test_a_vault_with_something_in_it_is_kept(az, wire, server):
    az.refuses(f"backup vault delete {GROUP} --name {server.vault} --yes", says="existing resources within the vault")
    az.refuses(
        f"backup vault backup-properties set {GROUP} --name {server.vault} --backup-storage-redundancy GeoRedundant",
        says="RedundancyLocked",
    )
    assert wire("GET", wire.in_vault(server.vault)).status == 200


def test_credentials_with_az_rest(az, made_vault, new_agent, tmp_path):
    base = f"resourceGroups/default/providers/Microsoft.RecoveryServices/vaults/{made_vault}"
    made = rest(az, "put", f"{base}/certificates/web", {"properties": {}})
    file = tmp_path / "web.credentials"
    file.write_text(json.dumps(made["properties"]["vaultCredentials"]))
    new_agent("rest").register(file)
