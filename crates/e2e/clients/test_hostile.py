"""What no client would send. The vault answers with a status that says so and its envelope, does not panic, and stays
within the memory that it had."""

import json
import threading
import time

import pytest

from hostile import Line, request

# What the vault may need more than before, whatever is sent to it.
MEMORY_MORE = 96 << 20


@pytest.fixture(autouse=True)
def unharmed(vault, wire):
    """After each of these tests the vault is as it was."""
    before = vault.memory()
    yield
    assert wire.get("/health")["version"]
    vault.check_log()
    assert vault.memory() < before + MEMORY_MORE, (before, vault.memory())


def send(vault, wire, method, path, body=b"", headers=b"") -> tuple[int, dict | None]:
    """Sends a request as it is; returns the status and, unless there is none, the error of the envelope."""
    with Line(vault) as line:
        line.say(request(vault, method, path, wire.token, body, headers))
        heard = line.hear()
    assert heard.startswith(b"HTTP/1.1 "), heard[:200]
    head, _, content = heard.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), (json.loads(content) if content else None)


def refused(vault, wire, method, path, body=b"", statuses=(400, 404)) -> str:
    status, content = send(vault, wire, method, path, body)
    assert status in statuses, (status, path[:200], body[:100], content)
    assert set(content) == {"error"} and content["error"]["code"] and content["error"]["message"]
    # What was sent is not thrown back at length.
    assert len(json.dumps(content)) < 4096, len(json.dumps(content))
    return content["error"]["code"]


SEGMENTS = [
    b"..", b"%2e%2e", b"%2e%2e%2f%2e%2e%2fetc%2fpasswd", b".", b"%00", b"a%00b", b"%ff%fe", b"%", b"%zz", b"%c3%28",
    b"a%0d%0aX-Injected:%20yes", b"%25252e", b"%F0%9F%92%A3", b"a'b", b"a%27%20or%20%271%27=%271", b"*", b"%3Cscript%3E",
    b"Windows;", b"Windows%3B", b"Windows;00000000-0000-0000-0000-000000000000", b"Windows;" + b"9" * 300, b"-1",
    b"0", b"18446744073709551616", b"f" * 64, b"a" * 6000, b"%41" * 2000, b"%e2%80%ae", b"NULL", b"~", b"a;b;c", b"a,b", b"{}",
]


def paths(vault, rest):
    base = f"/subscriptions/{vault.subscription}/resourceGroups/default/providers/Microsoft.RecoveryServices/vaults/{rest}"
    return [base.encode().replace(b"HERE", segment) + b"?api-version=2024-04-01" for segment in SEGMENTS]


@pytest.mark.parametrize("rest", ["HERE", "{v}/backupPolicies/HERE", "{v}/backupJobs/HERE", "{v}/backupOperations/HERE",
    "{v}/backupFabrics/Azure/protectionContainers/HERE",
    "{v}/backupFabrics/Azure/protectionContainers/HERE/protectedItems/HERE",
    "{v}/backupFabrics/Azure/protectionContainers/HERE/protectedItems/HERE/recoveryPoints/HERE",
    "{v}/HERE"])
def test_ids_that_are_none(vault, wire, made_vault, rest):
    for path in paths(vault, rest.format(v=made_vault)):
        refused(vault, wire, "GET", path)
    # Nothing of it became a header.
    with Line(vault) as line:
        line.say(request(vault, "GET", paths(vault, rest.format(v=made_vault))[10], wire.token))
        assert b"X-Injected: yes\r\n" not in line.hear()


def test_deleting_what_has_no_id_deletes_nothing(vault, wire, made_vault):
    for path in paths(vault, "HERE"):
        # A vault that is not there is deleted already.
        status, _ = send(vault, wire, "DELETE", path)
        assert status in (204, 400, 404), path[:200]
    assert wire("GET", wire.in_vault(made_vault)).status == 200


FILTERS = ["'", "status", "status eq", "status eq 'a", "status eq a", "status ne 'a'", "or or or", "status eq 'a' or status eq 'b'",
           "status eq 'a' and", "nothing eq 'a'", "status eq '" + "a" * 5000 + "'", "(" * 4000, "\u0000", "status eq '\u0000' and",
           "startTime eq 'now'", "startTime eq '9999999-99-99'", "1=1; DROP TABLE jobs", "status eq 'a' and status eq 'b'"]


@pytest.mark.parametrize("listed", ["backupJobs", "backupProtectedItems", "backupProtectionContainers", "backupPolicies"])
def test_filters_that_are_none(wire, made_vault, listed):
    for text in FILTERS:
        answer = wire("GET", wire.in_vault(made_vault, f"{listed}?%24filter=") + percent(text))
        assert answer.status == 400 and answer.code == "InvalidRequest", (text[:80], answer)
    for raw in (b"%24filter=%ff%fe", b"%24filter=%", b"$filter=%zz", b"%24skipToken=-1", b"$skipToken=9999999999999999999999"):
        path = f"/subscriptions/{wire.vault.subscription}/{wire.in_vault(made_vault, listed)}?api-version=2024-04-01&"
        refused(wire.vault, wire, "GET", path.encode() + raw, statuses=(400,))
    beyond = wire("GET", wire.in_vault(made_vault, f"{listed}?$skipToken=18446744073709551615"))
    assert beyond.status == 200 and beyond.json["value"] == [] and "nextLink" not in beyond.json


def percent(text: str) -> str:
    import urllib.parse

    # `wire` quotes `%` itself not.
    return urllib.parse.quote(text, safe="")


