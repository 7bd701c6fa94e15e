"""A proxy between cairn and the server that cuts connections after so many bytes of answers."""

import socket
import threading


class CuttingProxy:
    """Cuts each of the first `cuts` connections once `after` bytes came back through it."""

    def __init__(self, port, after, cuts):
        self.target, self.after, self.cuts = port, after, cuts
        self.cut = 0
        self.requests = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(client, server), daemon=True).start()

    def _up(self, client, server):
        try:
            while data := client.recv(65536):
                self.requests += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _down(self, client, server):
        passed = 0
        try:
            while data := server.recv(16384):
                if self.cut < self.cuts and passed + len(data) > self.after:
                    self.cut += 1
                    client.sendall(data[:self.after - passed])
                    break
                passed += len(data)
                client.sendall(data)
        except OSError:
            pass
        for s in (client, server):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
