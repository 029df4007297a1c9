"""Azure's SDKs for Python: servers, items, recovery points, jobs, and what can be done to them."""

import datetime
import os

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.recoveryservicesbackup import models

MAB = "backupManagementType eq 'MAB'"
FABRIC = "Azure"


class Items:
    """The item of a server, and the calls of the SDK with its place filled in."""

    def __init__(self, sdk, server):
        self.sdk, self.server = sdk, server
        self.place = (server.vault, "default", FABRIC, server.container)

    def get(self):
        return self.sdk.backup.protected_items.get(*self.place, self.server.item).properties

    def change(self, **properties):
        wanted = models.ProtectedItemResource(properties=models.MabFileFolderProtectedItem(**properties))
        return self.sdk.backup.protected_items.begin_create_or_update(*self.place, self.server.item, wanted).result()

    def delete(self):
        return self.sdk.backup.protected_items.delete(*self.place, self.server.item)


@pytest.fixture
def items(sdk, new_server):
    return Items(sdk, new_server("sdk"))


def test_servers_and_items_are_typed(sdk, server):
    (listed,) = sdk.backup.backup_protection_containers.list(server.vault, "default", filter=MAB)
    got = sdk.backup.protection_containers.get(server.vault, "default", FABRIC, server.container)
    for container in (listed, got):
        assert container.name == server.container and isinstance(container.properties, models.MabContainer)
        assert container.properties.friendly_name == server.label
        assert container.properties.registration_status == "Registered" and container.properties.agent_version
        assert container.properties.protected_item_count == 1
    (listed,) = sdk.backup.backup_protected_items.list(server.vault, "default", filter=MAB)
    got = sdk.backup.protected_items.get(server.vault, "default", FABRIC, server.container, server.item)
    for item in (listed, got):
        assert item.name == server.item and isinstance(item.properties, models.MabFileFolderProtectedItem)
        assert item.properties.protection_state == "Protected" and item.properties.computer_name == server.label
        assert item.properties.last_backup_time and item.properties.extended_info.recovery_point_count == 2
    none = f"{MAB} and itemType eq 'SystemState'"
    assert list(sdk.backup.backup_protected_items.list(server.vault, "default", filter=none)) == []


def test_recovery_points(sdk, server):
    points = list(sdk.backup.recovery_points.list(server.vault, "default", FABRIC, server.container, server.item))
    assert len(points) == 2
    for point in points:
        assert isinstance(point.properties, models.GenericRecoveryPoint) and len(point.name) == 64
        got = sdk.backup.recovery_points.get(server.vault, "default", FABRIC, server.container, server.item, point.name)
        assert got.properties.recovery_point_time == point.properties.recovery_point_time
        assert point.properties.recovery_point_properties.rule_name
        assert point.properties.recovery_point_properties.is_soft_deleted is False
    with pytest.raises(ResourceNotFoundError):
        sdk.backup.recovery_points.get(server.vault, "default", FABRIC, server.container, server.item, "0" * 64)


def test_jobs(sdk, server):
    now = datetime.datetime.now(datetime.timezone.utc)
    told = lambda moment: moment.strftime("%Y-%m-%d %I:%M:%S %p")
    of_today = f"operation eq 'Backup' and status eq 'Completed' and startTime eq '{told(now - datetime.timedelta(hours=2))}' " \
               f"and endTime eq '{told(now + datetime.timedelta(hours=1))}' and {MAB}"
    jobs = list(sdk.backup.backup_jobs.list(server.vault, "default", filter=of_today))
    assert len(jobs) == 2
    for job in jobs:
        assert isinstance(job.properties, models.MabJob) and job.properties.entity_friendly_name == "tree"
        got = sdk.backup.job_details.get(server.vault, "default", job.name).properties
        assert got.mab_server_name == server.label and isinstance(got.duration, datetime.timedelta)
        assert got.extended_info.tasks_list and all(task.status == "Completed" for task in got.extended_info.tasks_list)
    failed = f"status eq 'Failed' and {MAB}"
    assert list(sdk.backup.backup_jobs.list(server.vault, "default", filter=failed)) == []
    with pytest.raises(HttpResponseError) as refused:
        sdk.backup.job_cancellations.trigger(server.vault, "default", jobs[0].name)
    assert refused.value.status_code == 409


