"""A server registers with what the SDK's certificate call gave, backs up, and restores."""

import base64
import datetime
import json

import pytest
from azure.mgmt.recoveryservices import models

from agent import Agent, Refused, contents


def save(answer, folder):
    """What the vault made for a server, as the file that it registers with."""
    file = folder / "web.credentials"
    file.write_text(json.dumps(answer.properties["vaultCredentials"]))
    return file


def certificate() -> bytes:
    """A certificate that a client made, as Azure's own tools make theirs."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def test_with_a_certificate_that_the_client_made(sdk, vault, wire, made_vault, new_agent, tmp_path):
    sent = certificate()
    request = models.CertificateRequest(properties=models.RawCertificateData(auth_type="AAD", certificate=sent))
    answer = sdk.services.vault_certificates.create("default", made_vault, "web", request)
    details = answer.properties
    assert details.auth_type == "AzureActiveDirectory" and details.aad_tenant_id == vault.tenant
    assert bytes(details.certificate) == sent
    assert details.service_resource_id.endswith(f"/vaults/{made_vault}") and isinstance(details.resource_id, int)
    assert details.aad_authority == vault.login_endpoint and details.valid_to > details.valid_from

    agent: Agent = new_agent("web")
    file = save(answer, tmp_path)
    agent.register(file)
    agent.protect()
    assert agent.back_up()["status"] == "Completed"
    agent.restore(tmp_path / "restored")
    assert contents(tmp_path / "restored") and sorted(contents(tmp_path / "restored").values()) == sorted(contents(agent.tree).values())
    # They are for one server.
    with pytest.raises(Refused, match="used"):
        new_agent("other").register(file)


def test_without_a_certificate(sdk, wire, made_vault, new_agent, tmp_path):
    """As current Az PowerShell calls it: `null`, and `certificate` of the answer is the file."""
    answer = wire("PUT", wire.in_vault(made_vault, "certificates/web"))
    assert answer.status == 200, answer
    file = tmp_path / "web.credentials"
    file.write_bytes(base64.b64decode(answer.json["properties"]["certificate"]))
    new_agent("web").register(file)
    assert len(list(sdk.backup.backup_protection_containers.list(made_vault, "default", filter="backupManagementType eq 'MAB'"))) == 1


def test_a_certificate_that_is_none(wire, made_vault):
    body = {"properties": {"authType": "AAD", "certificate": base64.b64encode(b"no certificate").decode()}}
    answer = wire("PUT", wire.in_vault(made_vault, "certificates/web"), body)
    assert answer.status == 400 and answer.code == "InvalidRequest"