BODIES = [
    b"", b"null", b"[]", b"1", b'"text"', b"{", b"\xff\xfe", b"\x00", b"{}" * 2, b'["local"]', b'{"properties": "x"}',
    b'{"tags": 1}', b'{"tags": {"a": {"b": 1}}}', b'{"location": {}}', b"[" * 60_000, b'{"properties":' * 4_000,
    b'{"properties": {"monitoringSettings": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_002, b'{"properties": {"securitySettings": {"softDeleteSettings": '
    b'{"softDeleteRetentionPeriodInDays": 1e400}}}}', b'{"properties": {"securitySettings": {"softDeleteSettings": '
    b'{"softDeleteRetentionPeriodInDays": -1}}}}', b'{"properties": {"securitySettings": {"softDeleteSettings": '
    b'{"softDeleteRetentionPeriodInDays": 4294967296}}}}', b'{"properties": {"securitySettings": {"immutabilitySettings": '
    b'{"state": "Sometimes"}}}}', b'{"properties": {"redundancySettings": {"standardTierStorageRedundancy": "Best"}}}',
    '{"tags": {"\u202e": "\u0000"}}'.encode(), b'{"tags": {"' + b"k" * 600 + b'": "v"}}', b'{"tags": {"k": "' + b"v" * 300 + b'"}}',
    b'{"tags": {' + b",".join(b'"t%d": ""' % n for n in range(60)) + b"}}",
    b'{"properties": {"monitoringSettings": "' + b"m" * 5000 + b'"}}',
]


def test_bodies_that_are_none(vault, wire, made_vault):
    path = f"/subscriptions/{vault.subscription}/{wire.in_vault(made_vault)}?api-version=2024-04-01"
    before = wire.get(wire.in_vault(made_vault))
    for body in BODIES:
        refused(vault, wire, "PATCH", path, body, statuses=(400, 413, 415))
    # What is not known is passed over, however deep it is.
    assert send(vault, wire, "PATCH", path, b'{"a":' * 10_000 + b"1" + b"}" * 10_000)[0] == 200
    assert refused(vault, wire, "PATCH", path, b" " * (2 << 20) + b"{}", statuses=(413,)) == "TooLarge"
    assert wire.get(wire.in_vault(made_vault)) == before


def test_sign_in_with_rubbish(vault, wire):
    for body in (b"", b"=", b"&&&", b"grant_type=password", b"client_id=" + b"a" * 60_000, b"\xff" * 1000, b"client_id=a&client_id=b",
                 b"grant_type=client_credentials&client_id=%00&client_secret=%ff",
                 b"grant_type=client_credentials&client_assertion=a.b.c&client_assertion_type=x"):
        answer = wire.send("POST", "/adfs/oauth2/v2.0/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status in (400, 401) and answer.json["error"].startswith("invalid_"), (body[:60], answer)
    for token in ("", "x", "a" * 6000, "ey.ey.ey", "\u00ff"):
        answer = wire.send("GET", "/subscriptions?api-version=2024-04-01", None, {"Authorization": f"Bearer {token}"})
        assert answer.status == 401 and answer.code == "AuthenticationFailed"
        assert f'authorization_uri="{vault.url}/adfs"' in answer.headers["WWW-Authenticate"]


def test_requests_that_are_none(vault, wire):
    for said in (b"\x00" * 4096, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 100, b"GET /health HTTP/1.1\r\n\r\n",
                 b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                 b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                 b"POST /adfs/oauth2/v2.0/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100, b"A" * 100_000):
        with Line(vault, timeout=1) as line:
            line.say(said)
            line.hear()


@pytest.mark.parametrize("megabytes", [1, 10])
def test_headers_of_megabytes(vault, wire, megabytes):
    one = b"X-Filler: " + b"a" * (megabytes << 20) + b"\r\n"
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(megabytes * 1000))
    for headers in (one, many):
        with Line(vault, timeout=20) as line:
            line.say(request(vault, "GET", "/health", wire.token, headers=headers))
            assert line.hear_status() in (400, 431, None)
    path = b"/health?" + b"a" * (megabytes << 20)
    with Line(vault, timeout=20) as line:
        line.say(request(vault, "GET", path, wire.token))
        assert line.hear_status() in (400, 414, 431, None)


def test_headers_of_megabytes_in_http_2(vault, wire):
    import h2.config, h2.connection, h2.events

    with Line(vault, "h2", timeout=20) as line:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        connection.initiate_connection()
        line.say(connection.data_to_send())
        for stream in range(1, 21, 2):
            fields = [(b":method", b"GET"), (b":path", b"/health"), (b":scheme", b"https"), (b":authority", b"a")]
            # What each repeats of the one before costs a byte on the line, and all of it in memory.
            fields += [(b"x-filler", b"a" * 4000)] * 250
            connection.send_headers(stream, fields, end_stream=True)
            if not line.say(connection.data_to_send()):
                break
        line.socket.settimeout(3)
        line.hear()


def test_slow_clients_hold_up_nobody_and_are_hung_up_on(vault, wire):
    """Three hundred lines on which a request is begun and never ends."""
    head = request(vault, "PATCH", "/subscriptions?api-version=2024-04-01", wire.token, b"{}")[:-6]
    tokens = b"POST /adfs/oauth2/v2.0/token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n" \
             b"Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type="
    lines = [Line(vault, timeout=90) for _ in range(300)]
    for number, line in enumerate(lines):
        line.say((head, b"", tokens)[number % 3])
    began = time.monotonic()
    for _ in range(20):
        assert wire.get("/health")["version"]
    assert time.monotonic() - began < 5
    # One that says a byte now and then is no better.
    stop = threading.Event()

    def drip(line):
        while not stop.wait(5) and line.say(b"X"):
            pass

    drips = [threading.Thread(target=drip, args=[line], daemon=True) for line in lines[:6]]
    for thread in drips:
        thread.start()
    for line in lines:
        line.hear()
        line.socket.close()
    stop.set()
    assert time.monotonic() - began < 80
