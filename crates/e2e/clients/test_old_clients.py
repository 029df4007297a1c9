"""Clients of years ago, and api-versions that nobody has listed."""

import json
import pathlib
import subprocess

import pytest

from conftest import CLIENTS
from vault import environment


def test_sdks_of_2023(vault, wire, server, elsewhere, names, tmp_path):
    name = names("old-sdk")
    ended = subprocess.run(
        [CLIENTS / "old-sdk/bin/python", "-B", pathlib.Path(__file__).parent / "old_sdk.py", name, json.dumps(vault.facts)],
        env=environment(tmp_path, REQUESTS_CA_BUNDLE=vault.ca_file, SERVED=server.vault, **elsewhere.environment()),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    seen = json.loads(ended.stdout)
    assert seen["made"].endswith(f"/vaults/{name}") and name in seen["listed"]
    assert seen["tags"] == {"made": "long ago"} and seen["storage"] == "LocallyRedundant"
    assert seen["deleted"] == "ResourceNotFound" and wire("GET", wire.in_vault(name)).status == 404
    assert seen["servers"] == [server.label] and seen["items"] == ["tree"] and seen["jobs"] >= 2


@pytest.mark.parametrize(
    "version", ["2015-01-01", "2016-12-01", "2019-11-01", "2022-09-01-preview", "2023-01-01", "2024-04-01", "2026-11-01", "2099-12-31"]
)
def test_any_version_reads_the_same(wire, made_vault, version):
    shown = wire.get(wire.in_vault(made_vault), version=version)
    assert shown == wire.get(wire.in_vault(made_vault))
    for listed in ("backupProtectedItems", "backupProtectionContainers", "backupJobs", "backupPolicies"):
        assert "value" in wire.get(wire.in_vault(made_vault, listed), version=version)


def test_a_deleted_vault_is_answered_as_its_version_wants(wire, names):
    for version, status in (("2022-10-01", 200), ("2023-04-01", 200), ("2024-04-01", 204), ("2026-11-01", 204)):
        path = wire.in_vault(names("gone"))
        assert wire("PUT", path, {"location": "local", "properties": {}}).status == 201
        assert wire("DELETE", path, version=version).status == status


def test_a_version_there_must_be(wire, made_vault):
    for version, code in ((None, "MissingApiVersionParameter"), ("latest", "InvalidApiVersionParameter")):
        answer = wire("GET", wire.in_vault(made_vault), version=version)
        assert answer.status == 400 and answer.code == code


def test_azure_clis_of_debian_and_of_long_ago_find_the_cloud(wire, vault):
    """What az 2.45 asks, which Debian 12 has, before and after it signs in."""
    cloud = wire.get("/metadata/endpoints", version="2015-01-01")
    assert cloud["authentication"]["loginEndpoint"] == vault.login_endpoint
    assert {"galleryEndpoint", "graphEndpoint", "portalEndpoint"} <= set(cloud)
    (found,) = wire.get("/subscriptions", version="2019-11-01")["value"]
    assert found["subscriptionId"] == vault.subscription
    # It encodes the `$` too, and writes `+` for a space.
    path = wire.in_vault("nowhere", "backupJobs?%24filter=status+eq+'Failed'+and+backupManagementType+eq+'MAB'")
    assert wire("GET", path, version="2022-09-01-preview").status == 404
