"""The two servers that are measured, and the one client that speaks to both."""

import base64
import http.client
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import time

import processes

MLFLOW = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
PATIENCE_S = 60


def environment(**more):
    """None of the caller's settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CAIRN_", "MLFLOW_", "PG"))}
    return env | more


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Refused(Exception):
    """An answer other than 2xx."""


class Client:
    """One kept connection; not for several threads at once."""

    def __init__(self, port, headers, timeout_s=PATIENCE_S):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self.headers = headers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, method, path, body=None, **headers):
        """The bytes of a good answer."""
        self.connection.request(method, path, body, self.headers | headers)
        answer = self.connection.getresponse()
        data = answer.read()
        if not 200 <= answer.status < 300:
            raise Refused(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def get(self, path):
        return json.loads(self.send("GET", MLFLOW + path))

    def post(self, path, **body):
        data = json.dumps(body).encode()
        return json.loads(self.send("POST", MLFLOW + path, data, **{"Content-Type": "application/json"}))


class Server:
    """Started and stopped as often as wanted on one port, one database and one folder."""

    headers = {}

    def __init__(self, folder, cluster, database=None):
        self.folder = pathlib.Path(folder) / self.name
        self.folder.mkdir()
        self.log = self.folder / "log"
        self.port = free_port()
        self.conninfo = database or cluster.create(self.name)
        self.cluster = cluster
        self.process = None

    def start(self):
        """Seconds from the start of the process until GET /health says 200."""
        began = time.monotonic()
        self.process = processes.start(self.command(), self.log, cwd=self.folder, env=self.environment())
        while not self.healthy():
            if self.process.poll() is not None or time.monotonic() - began > 120:
                raise SystemExit(f"bench: {self.name} did not start:\n{self.log.read_text(errors='replace')[-5000:]}")
            time.sleep(0.002)
        return time.monotonic() - began

    def healthy(self):
        try:
            with Client(self.port, {}, 5) as client:
                client.send("GET", "/health")
                return True
        except (OSError, http.client.HTTPException, Refused):
            return False

    def stop(self):
        if self.process is not None:
            processes.stop(self.process)

    def client(self, timeout_s=PATIENCE_S):
        return Client(self.port, self.headers, timeout_s)

    def environment(self):
        return environment()


class Cairnd(Server):
    """With accounts: every request says who asks, by name and password."""

    def __init__(self, folder, cluster, name="cairnd", program=None, database=None, settings=()):
        self.name = name
        super().__init__(folder, cluster, database)
        self.program = program or os.environ["CAIRND"]
        self.settings = settings
        self.password = secrets.token_urlsafe(16)
        word = base64.b64encode(f"bench:{self.password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {word}"}

    def command(self):
        return [self.program, "serve", "--data", "data", "--listen", f"127.0.0.1:{self.port}", "--database", self.conninfo, "--migrate", *self.settings]

    def add_user(self):
        subprocess.run([self.program, "user", "add", "bench", "--admin", "--password-file", "-", "--data", "data", "--database", self.conninfo],
                       input=self.password.encode(), cwd=self.folder, env=self.environment(), check=True, stdout=subprocess.DEVNULL)

    def use_token(self):
        """From here on requests carry a token, as those of programs do."""
        with self.client() as client:
            made = json.loads(client.send("POST", "/api/v1/tokens", json.dumps({"name": "bench"}), **{"Content-Type": "application/json"}))
        self.headers = {"Authorization": f"Bearer {made['token']}"}

    def version(self):
        return subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]


class Mlflow(Server):
    """As it comes: its own number of workers, no accounts."""

    name = "mlflow"

    def command(self):
        address = f"postgresql+psycopg2://bench@/{self.name}?host={self.cluster.folder}"
        return [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", address, "--artifacts-destination",
                str(self.folder / "artifacts"), "--host", "127.0.0.1", "--port", str(self.port)]

    def environment(self):
        return environment(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")

    def version(self):
        import importlib.metadata
        return f"mlflow {importlib.metadata.version('mlflow')}"
