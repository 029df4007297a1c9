"""One vault for all of these tests, and the clients that speak to it. Each test works in vaults of its own names."""

import itertools
import json
import os
import pathlib
import subprocess

import pytest
from azure.identity import ClientSecretCredential
from azure.mgmt.recoveryservices import RecoveryServicesClient
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

from agent import Agent
from az import Az
from elsewhere import Elsewhere
from vault import Vault
from wire import Wire

PROGRAMS = pathlib.Path(os.environ["STATEWARD_PROGRAMS"])
CLIENTS = pathlib.Path(os.environ["STATEWARD_CLIENTS"])


@pytest.fixture(scope="session")
def vault(tmp_path_factory):
    made = Vault(PROGRAMS, tmp_path_factory.mktemp("vault")).start()
    yield made
    assert made.stop() == 0
    made.check_log()


@pytest.fixture(scope="session")
def elsewhere():
    trap = Elsewhere()
    yield trap
    trap.close()
    assert trap.asked == [], "A client called somebody else than the vault"


@pytest.fixture(scope="session")
def wire(vault):
    return Wire(vault)


@pytest.fixture(scope="session")
def az(vault, elsewhere, tmp_path_factory):
    client = Az(CLIENTS / "az/bin/az", tmp_path_factory.mktemp("az") / "home", vault, elsewhere)
    client.account = client.sign_in()
    return client


@pytest.fixture(scope="session")
def trusting(vault, elsewhere):
    """This process's own clients trust the vault's certificate authority, and reach nobody else."""
    given = {"REQUESTS_CA_BUNDLE": vault.ca_file, **elsewhere.environment()}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


class Sdk:
    """Both SDKs with one sign-in, as `stateward-vault init --json` says it."""

    def __init__(self, vault, credential=None):
        self.credential = credential or ClientSecretCredential(
            "adfs", vault.client_id, vault.client_secret, authority=vault.url
        )
        given = {"base_url": vault.url, "credential_scopes": [vault.url + "/.default"]}
        self.services = RecoveryServicesClient(self.credential, vault.subscription, **given)
        self.backup = RecoveryServicesBackupClient(self.credential, vault.subscription, **given)


@pytest.fixture(scope="session")
def sdk(vault, trusting):
    return Sdk(vault)


@pytest.fixture(scope="session")
def names():
    """Names that no other test has."""
    numbers = itertools.count(1)
    return lambda what: f"{what}-{next(numbers)}"


@pytest.fixture
def made_vault(wire, names):
    """A new vault of this name."""
    name = names("vault")
    answer = wire("PUT", wire.in_vault(name), {"location": "local", "sku": {"name": "Standard"}, "properties": {}})
    assert answer.status == 201, answer
    return name


@pytest.fixture
def new_agent(tmp_path_factory):
    """Makes servers that are not registered yet."""
    return lambda label: Agent(PROGRAMS, tmp_path_factory.mktemp(label), label)


class Server:
    """A server that is registered and was backed up."""

    def __init__(self, wire, agent: Agent, vault: str):
        self.agent, self.label, self.vault = agent, agent.label, vault
        credentials = agent.folder / "credentials"
        made = wire("PUT", wire.in_vault(vault, "certificates/server"))
        assert made.status == 200, made
        credentials.write_text(json.dumps(made.json["properties"]["vaultCredentials"]))
        agent.register(credentials)
        agent.protect()
        agent.back_up()
        (container,) = wire.get(wire.in_vault(vault, "backupProtectionContainers"))["value"]
        (item,) = wire.get(wire.in_vault(vault, "backupProtectedItems"))["value"]
        self.container, self.item = container["name"], item["name"]
        self.path = wire.in_vault(
            vault, f"backupFabrics/Azure/protectionContainers/{self.container}/protectedItems/{self.item}"
        )


@pytest.fixture
def new_server(wire, made_vault, new_agent):
    """Makes a server in a new vault, with one recovery point."""
    return lambda label: Server(wire, new_agent(label), made_vault)


@pytest.fixture(scope="session")
def server(wire, tmp_path_factory):
    """A server with two recovery points, for tests that change nothing."""
    vault = "fleet"
    assert wire("PUT", wire.in_vault(vault), {"location": "local", "properties": {}}).status == 201
    made = Server(wire, Agent(PROGRAMS, tmp_path_factory.mktemp("web1"), "web1"), vault)
    made.agent.write("new.txt", "Since the first backup\n")
    made.agent.back_up()
    return made


class Operator:
    """A principal that signs in with a certificate, and is an operator in one vault."""

    def __init__(self, vault, folder, name: str):
        self.vault = name
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ops"]
        subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        # Both in one file, as Azure's clients want them.
        self.certificate = folder / "both.pem"
        self.certificate.write_text(key.read_text() + certificate.read_text())
        command = [vault.program, "principal", "create", "--data", vault.data, "--name", "ops", "--json"]
        command += ["--role", "BackupOperator", "--group", "default", "--vault", name, "--certificate", certificate]
        printed = subprocess.run(command, check=True, capture_output=True, text=True)
        self.client_id = json.loads(printed.stdout)["client_id"]


@pytest.fixture
def operator(vault, made_vault, tmp_path):
    return Operator(vault, tmp_path, made_vault)
