"""The program cairn, and models to pull."""

import json
import os
import subprocess

import pytest

from support.server import cairnd, environment


def program(name):
    """A program built beside cairnd."""
    path = cairnd().parent / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: build it first (tests/run.sh does)")
    return str(path)


class Cli:
    """cairn, talking to one server."""

    def __init__(self, server, url=None):
        self.server = server
        self.url = url or server.url

    def env(self, **more):
        return environment(CAIRN_TRACKING_URI=self.url, MLFLOW_TRACKING_USERNAME=self.server.user,
                           MLFLOW_TRACKING_PASSWORD=self.server.password, **more)

    def start(self, *args, **more):
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        env = more.pop("env", None) or self.env()
        return subprocess.Popen([program("cairn"), *map(str, args)], env=env, text=True, **more)

    def run(self, *args, stdin="", env=None):
        process = self.start(*args, stdin=subprocess.PIPE, env=env)
        out, err = process.communicate(stdin, timeout=120)
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def ok(self, *args, stdin=""):
        """Standard output of a call that must succeed."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == 0, f"cairn {' '.join(map(str, args))}: exit {done.returncode}: {done.stderr}"
        return done.stdout.strip()

    def fails(self, code, *args, stdin="", env=None):
        """The sentence of a call that must fail so."""
        done = self.run(*args, stdin=stdin, env=env)
        assert done.returncode == code, f"exit {done.returncode}, not {code}: {done.stdout} {done.stderr}"
        return done.stderr.strip()


@pytest.fixture
def cli(server):
    return Cli(server)


@pytest.fixture
def fresh_cli(fresh_server):
    return Cli(fresh_server)


FILES = {"weights.bin": os.urandom(300_000), "MLmodel": b"flavors: {}\n", "data/empty": b"", "data/größe 1.txt": b"42"}


def make_version(cli, folder, name, alias=None, files=FILES):
    """A run with these files under model/, registered. Returns the version's number as text."""
    source = folder / "source"
    for path, data in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(data)
    run = cli.ok("run", "log", "--experiment", "models", "--artifact", f"{source}=model", "--end", "FINISHED")
    info = cli.server.call("GET", f"/api/2.0/mlflow/runs/get?run_id={run}")["run"]["info"]
    made = cli.server.request("POST", "/api/2.0/mlflow/registered-models/create", {"name": name})
    assert made.status_code == 200 or made.json()["error_code"] == "RESOURCE_ALREADY_EXISTS", made.text
    version = cli.server.call("POST", "/api/2.0/mlflow/model-versions/create",
                              {"name": name, "source": info["artifact_uri"] + "/model", "run_id": run})
    version = version["model_version"]["version"]
    if alias:
        set_alias(cli, name, alias, version)
    return version


def set_alias(cli, name, alias, version):
    cli.server.call("POST", "/api/2.0/mlflow/registered-models/alias",
                    {"name": name, "alias": alias, "version": version})


def tree(folder):
    """Relative path -> bytes of what was pulled, our own mark aside."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*"))
            if p.is_file() and p.name != ".cairn.json"}


def mark(folder):
    return json.loads((folder / ".cairn.json").read_text())
