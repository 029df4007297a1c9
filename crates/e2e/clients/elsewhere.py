"""A proxy that leads nowhere and remembers who asked: clients must talk to the vault alone."""

import socket
import threading


class Elsewhere:
    def __init__(self):
        self.asked: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._refuse_all, daemon=True).start()

    def _refuse_all(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self.asked.append(connection.recv(4096).split(b"\r\n")[0].decode(errors="replace"))
                    connection.sendall(b"HTTP/1.1 502 Elsewhere\r\nContent-Length: 0\r\n\r\n")
                except OSError:
                    pass

    def environment(self) -> dict[str, str]:
        """What sends a client's other calls here."""
        here = f"http://127.0.0.1:{self.port}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        return {**{name: here for name in names}, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    def close(self):
        self.listener.close()
