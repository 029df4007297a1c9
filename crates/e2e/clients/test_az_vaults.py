"""Azure's command line: signing in, resource groups, vaults and their settings."""

from az import Az
from conftest import CLIENTS

GROUP = "--resource-group default"


def of(name: str) -> str:
    return f"{GROUP} --name {name}"


def test_sign_in_finds_the_subscription(az, vault):
    (account,) = az.account
    assert account["id"] == vault.subscription and account["tenantId"] == vault.tenant
    shown = az("account show")
    assert shown["environmentName"] == "stateward" and shown["user"]["name"] == vault.client_id
    assert [listed["id"] for listed in az("account list")] == [vault.subscription]
    assert az("account get-access-token")["tokenType"] == "Bearer"
    assert [place["name"] for place in az("account list-locations")] == ["local"]


def test_a_wrong_secret_is_refused(az, vault):
    # `az` still has a token of the administrator, and would not ask for one of his.
    stranger = "00000000-0000-4000-8000-000000000000"
    az.refuses(
        "login --service-principal",
        *("--username", stranger, "--password", vault.client_secret, "--tenant", vault.tenant),
        says="The client id or its secret is wrong",
    )
    # Whoever was signed in still is.
    assert az("account show")["user"]["name"] == vault.client_id


def test_resource_groups(az, wire, names):
    name = names("group")
    assert az(f"group exists --name {name}") is False
    made = az(f"group create --name {name} --location local --tags team=web")
    assert made["properties"]["provisioningState"] == "Succeeded" and made["tags"] == {"team": "web"}
    assert az(f"group exists --name {name}") is True
    assert wire.get(f"resourcegroups/{name}")["tags"] == {"team": "web"}
    assert az(f"group update --name {name} --set tags.team=shop")["tags"] == {"team": "shop"}
    assert {"default", name} <= {group["name"] for group in az("group list")}
    az(f"group delete --name {name} --yes")
    assert wire("GET", f"resourcegroups/{name}").status == 404
    az.refuses(f"group show --name {name}", code=3, says="ResourceGroupNotFound")
    az.refuses(f"group create --name {name} --location mars", says="LocationNotAvailable")


def test_a_vault_from_create_to_undelete(az, wire, names):
    name = names("az-vault")
    made = az(f"backup vault create {of(name)} --location local --tags owner=me")
    assert made["properties"]["provisioningState"] == "Succeeded" and made["tags"] == {"owner": "me"}
    assert wire.get(wire.in_vault(name))["id"] == made["id"]
    assert az(f"backup vault create {of(name)} --location local")["id"] == made["id"]
    assert az(f"backup vault show {of(name)}")["name"] == name
    assert name in [vault["name"] for vault in az("backup vault list")]
    assert name in [vault["name"] for vault in az(f"backup vault list {GROUP}")]
    resources = az("resource list --resource-type Microsoft.RecoveryServices/vaults")
    assert name in [resource["name"] for resource in resources]
    table = az.end(f"backup vault list {GROUP} --output table")
    assert table.code == 0 and name in table.out, table

    az(f"backup vault update {of(name)} --tags owner=you")
    assert wire.get(wire.in_vault(name))["tags"] == {"owner": "you"}

    az(f"backup vault delete {of(name)} --yes")
    assert wire("GET", wire.in_vault(name)).status == 404
    az.refuses(f"backup vault show {of(name)}", code=3, says="ResourceNotFound")
    gone = [entry for entry in az("backup deleted-vault list --location local") if name in entry["properties"]["vaultId"]]
    assert len(gone) == 1, gone
    gone = gone[0]["name"]
    assert az(f"backup deleted-vault get --location local --name {gone}")["name"] == gone
    az(f"backup deleted-vault undelete --location local --name {gone}")
    assert wire("GET", wire.in_vault(name)).status == 200
    az.refuses(f"backup deleted-vault get --location local --name {gone}", says="ResourceNotFound")


def test_what_a_vault_refuses_at_creation(az, names):
    az.refuses(f"backup vault create {of('x')} --location local", says="2 to 50")
    az.refuses(f"backup vault create {of(names('v'))} --location mars", says="LocationNotAvailable")
    az.refuses(f"backup vault create --resource-group nowhere --name {names('v')} --location local", says="ResourceGroupNotFound")
    az.refuses(
        f"backup vault create {of(names('v'))} --location local --public-network-access Disable", says="NotSupportedHere"
    )


def test_redundancy_and_immutability(az, wire, made_vault):
    config = wire.in_vault(made_vault, "backupstorageconfig/vaultstorageconfig")
    settings = f"backup vault backup-properties set {of(made_vault)}"
    az(settings + " --backup-storage-redundancy GeoRedundant")
    stored = wire.get(config)["properties"]
    assert stored["storageType"] == "GeoRedundant" and stored["redundancyHealth"] == "NotMet"
    shown = az(f"backup vault backup-properties show {of(made_vault)}")
    assert shown[0]["properties"]["storageType"] == "GeoRedundant"
    assert shown[1]["properties"]["softDeleteFeatureState"] == "AlwaysON"
    az(settings + " --backup-storage-redundancy LocallyRedundant")
    assert wire.get(config)["properties"]["storageType"] == "LocallyRedundant"

    update = f"backup vault update {of(made_vault)} --immutability-state"
    az(update + " Unlocked")
    az(update + " Disabled")
    az(update + " Unlocked")
    az(update + " Locked")
    az.refuses(update + " Unlocked", says="locked")
    state = wire.get(wire.in_vault(made_vault))["properties"]["securitySettings"]["immutabilitySettings"]["state"]
    assert state == "Locked"


def test_alert_settings_and_identity(az, wire, made_vault):
    az(f"backup vault update {of(made_vault)} --job-failure-alerts Disable --classic-alerts Disable")
    monitoring = wire.get(wire.in_vault(made_vault))["properties"]["monitoringSettings"]
    assert monitoring["azureMonitorAlertSettings"]["alertsForAllJobFailures"] == "Disabled"
    assert monitoring["classicAlertSettings"]["alertsForCriticalOperations"] == "Disabled"
    az.refuses(f"backup vault identity assign {of(made_vault)} --system-assigned", says="no managed identity")
    assert az(f"backup vault identity show {of(made_vault)}") is None
    encryption = az(f"backup vault encryption show {of(made_vault)}")["properties"]
    assert encryption["encryptionAtRestType"] == "CustomerManaged"
    key = "--encryption-key-id https://keys.example.org/keys/a/b"
    az.refuses(f"backup vault encryption update {of(made_vault)} --mi-system-assigned {key}", says="identities")


def test_sign_in_by_certificate_and_a_role_in_one_vault(vault, elsewhere, operator, tmp_path):
    az = Az(CLIENTS / "az/bin/az", tmp_path / "az", vault, elsewhere)
    given = ("--username", operator.client_id, "--certificate", operator.certificate, "--tenant", vault.tenant)
    (account,) = az.sign_in(*given)
    assert account["user"]["name"] == operator.client_id
    assert az(f"backup vault show {of(operator.vault)}")["name"] == operator.vault
    assert [listed["name"] for listed in az("backup vault list")] == [operator.vault]
    az.refuses(f"backup vault update {of(operator.vault)} --tags a=b", says="AuthorizationFailed")
    az.refuses(f"backup vault show {of('another-vault')}", says="AuthorizationFailed")
    # Each of these has a token of its own, for which the certificate signs anew.
    for _ in range(2):
        az("account clear")
        az.sign_in(*given)