def test_stop_and_resume(items, wire):
    items.change(protection_state="ProtectionStopped")
    assert items.get().protection_state == "ProtectionStopped"
    with pytest.raises(Exception, match="(?i)stopped|resume"):
        items.server.agent.back_up()
    assert items.get().extended_info.recovery_point_count == 1
    items.change(protection_state="Protected")
    items.server.agent.back_up()
    assert items.get().extended_info.recovery_point_count == 2


def test_delete_and_undelete(items, wire, sdk):
    items.delete()
    deleted = items.get()
    assert deleted.is_scheduled_for_deferred_delete is True and deleted.deferred_delete_time_in_utc
    jobs = list(sdk.backup.backup_jobs.list(items.server.vault, "default", filter=f"operation eq 'DeleteBackupData' and {MAB}"))
    assert [job.properties.status for job in jobs] == ["Completed"]
    with pytest.raises(Exception, match="(?i)deleted"):
        items.server.agent.back_up()
    # The vault still has what can be had back.
    assert wire("DELETE", wire.in_vault(items.server.vault)).status == 409
    items.change(is_rehydrate=True)
    back = items.get()
    assert back.protection_state == "ProtectionStopped" and not back.is_scheduled_for_deferred_delete
    assert items.get().extended_info.recovery_point_count == 1
    items.change(protection_state="Protected")
    items.server.agent.back_up()


def test_an_unregistered_server_is_out_and_its_points_stay(sdk, items, tmp_path):
    server = items.server
    sdk.services.registered_identities.delete("default", server.vault, server.label)
    listed = f"{MAB} and status eq 'Registered'"
    assert list(sdk.backup.backup_protection_containers.list(server.vault, "default", filter=listed)) == []
    with pytest.raises(Exception, match="13"):
        server.agent.back_up()
    assert items.get().extended_info.recovery_point_count == 1


def test_redundancy_is_locked_once_something_is_protected(sdk, server):
    storage = sdk.backup.backup_resource_storage_configs_non_crr
    assert storage.get(server.vault, "default").properties.storage_type_state == "Locked"
    wanted = models.BackupResourceConfigResource(properties=models.BackupResourceConfig(storage_type="GeoRedundant"))
    for change in (storage.update, storage.patch):
        with pytest.raises(HttpResponseError) as refused:
            change(server.vault, "default", wanted)
        assert refused.value.error.code == "RedundancyLocked"


def test_what_holds_a_vault_is_named(sdk, server):
    with pytest.raises(HttpResponseError) as refused:
        sdk.services.vaults.begin_delete("default", server.vault).result()
    message = refused.value.message
    assert refused.value.error.code == "VaultNotEmpty" and "existing resources within the vault" in message
    assert "1 protected item (" in message and "1 registered server (" in message


def test_usage(sdk, server):
    (summary,) = sdk.backup.backup_usage_summaries.list(
        server.vault, "default", filter="type eq 'BackupProtectionContainerCountSummary'"
    )
    assert summary.current_value == 1 and summary.name.value


def test_a_backup_on_demand(items, sdk, wire):
    """Azure's types have none for servers; the base of all of them does."""
    server = items.server
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=400)
    request = models.BackupRequest(object_type="MabBackupRequest")
    request["recoveryPointExpiryTimeInUTC"] = until.isoformat().replace("+00:00", "Z")
    with server.agent.running():
        sdk.backup.backups.trigger(*items.place, server.item, models.BackupRequestResource(properties=request))
        backups = wire.in_vault(server.vault, "backupJobs?$filter=operation eq 'Backup' and status eq 'Completed'")
        wire.wait_for(backups, lambda seen: len(seen["value"]) == 2)
    assert items.get().extended_info.recovery_point_count == 2


def test_a_job_is_cancelled(items, sdk, wire):
    server = items.server
    (server.agent.tree / "large.bin").write_bytes(os.urandom(6 << 20))
    # It would take two minutes.
    server.agent.run("backup", "now", "--item", "tree", "--limit-rate", "50KB")
    going_on = wire.in_vault(server.vault, "backupJobs?$filter=operation eq 'Backup' and status eq 'InProgress'")
    (job,) = wire.wait_for(going_on, lambda seen: seen["value"])["value"]
    assert job["properties"]["actionsInfo"] == ["Cancellable"]
    sdk.backup.job_cancellations.trigger(server.vault, "default", job["name"])
    path = wire.in_vault(server.vault, f"backupJobs/{job['name']}")
    ended = wire.wait_for(path, lambda seen: seen["properties"]["status"] not in ("InProgress", "Cancelling"))
    assert ended["properties"]["status"] == "Cancelled"
    assert items.get().extended_info.recovery_point_count == 1
