"""What `az` asks after a resource guard for before it does it; security PINs; a guard that a vault has."""

import json

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.recoveryservicesbackup import models

from test_az_servers import NIGHTLY, at, of, rest, state


def test_soft_delete(az, wire, made_vault):
    settings = f"backup vault backup-properties set --resource-group default --name {made_vault}"
    az(settings + " --soft-delete-duration 30")
    soft_delete = wire.in_vault(made_vault, "backupconfig/vaultconfig")
    assert wire.get(soft_delete)["properties"]["softDeleteRetentionPeriodInDays"] == 30
    # `az` says that this is not modified and goes on; the vault is not asked.
    for ignored in ("--soft-delete-feature-state Disable", "--soft-delete-duration 13"):
        ended = az.end(f"{settings} {ignored}")
        assert ended.code == 0 and "WARNING" in ended.err, ended
    assert wire.get(soft_delete)["properties"]["softDeleteRetentionPeriodInDays"] == 30
    az.refuses(settings + " --hybrid-backup-security-features Disable", says="always on")
    assert wire.get(soft_delete)["properties"]["softDeleteFeatureState"] == "AlwaysON"


def test_policies_that_az_does_not_set(az, wire, server, tmp_path):
    """It ends with 0, prints nothing and sends nothing."""
    policy = {"backupManagementType": "MAB", **NIGHTLY}
    nightly = wire.in_vault(server.vault, "backupPolicies/not-set")
    assert wire("PUT", nightly, {"properties": policy}).status == 200
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({**wire.get(nightly), "properties": {**policy, "timeZone": "Europe/Berlin"}}))
    before = (wire.get(nightly), state(wire, server))
    for command in (
        f"backup item set-policy {of(server)} --container-name {server.container} --name tree --policy-name not-set",
        f"backup policy set {of(server)} --name not-set --policy {file}",
    ):
        ended = az.end(command)
        assert ended.code == 0 and ended.out.strip() == "", (command, ended)
    assert (wire.get(nightly), state(wire, server)) == before


def test_delete_data_with_az_undelete_with_az_rest(az, wire, new_server):
    server = new_server("az-delete")
    job = az(f"backup protection disable {at(server)} --delete-backup-data true --yes")
    assert job["properties"]["operation"] == "DeleteBackupData" and job["properties"]["status"] == "Completed"
    assert state(wire, server)["isScheduledForDeferredDelete"] is True
    rest(az, "put", server.path, {"properties": {"protectedItemType": "MabFileFolderProtectedItem", "isRehydrate": True}})
    assert state(wire, server)["protectionState"] == "ProtectionStopped"
    rest(az, "put", server.path, {"properties": {"protectionState": "Protected"}})
    assert server.agent.back_up()["status"] == "Completed"


def test_security_pin(sdk, server):
    pin = sdk.backup.security_pins.get(server.vault, "default")
    assert pin.security_pin and pin.token and pin.expiry_time_in_utc_ticks > 638_000_000_000_000_000


def test_a_pin_with_az_rest(az, wire, made_vault):
    assert rest(az, "post", wire.in_vault(made_vault, "backupSecurityPIN"))["securityPIN"]


def test_a_guard_asks_for_a_second_person(sdk, wire, new_server):
    server = new_server("guarded")
    guard = models.ResourceGuardProxyBaseResource(
        properties=models.ResourceGuardProxyBase(resource_guard_resource_id=f"{server.path}/guard")
    )
    sdk.backup.resource_guard_proxy.put(server.vault, "default", "VaultProxy", guard)
    assert [one.name for one in sdk.backup.resource_guard_proxies.get(server.vault, "default")] == ["VaultProxy"]
    with pytest.raises(HttpResponseError) as refused:
        sdk.backup.protected_items.delete(server.vault, "default", "Azure", server.container, server.item)
    assert refused.value.error.code == "ApprovalRequired"
    assert state(wire, server)["isScheduledForDeferredDelete"] is False
