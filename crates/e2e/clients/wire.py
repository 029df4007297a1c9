"""Plain calls, by Python's own HTTP: what the vault says when no client of Azure stands in between."""

import http.client
import json
import ssl
import time
import urllib.parse

VERSION = "2024-04-01"


class Answer:
    def __init__(self, status: int, headers, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the error that it is. Every refusal has the envelope of Azure Resource Manager."""
        error = self.json["error"]
        assert set(self.json) == {"error"} and error["code"] and error["message"], self.body
        return error["code"]

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class Wire:
    """Calls of one administrator."""

    def __init__(self, vault, client_id: str | None = None, client_secret: str | None = None):
        self.vault = vault
        self.context = ssl.create_default_context(cafile=vault.ca_file)
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id or vault.client_id,
            "client_secret": client_secret or vault.client_secret,
            "scope": vault.url + "/.default",
        }
        got = self.send("POST", "/adfs/oauth2/v2.0/token", urllib.parse.urlencode(form).encode(), {
            "Content-Type": "application/x-www-form-urlencoded",
        })
        assert got.status == 200, got
        self.token = got.json["access_token"]

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """Sends what is given, as it is given."""
        connection = http.client.HTTPSConnection(*self.vault.address, context=self.context, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def __call__(self, method: str, path: str, body=None, version: str | None = VERSION, **headers: str) -> Answer:
        """A call of the management API. `path` begins with `/`, or with what comes after the subscription."""
        if not path.startswith("/"):
            path = f"/subscriptions/{self.vault.subscription}/{path}"
        path = urllib.parse.quote(path, safe="/?&=$;%'()+,:@!*~-._")
        if version is not None:
            path += f"{'&' if '?' in path else '?'}api-version={version}"
        content = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        return self.send(method, path, content, {name.replace("_", "-"): value for name, value in sent.items()})

    def get(self, path: str, **more):
        answer = self(path=path, method="GET", **more)
        assert answer.status == 200, answer
        return answer.json

    def wait_for(self, path: str, holds, seconds: float = 90):
        """What is at a path, once it is as it should be."""
        deadline = time.monotonic() + seconds
        while not holds(seen := self.get(path)):
            assert time.monotonic() < deadline, seen
            time.sleep(0.2)
        return seen

    def in_vault(self, name: str, rest: str = "", group: str = "default") -> str:
        """The path of something in a vault."""
        path = f"resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"
        return f"{path}/{rest}" if rest else path
