"""Short ways to make experiments, runs and models, and to speak raw HTTP."""

import itertools
import os
import socket

MLFLOW = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
LONG = bool(os.environ.get("CAIRN_LONG"))

counter = itertools.count(1)


class Api:
    """The MLflow protocol over one server; methods return the JSON of a good answer."""

    def __init__(self, server):
        self.server = server

    def get(self, path, /, **query):
        return self.server.call("GET", MLFLOW + path, params=query)

    def post(self, path, /, **body):
        return self.server.call("POST", MLFLOW + path, body)

    def patch(self, path, /, **body):
        return self.server.call("PATCH", MLFLOW + path, body)

    def delete(self, path, /, **body):
        return self.server.call("DELETE", MLFLOW + path, body)

    def refused(self, method, path, body=None, status=400, code="INVALID_PARAMETER_VALUE", **more):
        """A request that must be refused so; its sentence."""
        if path.startswith("/api"):
            answer = self.server.request(method, path, body, **more)
        else:
            answer = self.server.request(method, MLFLOW + path, body, **more)
        assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text[:2000]
        assert answer.json()["message"].strip() and "\n" not in answer.json()["message"]
        return answer.json()["message"]

    def experiment(self, name=None, **more):
        return self.post("/experiments/create", name=name or f"experiment {next(counter)}", **more)["experiment_id"]

    def run(self, experiment_id=None, **more):
        return self.post("/runs/create", experiment_id=experiment_id or self.experiment(), **more)["run"]["info"]["run_id"]

    def get_run(self, run_id):
        return self.get("/runs/get", run_id=run_id)["run"]

    def batch(self, run_id, **more):
        return self.post("/runs/log-batch", run_id=run_id, **more)

    def history(self, run_id, key):
        return self.get("/metrics/get-history", run_id=run_id, metric_key=key).get("metrics", [])

    def model(self, name=None, **more):
        return self.post("/registered-models/create", name=name or f"model {next(counter)}", **more)["registered_model"]["name"]

    def put(self, path, data):
        answer = self.server.request("PUT", f"{ARTIFACTS}/{path}", data=data)
        assert answer.status_code == 200, answer.text

    def version_with_files(self, files, name=None):
        """A registered version whose source holds these files: {path: bytes}. (name, version, run id)"""
        experiment = self.experiment()
        run = self.run(experiment)
        for path, data in files.items():
            self.put(f"{experiment}/{run}/artifacts/model/{path}", data)
        name = name or self.model()
        made = self.post("/model-versions/create", name=name, source=f"mlflow-artifacts:/{experiment}/{run}/artifacts/model", run_id=run)
        return name, made["model_version"]["version"], run


def point(key, value, step=0, timestamp=1700000000000):
    return {"key": key, "value": value, "timestamp": timestamp, "step": step}


def raw(server, data, timeout=10):
    """Bytes out, bytes in, until the other side closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout) as s:
        s.sendall(data)
        got = b""
        while True:
            try:
                piece = s.recv(65536)
            except (ConnectionResetError, socket.timeout):
                break
            if not piece:
                break
            got += piece
    return got


def head_of(answer):
    """(status, headers in lower case, body) of raw bytes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(lines[0].split()[1]), headers, body
