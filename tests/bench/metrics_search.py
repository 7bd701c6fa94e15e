"""Searching runs: 200,000 and 1,000,000 of ours, 100,000 of MLflow's."""

import time

import data
import processes
from metrics_read import asked, times

SEARCH = "/api/2.0/mlflow/runs/search"
EXPERIMENT = "search bench {}"
FILTER, ORDER = "metrics.rmse < 0.5 AND params.param0 = 'tree'", "metrics.acc DESC"


def stage(bench):
    for name, runs in (("200k", 200_000), ("1m", 1_000_000)):
        if not bench.out_of_time(f"{runs:,} runs"):
            one_size(bench, name, runs // 20 if bench.options.quick else runs)


def one_size(bench, name, runs):
    """The runs written in bulk, as the server's own statements leave them, then a server started on them."""
    conninfo = bench.cluster.create(f"search_{name}")
    began = time.monotonic()
    bench.program("search_bench", conninfo, runs, "load")
    bench.say(f"  {runs:,} runs of 10 metrics and 8 params written in {time.monotonic() - began:.0f} s")
    server = bench.cairnd(f"search-{name}", database=conninfo, settings=("--search-memory", "1024"))
    with bench.database(server) as cursor:
        # a server that reads nothing newer keeps the others from compacting so many runs while they are searched
        cursor.execute("INSERT INTO server (server_id, started_unix_ms, seen_unix_ms, snapshot, reads_format) "
                       "SELECT 'bench', 0, (1::bigint << 52), pg_current_snapshot(), 1")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT experiment_id FROM experiment WHERE name = %s", (EXPERIMENT.format(runs),))
        experiment = str(cursor.fetchone()[0])
    body = {"experiment_ids": [experiment], "filter": FILTER, "order_by": [ORDER], "max_results": 100}
    bench.say(f"  the first search, which reads the runs into memory, took {first_search(server, body):.1f} s; "
              f"cairnd holds {processes.status(server.process.pid, 'VmRSS'):.0f} MiB")
    bench.settle(server)
    began, whole, answer = asked(server, "POST", SEARCH, body, times=times(bench))
    check(answer["runs"], 100)
    bench.put(f"search_{name}_ms", began, f"until the answer began; {whole:.1f} ms until {len(answer['runs'])} runs were read")
    bench.put(f"search_{name}_mib", processes.status(server.process.pid, "VmRSS"))
    bench.end(server)
    bench.cluster.drop(f"search_{name}")


def first_search(server, body, patience_s=300):
    """Seconds until a search is answered at all: what takes over a minute is answered 504, and asked again."""
    began = time.monotonic()
    while True:
        try:
            asked(server, "POST", SEARCH, body)
            return time.monotonic() - began
        except RuntimeError as e:
            if " 504 " not in str(e) and " 503 " not in str(e) or time.monotonic() - began > patience_s:
                raise
            time.sleep(1)


def check(runs, count):
    values = []
    for run in runs:
        found = {m["key"]: m["value"] for m in run["data"]["metrics"]}
        params = {p["key"]: p["value"] for p in run["data"]["params"]}
        if not found["rmse"] < 0.5 or params["param0"] != "tree":
            raise RuntimeError(f"a run was found that does not fit: {run}")
        values.append(found["acc"])
    if len(runs) != count or values != sorted(values, reverse=True):
        raise RuntimeError(f"{len(runs)} runs were found, or in another order than asked for")


def mlflow(bench, server):
    runs = 10_000 if bench.options.quick else 100_000
    with server.client() as client:
        experiment = client.post("/experiments/create", name="search")["experiment_id"]
    began = time.monotonic()
    data.load_by_sql(server, experiment, list(range(runs)))
    bench.say(f"  {runs:,} runs of 10 metrics and 8 params written into MLflow's tables in {time.monotonic() - began:.0f} s")
    body = data.body_of(experiment, "metric and param filter, metric order")
    began, whole, answer = asked(server, "POST", SEARCH, body, times=3 if bench.options.quick else 7, fresh=True)
    if len(answer["runs"]) != 100:
        raise RuntimeError(f"mlflow found {len(answer['runs'])} runs")
    bench.put("mlflow_search_ms", whole, f"{len(answer['runs'])} of {runs:,} runs, a fresh connection each")
