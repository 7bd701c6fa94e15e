"""The two servers that are asked the same questions, each in a folder of its own on a free port of loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from support.server import Server, make_folder

START_S = 120
# deliveries to a receiver on loopback, at once and once
WEBHOOKS = {"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "https,http", "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true", "MLFLOW_WEBHOOK_CACHE_TTL": "0",
            "MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES": "0"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def address(database):
    """What SQLAlchemy calls a database that is given by an address of its own, or as libpq has it: host=… user=… dbname=…."""
    if "://" in database:
        return database
    parts = dict(part.split("=", 1) for part in database.split())
    return f"postgresql+psycopg2://{parts['user']}@/{parts['dbname']}?host={parts['host']}"


class Reference:
    """A real `mlflow server` of the package beside this interpreter, with one worker, on sqlite unless an address is given."""

    def __init__(self, database=None):
        self.folder = make_folder()
        self.log_path = self.folder / "mlflow.log"
        self.database = address(database) if database else f"sqlite:///{self.folder}/mlflow.db"
        self.port = free_port()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def command(self):
        return [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", self.database, "--artifacts-destination",
                str(self.folder / "artifacts"), "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]

    def _start(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        env |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | WEBHOOKS
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env,
                                            cwd=self.folder, start_new_session=True)
        began = time.monotonic()
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - began > START_S:
                raise RuntimeError(f"mlflow server did not start:\n{self.log()}")
            time.sleep(0.2)

    def _answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def close(self):
        process = getattr(self, "process", None)
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if not os.environ.get("CAIRN_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def cairn():
    """A cairnd without users: the reference has none either."""
    return Server("--auth", "off", "--outgoing-allow", "127.0.0.0/8")
