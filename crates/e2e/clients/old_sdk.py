"""Run by the Python that has Azure's SDKs of 2023 (`requirements-old-sdk.txt`): manages a vault with their old api-versions.
Prints what it saw as JSON.

usage: old_sdk.py NAME FACTS     NAME: the vault's name, FACTS: what `stateward-vault init --json` printed
"""

import json
import os
import sys

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.recoveryservices import RecoveryServicesClient
from azure.mgmt.recoveryservices.models import PatchVault, Sku, Vault, VaultProperties
from azure.mgmt.recoveryservicesbackup.activestamp import RecoveryServicesBackupClient

name, facts = sys.argv[1], json.loads(sys.argv[2])
credential = ClientSecretCredential("adfs", facts["client_id"], facts["client_secret"], authority=facts["url"])
given = {"base_url": facts["url"], "credential_scopes": [facts["url"] + "/.default"]}
services = RecoveryServicesClient(credential, facts["subscription"], **given)
backup = RecoveryServicesBackupClient(credential, facts["subscription"], **given)
seen = {}

made = services.vaults.begin_create_or_update(
    "default", name, Vault(location="local", sku=Sku(name="Standard"), properties=VaultProperties())
).result()
seen["made"] = made.id
services.vaults.begin_update("default", name, PatchVault(tags={"made": "long ago"})).result()
seen["tags"] = services.vaults.get("default", name).tags
seen["listed"] = [vault.name for vault in services.vaults.list_by_subscription_id()]
config = backup.backup_resource_storage_configs_non_crr.get(name, "default")
seen["storage"] = config.properties.storage_type
services.vaults.delete("default", name)
try:
    services.vaults.get("default", name)
except ResourceNotFoundError as error:
    seen["deleted"] = error.error.code

# The vault of a server that others have made.
served, mab = os.environ["SERVED"], "backupManagementType eq 'MAB'"
servers = backup.backup_protection_containers.list(served, "default", filter=mab)
seen["servers"] = [one.properties.friendly_name for one in servers]
seen["items"] = [one.properties.friendly_name for one in backup.backup_protected_items.list(served, "default", filter=mab)]
seen["jobs"] = len(list(backup.backup_jobs.list(served, "default", filter=mab)))
print(json.dumps(seen))
