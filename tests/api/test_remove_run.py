"""Removing a deleted run for good."""

import threading
import time

import requests

from support.api import Api, point
from support.server import Server

TABLES = ("metric_tail", "metric_chunk", "run_summary", "param", "run_tag", "run_input", "run_model_input", "run_model_output")


def rows_of(server, row):
    """How many rows of a run's own are left in each table that has some."""
    counts = {t: int(server.query(f"SELECT count(*) FROM cairn.{t} WHERE run_id = {row}")) for t in TABLES}
    return {t: n for t, n in counts.items() if n}


def row_id(server, run):
    return int(server.query(f"SELECT run_id FROM cairn.run WHERE uuid = '{run}'"))


def remove(api, run):
    return api.server.call("DELETE", f"/api/v1/runs/{run}")


def refused(api, run, status, code):
    return api.refused("DELETE", f"/api/v1/runs/{run}", None, status, code)


def test_only_a_deleted_run_can_be_removed(api):
    run = api.run()
    assert "deleted" in refused(api, run, 400, "INVALID_PARAMETER_VALUE")
    api.post("/runs/delete", run_id=run)
    remove(api, run)
    assert "not found" in refused(api, run, 404, "RESOURCE_DOES_NOT_EXIST")
    assert "not found" in refused(api, "0" * 32, 404, "RESOURCE_DOES_NOT_EXIST")


def test_nothing_of_a_removed_run_is_left(api):
    experiment = api.experiment()
    run, other = api.run(experiment), api.run(experiment)
    for r in (run, other):
        api.batch(r, metrics=[point("m", i, i) for i in range(600)], params=[{"key": "p", "value": "v"}], tags=[{"key": "t", "value": "v"}])
        api.put(f"{experiment}/{r}/artifacts/a/file.txt", b"content of " + r.encode())
    row, kept = row_id(api.server, run), row_id(api.server, other)
    assert len(rows_of(api.server, row)) >= 3
    api.post("/runs/delete", run_id=run)
    found = api.post("/runs/search", experiment_ids=[experiment], run_view_type="ALL", filter="metrics.m > 1")["runs"]
    assert {r["info"]["run_id"] for r in found} == {run, other}
    remove(api, run)
    assert rows_of(api.server, row) == {}
    assert len(rows_of(api.server, kept)) >= 3
    api.refused("GET", f"/runs/get?run_id={run}", None, 404, "RESOURCE_DOES_NOT_EXIST")
    found = api.post("/runs/search", experiment_ids=[experiment], run_view_type="ALL", filter="metrics.m > 1")["runs"]
    assert {r["info"]["run_id"] for r in found} == {other}
    paths = api.server.query("SELECT path FROM cairn.artifact").split("\n")
    assert not any(run in p for p in paths) and any(other in p for p in paths)
    assert api.server.query("SELECT count(*) FROM cairn.blob WHERE state = 3") == "0"
    assert len(api.history(other, "m")) == 600


def test_a_run_that_holds_a_registered_version_stays(api):
    experiment = api.experiment()
    run = api.run(experiment)
    api.put(f"{experiment}/{run}/artifacts/model/MLmodel", b"x: 1\n")
    name = f"of {run}"
    api.post("/registered-models/create", name=name)
    version = api.post("/model-versions/create", name=name, source=f"mlflow-artifacts:/{experiment}/{run}/artifacts/model", run_id=run)["model_version"]["version"]
    api.post("/runs/delete", run_id=run)
    assert name in refused(api, run, 400, "INVALID_PARAMETER_VALUE")
    api.delete("/model-versions/delete", name=name, version=version)
    remove(api, run)


def test_who_logs_while_the_run_is_removed_hears_of_it(api):
    experiment = api.experiment()
    for _ in range(5):
        run = api.run(experiment)
        row = row_id(api.server, run)
        heard = []

        def log(run=run, heard=heard):
            step = 0
            while True:
                step += 1
                answer = requests.post(f"{api.server.url}/api/2.0/mlflow/runs/log-batch", auth=(api.server.user, api.server.password),
                                       json={"run_id": run, "metrics": [point("m", step, step)]}, timeout=10)
                if answer.status_code != 200:
                    heard.append((answer.status_code, answer.json()["error_code"]))
                    if answer.status_code == 404:
                        return

        logger = threading.Thread(target=log)
        logger.start()
        time.sleep(0.05)
        api.post("/runs/delete", run_id=run)
        remove(api, run)
        logger.join(20)
        assert not logger.is_alive()
        assert set(heard) <= {(400, "INVALID_PARAMETER_VALUE"), (404, "RESOURCE_DOES_NOT_EXIST")} and heard[-1][0] == 404
        assert rows_of(api.server, row) == {}


def test_runs_deleted_long_ago_are_removed_when_the_server_is_told_so():
    with Server("--auth", "off") as server:
        api = Api(server)
        run, late, active = api.run(), api.run(), api.run()
        for r in (run, late, active):
            api.batch(r, metrics=[point("m", 1)])
        rows = {r: row_id(server, r) for r in (run, late, active)}
        api.post("/runs/delete", run_id=run)
        api.post("/runs/delete", run_id=late)
        server.query(f"UPDATE cairn.run SET deleted_unix_ms = deleted_unix_ms - 3 * 86400000::bigint WHERE uuid = '{run}'")
        server.stop()
        server.settings += ["--purge-deleted-after", "2"]
        server.start()
        until = time.monotonic() + 20
        while rows_of(server, rows[run]) and time.monotonic() < until:
            time.sleep(0.1)
        assert rows_of(server, rows[run]) == {}
        assert rows_of(server, rows[late]) and rows_of(server, rows[active])
        api.refused("GET", f"/runs/get?run_id={run}", None, 404, "RESOURCE_DOES_NOT_EXIST")
        assert api.get_run(late)["info"]["lifecycle_stage"] == "deleted"
