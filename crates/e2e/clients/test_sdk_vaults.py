"""Azure's SDKs for Python: vaults and their settings."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import CertificateCredential
from azure.mgmt.recoveryservices import models as services
from azure.mgmt.recoveryservicesbackup import models as backup

from conftest import Sdk


def test_sign_in_by_certificate(vault, trusting, operator):
    by_certificate = CertificateCredential(
        "adfs", operator.client_id, certificate_path=operator.certificate, authority=vault.url
    )
    sdk = Sdk(vault, by_certificate)
    assert [one.name for one in sdk.services.vaults.list_by_resource_group("default")] == [operator.vault]
    with pytest.raises(HttpResponseError) as refused:
        sdk.services.vaults.begin_delete("default", operator.vault).result()
    assert refused.value.error.code == "AuthorizationFailed"


def test_a_vault_from_create_to_undelete(sdk, wire, names):
    name = names("sdk-vault")
    vaults = sdk.services.vaults
    properties = services.VaultProperties(
        security_settings=services.SecuritySettings(
            soft_delete_settings=services.SoftDeleteSettings(
                soft_delete_state="AlwaysON", soft_delete_retention_period_in_days=20
            )
        )
    )
    wanted = services.Vault(location="local", sku=services.Sku(name="Standard"), properties=properties, tags={"a": "b"})
    made = vaults.begin_create_or_update("default", name, wanted).result()
    assert made.properties.provisioning_state == "Succeeded" and made.tags == {"a": "b"}
    assert made.properties.security_settings.soft_delete_settings.soft_delete_retention_period_in_days == 20
    assert name in [vault.name for vault in vaults.list_by_subscription_id()]
    assert name in [vault.name for vault in vaults.list_by_resource_group("default")]
    patched = vaults.begin_update("default", name, services.PatchVault(tags={"c": "d"})).result()
    assert patched.tags == {"c": "d"} and vaults.get("default", name).tags == {"c": "d"}
    vaults.begin_delete("default", name).result()
    with pytest.raises(ResourceNotFoundError) as missing:
        vaults.get("default", name)
    assert missing.value.error.code == "ResourceNotFound"
    gone = [entry for entry in sdk.services.deleted_vaults.list_by_subscription_id("local")
            if entry.properties.vault_id == made.id]
    assert len(gone) == 1
    sdk.services.deleted_vaults.begin_undelete("local", gone[0].name, services.DeletedVaultUndeleteInput(
        properties=services.DeletedVaultUndeleteInputProperties(recovery_resource_group_id=made.id.split("/providers/")[0])
    )).result()
    assert wire("GET", wire.in_vault(name)).status == 200


def test_settings_of_storage_and_soft_delete(sdk, wire, made_vault):
    storage = sdk.backup.backup_resource_storage_configs_non_crr
    path = wire.in_vault(made_vault, "backupstorageconfig/vaultstorageconfig")

    def wanted(kind):
        return backup.BackupResourceConfigResource(properties=backup.BackupResourceConfig(storage_type=kind))

    updated = storage.update(made_vault, "default", wanted("ZoneRedundant"))
    assert updated.properties.storage_type == "ZoneRedundant" and updated.properties.storage_type_state == "Unlocked"
    assert wire.get(path)["properties"]["redundancyHealth"] == "NotMet"
    storage.patch(made_vault, "default", wanted("LocallyRedundant"))
    assert storage.get(made_vault, "default").properties.storage_type == "LocallyRedundant"

    config = sdk.backup.backup_resource_vault_configs
    wanted_config = backup.BackupResourceVaultConfigResource(
        properties=backup.BackupResourceVaultConfig(soft_delete_retention_period_in_days=60)
    )
    for change in (config.update, config.put):
        assert change(made_vault, "default", wanted_config).properties.soft_delete_retention_period_in_days == 60
    with pytest.raises(HttpResponseError) as refused:
        config.update(made_vault, "default", backup.BackupResourceVaultConfigResource(
            properties=backup.BackupResourceVaultConfig(soft_delete_retention_period_in_days=181)
        ))
    assert refused.value.status_code == 400 and "14 to 180" in refused.value.message


def test_a_change_of_what_was_read_alone(sdk, made_vault):
    vaults = sdk.services.vaults
    etag = vaults.get("default", made_vault).etag
    first = vaults.begin_update("default", made_vault, services.PatchVault(tags={"n": "1"}), headers={"If-Match": etag})
    assert first.result().tags == {"n": "1"}
    with pytest.raises(HttpResponseError) as refused:
        vaults.begin_update("default", made_vault, services.PatchVault(tags={"n": "2"}), headers={"If-Match": etag})
    assert refused.value.status_code == 412
