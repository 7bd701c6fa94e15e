"""The same runs in both servers, and the answers that both must give."""

import concurrent.futures
import io
import json
import random
import urllib.parse
import uuid

import psycopg2

START = 1700000000000
METRICS = [f"eval/metric_{i}" for i in range(8)] + ["accuracy", "loss"]
OPTIMIZERS = ["adam", "adamw", "sgd", "lion"]

SEARCHES = {
    "newest first": {"order_by": ["attributes.start_time DESC"]},
    "metric and param filter, metric order": {
        "filter": "metrics.accuracy > 0.5 AND params.optimizer = 'adam'", "order_by": ["metrics.loss ASC"]},
}


def run_of(i):
    """Run number i: 10 metrics, 8 params, 2 tags; the same whoever asks."""
    dice = random.Random(i)
    params = {"optimizer": dice.choice(OPTIMIZERS), "lr": f"{10 ** dice.uniform(-5, -1):.6f}"}
    params |= {f"param_{k}": str(dice.randrange(1000)) for k in range(6)}
    return {"name": f"run-{i:07d}", "start": START + i * 1000, "params": params, "metrics": {key: dice.random() for key in METRICS},
            "tags": {"mlflow.user": "bench", "mlflow.source.name": "train.py"}}


def pairs(values):
    return [{"key": key, "value": value} for key, value in values.items()]


def make_run(client, experiment, i):
    run = run_of(i)
    made = client.post("/runs/create", experiment_id=experiment, run_name=run["name"], start_time=run["start"], tags=pairs(run["tags"]))
    run_id = made["run"]["info"]["run_id"]
    metrics = [{"key": key, "value": value, "timestamp": run["start"], "step": 0} for key, value in run["metrics"].items()]
    client.post("/runs/log-batch", run_id=run_id, metrics=metrics, params=pairs(run["params"]))
    client.post("/runs/update", run_id=run_id, status="FINISHED", end_time=run["start"] + 500)
    return run_id


def log_long(client, run_id, count):
    """A history of so many points, in 10 metrics."""
    for at in range(0, count, 1000):
        client.post("/runs/log-batch", run_id=run_id, metrics=[
            {"key": f"train/metric_{i % 10}", "value": i / 8, "timestamp": START + i, "step": i // 10} for i in range(at, at + 1000)])


def load_by_api(server, experiment, numbers):
    """Makes these runs through the API, 8 clients at once."""
    def some(mine):
        with server.client() as client:
            for i in mine:
                make_run(client, experiment, i)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(some, [numbers[k::8] for k in range(8)]))


def load_by_sql(server, experiment, numbers):
    """Writes these runs into MLflow's tables as its API would have, which takes too long for many."""
    tables = {"runs": "run_uuid name source_type source_name entry_point_name user_id status start_time end_time source_version "
                      "lifecycle_stage artifact_uri experiment_id",
              "metrics": "key value timestamp step is_nan run_uuid", "latest_metrics": "key value timestamp step is_nan run_uuid",
              "params": "key value run_uuid", "tags": "key value run_uuid"}
    with psycopg2.connect(server.conninfo) as database, database.cursor() as cursor:
        for some in slices(numbers, 5000):
            rows = {table: io.StringIO() for table in tables}
            for i in some:
                write_rows(rows, experiment, run_of(i))
            for table, columns in tables.items():
                rows[table].seek(0)
                cursor.copy_from(rows[table], table, columns=columns.split())
    database.close()
    with psycopg2.connect(server.conninfo) as database:
        database.autocommit = True
        database.cursor().execute("ANALYZE")
    database.close()


def slices(values, size):
    return (values[at:at + size] for at in range(0, len(values), size))


def write_rows(rows, experiment, run):
    run_id = uuid.uuid4().hex
    line = [run_id, run["name"], "UNKNOWN", "", "", "", "FINISHED", run["start"], run["start"] + 500, "", "active",
            f"mlflow-artifacts:/{experiment}/{run_id}/artifacts", experiment]
    rows["runs"].write("\t".join(map(str, line)) + "\n")
    for key, value in run["metrics"].items():
        for table in ("metrics", "latest_metrics"):
            rows[table].write(f"{key}\t{value!r}\t{run['start']}\t0\tf\t{run_id}\n")
    for key, value in run["params"].items():
        rows["params"].write(f"{key}\t{value}\t{run_id}\n")
    for key, value in (run["tags"] | {"mlflow.runName": run["name"]}).items():
        rows["tags"].write(f"{key}\t{value}\t{run_id}\n")


# ---- answers ----

def body_of(experiment, search):
    return {"experiment_ids": [experiment], "max_results": 100} | SEARCHES[search]


def plain(run):
    """What two servers must agree on: everything but ids, addresses and order."""
    info = {k: v for k, v in run["info"].items() if k in ("run_name", "status", "start_time", "end_time", "lifecycle_stage")}
    data = {kind: sorted((json.dumps(v, sort_keys=True) for v in run["data"].get(kind, []))) for kind in ("metrics", "params", "tags")}
    return info | data


def answers(server, experiment, scratch):
    """One answer of each kind that is measured; {what: what was answered}."""
    given = {}
    with server.client() as client:
        for search in SEARCHES:
            found = client.post("/runs/search", **body_of(experiment, search))["runs"]
            given[f"search, {search}"] = [plain(run) for run in found]
            assert found, f"{server.name} finds no run: {search}"
        given["get"] = plain(client.get(f"/runs/get?run_id={found[0]['info']['run_id']}")["run"])
        assert given["get"] == given[f"search, {search}"][0]

        run_id = make_run(client, scratch, 1)
        given["create"] = plain(client.get(f"/runs/get?run_id={run_id}")["run"])
        client.post("/runs/log-metric", run_id=run_id, key="loss", value=0.25, timestamp=START + 9000, step=7)
        given["log-metric"] = plain(client.get(f"/runs/get?run_id={run_id}")["run"])
        points = [{"key": "batch", "value": i / 8, "timestamp": START + i, "step": i} for i in range(1000)]
        client.post("/runs/log-batch", run_id=run_id, metrics=points)
        query = urllib.parse.urlencode({"run_id": run_id, "metric_key": "batch", "max_results": 1000})
        given["log-batch"] = [(m["key"], m["value"], m["timestamp"], m["step"]) for m in client.get(f"/metrics/get-history?{query}")["metrics"]]
        assert given["log-batch"] == [(p["key"], p["value"], p["timestamp"], p["step"]) for p in points], f"{server.name}: get-history"
    return given


def expected(count):
    """The names that the searches must find, worked out here."""
    runs = [run_of(i) for i in range(count)]
    good = [r for r in runs if r["metrics"]["accuracy"] > 0.5 and r["params"]["optimizer"] == "adam"]
    newest, best = list(SEARCHES)
    return {newest: [r["name"] for r in sorted(runs, key=lambda r: -r["start"])[:100]],
            best: [r["name"] for r in sorted(good, key=lambda r: r["metrics"]["loss"])[:100]]}
