#!/usr/bin/env python3
"""schemathesis against a real cairnd: every operation of openapi.yaml, every check.

    contract.py [--seconds N] [--seed N] [--ajax N]    one run
    contract.py --long [--seed N]                      run after run, each with a seed of its own, until something is found

The server is the one that CAIRND names. Ends with schemathesis' own code.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import yaml

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from support.server import ROOT, Server  # noqa: E402

METHODS = ("get", "put", "post", "delete", "patch")
MLFLOW = "/api/2.0/mlflow"
RUN = "4f6c1d0b8a2e49c7b35d7e90a1f2c3d4"
MODEL = "m-9b1e7c52d8f04a6e8c3b5a7d1f20e4c6"
URL = "http://127.0.0.1:5000"
USER, PASSWORD = "contract", "seven-grey-geese-by-the-weir"


def make_data(server):
    """What the examples are about. Returns values that requests may have, by parameter: of what is to stay, and of what may go."""
    experiment = server.call("POST", f"{MLFLOW}/experiments/create", {"name": "wine"})["experiment_id"]
    runs = [server.call("POST", f"{MLFLOW}/runs/create", {"experiment_id": e})["run"]["info"]["run_id"] for e in (experiment, "0", "0")]
    models = [server.call("POST", f"{MLFLOW}/logged-models", {"experiment_id": e})["model"]["info"]["model_id"] for e in (experiment, "0")]
    gone = server.call("POST", f"{MLFLOW}/experiments/create", {"name": "must"})["experiment_id"]
    doomed = {
        "operations": ["deleteExperiment", "restoreExperiment", "deleteRun", "restoreRun", "removeRun", "deleteLoggedModel", "deleteModelVersion", "deleteProxiedArtifact"],
        "experiment_id": [gone],
        "run_id": [server.call("POST", f"{MLFLOW}/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"] for _ in range(9)],
        "model_id": [server.call("POST", f"{MLFLOW}/logged-models", {"experiment_id": "0"})["model"]["info"]["model_id"] for _ in range(9)],
        "name": ["press"],
        "version": [str(n + 1) for n in range(9)],
        "path": [f"{gone}/file"],
        "of": {"removeRun": {"run_id": [server.call("POST", f"{MLFLOW}/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"] for _ in range(30)]}},
    }
    for run_id in doomed["of"]["removeRun"]["run_id"]:  # only what is deleted can be removed for good
        server.call("POST", f"{MLFLOW}/runs/delete", {"run_id": run_id})
    for place, run_id in zip((experiment, "0", "0"), runs):
        server.call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{place}/{run_id}/artifacts/notes/readme.txt", data=b"The wine run's notes.\n")
    for name, versions in (("wine-quality", 1), ("cellar", 1), ("press", 9)):
        server.call("POST", f"{MLFLOW}/registered-models/create", {"name": name})
        for _ in range(versions):
            server.call("POST", f"{MLFLOW}/model-versions/create", {"name": name, "source": f"runs:/{runs[1]}/notes", "run_id": runs[1]})
        server.call("POST", f"{MLFLOW}/registered-models/alias", {"name": name, "alias": "champion", "version": "1"})
    for place, model_id in zip((experiment, "0"), models):
        server.call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{place}/models/{model_id}/artifacts/data/grapes.txt", data=b"riesling\n")
    tag = {"key": "grape", "value": "riesling"}
    for run_id in runs:
        server.call("POST", f"{MLFLOW}/runs/set-tag", {"run_id": run_id, **tag})
    for place in (experiment, "0"):
        server.call("POST", f"{MLFLOW}/experiments/set-experiment-tag", {"experiment_id": place, **tag})
    for name in (USER, "ada"):
        server.call("POST", "/api/v1/users", {"username": name, "password": PASSWORD})
    sources = [f"runs:/{run_id}/notes" for run_id in runs]  # as many as runs: a request that names both names those of one
    return {"experiment_id": [experiment, "0"], "run_id": runs, "source": sources, "model_id": models, "version": ["1"], "alias": ["champion"]}, doomed


def is_endless(operation):
    return "text/event-stream" in operation["responses"].get("200", {}).get("content", {})


def document(server, live, ajax, rng):
    """openapi.yaml with the server's own ids: its /api operations, or a sample of their twins."""
    text = (ROOT / "openapi/openapi.yaml").read_text()
    text = text.replace(RUN, live["run_id"][0]).replace(MODEL, live["model_id"][0]).replace(URL, server.url)
    out = yaml.safe_load(text)
    twins = sorted(path for path in out["paths"] if path.startswith("/ajax-api/"))
    chosen = set(rng.sample(twins, ajax)) if ajax else set(out["paths"]) - set(twins)
    out["paths"] = {path: item for path, item in out["paths"].items() if path in chosen}
    for path in [path for path, item in out["paths"].items() if any(is_endless(item[m]) for m in METHODS if m in item)]:
        del out["paths"][path]  # nobody can look at the whole of an answer that stays open; tests/api/test_live.py looks at its events
    for item in out["paths"].values():
        for media, body in item.get("post", {}).get("requestBody", {}).get("content", {}).items():
            if media == "application/x-cairn-metrics":
                body["schema"]["format"] = "cairn-columns"
    out["components"]["schemas"]["Filter"]["format"] = "cairn-filter"
    out["components"]["schemas"]["Path"]["format"] = "cairn-path"
    return out


