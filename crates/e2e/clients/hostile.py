"""Clients that mean no good: bytes as no library would send them, over one connection of TLS."""

import socket
import ssl


class Line:
    """A connection on which anything may be said."""

    def __init__(self, vault, protocol: str | None = None, timeout: float = 60):
        context = ssl.create_default_context(cafile=vault.ca_file)
        if protocol is not None:
            context.set_alpn_protocols([protocol])
        self.socket = context.wrap_socket(
            socket.create_connection(vault.address, timeout=timeout), server_hostname=vault.address[0]
        )

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data: bytes) -> bool:
        """Says something; tells whether the other end still listened."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def hear(self) -> bytes:
        """All that is said until the other end hangs up or is silent for as long as the time-out."""
        heard = b""
        try:
            while piece := self.socket.recv(65536):
                heard += piece
        except OSError:
            pass
        return heard

    def hear_status(self) -> int | None:
        """The status of one answer; `None` if the line was cut without one."""
        heard = b""
        try:
            while b"\r\n" not in heard and (piece := self.socket.recv(65536)):
                heard += piece
        except OSError:
            pass
        return int(heard.split(b" ")[1]) if heard.startswith(b"HTTP/1.1 ") else None


def request(vault, method: str, path: bytes | str, token: str, body: bytes = b"", headers: bytes = b"") -> bytes:
    """A request of HTTP/1.1 whose parts may be wrong."""
    path = path if isinstance(path, bytes) else path.encode()
    host = "%s:%d" % vault.address
    head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    kind = b"Content-Type: application/json\r\n" if body else b""
    return b"%s %s HTTP/1.1\r\n%s%s%s\r\n%s" % (method.encode(), path, head.encode(), kind, headers, body)