def operations(described, offered):
    """Those that can succeed, or those that cannot."""
    return [o["operationId"] for item in described["paths"].values() for method, o in item.items()
            if method in METHODS and offered == any(status.startswith("2") for status in o["responses"])]


def run(seed, seconds=None, ajax=0, report=None):
    """One run of schemathesis on a server of its own: its exit code, and the operations that took no valid request."""
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        live, doomed = make_data(server)
        path = pathlib.Path(folder) / "openapi.json"
        described = document(server, live, ajax, random.Random(seed))
        path.write_text(json.dumps(described))
        accepted = pathlib.Path(folder) / "accepted.json"
        config = pathlib.Path(folder) / "schemathesis.toml"
        config.write_text((FOLDER / config.name).read_text().replace('["NOT OFFERED"]', json.dumps(operations(described, False) or ["none"])))
        command = [str(pathlib.Path(sys.executable).parent / "st"), "--no-color", "--config-file", str(config),
                   "run", str(path), "--url", server.url, "--seed", str(seed)]
        if seconds:
            command += ["--max-time", str(seconds)]
        if report:
            command += ["--report", "json", "--report-json-path", str(report)]
        env = dict(os.environ, SCHEMATHESIS_HOOKS="rules", PYTHONPATH=str(FOLDER),
                   CONTRACT_DOCUMENT=str(path), CONTRACT_ACCEPTED=str(accepted), CONTRACT_LIVE=json.dumps(live), CONTRACT_DOOMED=json.dumps(doomed),
                   CONTRACT_URL=server.url, CONTRACT_ADMIN=server.user, CONTRACT_ADMIN_PASSWORD=server.password, CONTRACT_USER=USER, CONTRACT_PASSWORD=PASSWORD)
        print(f"seed {seed}", flush=True)
        code = subprocess.run(command, cwd=folder, env=env).returncode
        taken = json.loads(accepted.read_text())
        untaken = sorted(o for o in operations(described, True) if o.removesuffix("Ajax") not in taken)
        if untaken:
            print("took no valid request:", *untaken, flush=True)
        return code, untaken


def main():
    parser = argparse.ArgumentParser(description="schemathesis against a real cairnd")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--seconds", type=int, help="how long it draws new requests")
    parser.add_argument("--ajax", type=int, default=0, metavar="N", help="N paths under /ajax-api, in place of those under /api")
    parser.add_argument("--long", action="store_true", help="without end, until something is found")
    parser.add_argument("--report", type=pathlib.Path, help="schemathesis' report, in JSON")
    args = parser.parse_args()
    if not args.long:
        return run(args.seed, args.seconds, args.ajax, args.report)[0]
    rng, code = random.Random(args.seed), 0
    while code == 0:
        code, _ = run(rng.randrange(1 << 32), args.seconds or 600, rng.choice((0, 0, 0, 12)), args.report)
    return code


if __name__ == "__main__":
    sys.exit(main())
