"""Reading one long series and many, and what stored points take on disk."""

import io
import json
import statistics
import time
import urllib.parse

import data
import processes

KEY = "train/metric_0"
LONG = 1_000_000
PAGE = 25_000
BUCKETS = 2000
MLFLOW_PAGES = 4
PATIENCE_S = 300


def asked(server, method, path, body=None, times=1, fresh=False):
    """Medians in ms: until the answer began, until it was read; and the last answer."""
    began_ms, whole_ms = [], []
    headers = {"Content-Type": "application/json"} if body is not None else {}
    text = None if body is None else json.dumps(body)
    client = server.client(PATIENCE_S)
    for _ in range(times):
        if fresh:
            client.connection.close()
        since = time.perf_counter()
        client.connection.request(method, path, text, server.headers | headers)
        answer = client.connection.getresponse()
        began = time.perf_counter()
        got = answer.read()
        done = time.perf_counter()
        if answer.status != 200:
            raise RuntimeError(f"{server.name}: {method} {path}: {answer.status} {got[:300]!r}")
        began_ms.append((began - since) * 1000)
        whole_ms.append((done - since) * 1000)
    client.connection.close()
    return statistics.median(began_ms), statistics.median(whole_ms), json.loads(got)


def times(bench):
    return 5 if bench.options.quick else 21


def history(server, run_id, key, pages=None, fresh=False):
    """Seconds for the history in pages, its points and pages; pages: so many of them alone."""
    query = {"run_id": run_id, "metric_key": key, "max_results": PAGE}
    points, count, seconds = 0, 0, 0.0
    client = server.client()
    while pages is None or count < pages:
        if fresh:
            client.connection.close()
        since = time.perf_counter()
        got = client.send("GET", "/api/2.0/mlflow/metrics/get-history?" + urllib.parse.urlencode(query))
        seconds += time.perf_counter() - since
        page = json.loads(got)
        points += len(page.get("metrics", []))
        count += 1
        if not page.get("next_page_token"):
            break
        query["page_token"] = page["next_page_token"]
    client.connection.close()
    return seconds, points, count


# ---- cairnd ----

def stage(bench):
    server = bench.cairnd("reader")
    with server.client() as client:
        experiment = client.post("/experiments/create", name="read")["experiment_id"]
    long = LONG // 10 if bench.options.quick else LONG
    one = load(bench, server, experiment, "one", runs=1, keys=1, steps=long)[0]
    many = load(bench, server, experiment, "many", runs=100, keys=1, steps=10_000)
    seconds = bench.compacted(server, 15)
    bench.say(f"  compacted after {seconds:.1f} s" if seconds is not None else "  not compacted: what follows reads tail rows")
    bench.settle(server)
    one_series(bench, server, one, long)
    many_series(bench, server, many)
    seconds, points, pages = history(server, one, KEY)
    if points != long:
        raise RuntimeError(f"the history has {points} points of {long}")
    bench.put("history_s", seconds * LONG / long, f"{points:,} points in {pages} pages of {PAGE:,}, until each was read")
    bench.put("read_mib", processes.status(server.process.pid, "VmRSS"), "after all these charts and histories")


def load(bench, server, experiment, name, **settings):
    file = bench.folder / f"runs-{name}"
    said = bench.load(server, experiment, ids=file, values=0, **settings)
    bench.say(f"  {said['points']:,} points of {said['runs']} runs logged in {said['seconds']:.1f} s")
    return file.read_text().split()


def one_series(bench, server, run_id, points):
    for name, exact in (("exact_ms", "true"), ("previews_ms", "false")):
        query = urllib.parse.urlencode({"run_id": run_id, "key": KEY, "buckets": BUCKETS, "exact": exact})
        began, whole, answer = asked(server, "GET", f"/api/v1/metrics/series?{query}", times=times(bench))
        (series,) = answer["series"]
        if series["n"] != points or sum(series["points"]["count"]) != points:
            raise RuntimeError(f"the chart speaks of {series['n']} points of {points}")
        bench.put(name, began, f"until the answer began; {whole:.1f} ms until it was read; {len(series['points']['step'])} buckets of {points:,} points")
        bench.figures[name.replace("_ms", "_whole_ms")] = whole


def many_series(bench, server, run_ids):
    for name, exact in (("chart100_ms", False), ("chart100_exact_ms", True)):
        body = {"run_ids": run_ids, "keys": [KEY], "buckets": 500, "exact": exact}
        began, whole, answer = asked(server, "POST", "/api/v1/metrics/series", body, times=times(bench))
        if sum(sum(series["points"]["count"]) for series in answer["series"]) != 10_000 * len(run_ids):
            raise RuntimeError("the chart does not speak of all points")
        bench.put(name, began, f"until the answer began; {whole:.1f} ms until it was read")


# ---- disk ----

def disk(bench):
    """Three kinds of values apart, then together; the three alone in databases of their own."""
    scale = 10 if bench.options.quick else 1
    for values, name in ((0, "from float32"), (1, "full doubles"), (2, "four decimals"), (3, "mixed")):
        server = bench.cairnd(f"disk{values}")
        with server.client() as client:
            experiment = client.post("/experiments/create", name="disk")["experiment_id"]
        runs = (200 if values == 3 else 50) // scale
        said = bench.load(server, experiment, runs=runs, keys=10, steps=2000, values=values)
        seconds = bench.compacted(server, 15)
        size, points = bench.stored_bytes(server)
        if points != said["points"]:
            raise RuntimeError(f"{points} points are stored of {said['points']}")
        note = "" if seconds is not None else ", NOT all compacted"
        text = f"{name}: {points:,} points, {size / points:.2f} bytes a point{note}"
        if values < 3:
            bench.figures[f"disk_{values}_bytes"] = size / points
            bench.say(f"  {text}")
        else:
            bench.put("disk_bytes", size / points, text)
        bench.end(server)


# ---- MLflow ----

def mlflow(bench, server):
    """One long series written into MLflow's tables by COPY; its chart, some pages of its history, what its tables take."""
    long = LONG // 10 if bench.options.quick else LONG
    with server.client() as client:
        run_id = client.post("/runs/create", experiment_id="0", start_time=data.START)["run"]["info"]["run_id"]
    with bench.database(server) as cursor:
        before = table_bytes(cursor)
        began = time.monotonic()
        for first in range(0, long, 100_000):
            rows = io.StringIO("".join(f"{KEY}\t{1 / (i + 1)!r}\t{data.START + i * 1000}\t{i}\tf\t{run_id}\n"
                                       for i in range(first, min(long, first + 100_000))))
            cursor.copy_from(rows, "metrics", columns=("key", "value", "timestamp", "step", "is_nan", "run_uuid"))
        cursor.execute("INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
                       "SELECT key, value, timestamp, step, is_nan, run_uuid FROM metrics WHERE run_uuid = %s ORDER BY step DESC LIMIT 1", (run_id,))
        cursor.execute("VACUUM ANALYZE metrics")
        bench.say(f"  {long:,} points of one series written into MLflow's tables in {time.monotonic() - began:.0f} s")
        bench.put("mlflow_bytes", (table_bytes(cursor) - before) / long, "its tables and indexes, written in order by COPY, which favours it")
    query = urllib.parse.urlencode({"run_ids": run_id, "metric_key": KEY, "max_results": 320})
    path = f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}"
    began, whole, answer = asked(server, "GET", path, times=3 if bench.options.quick else 7, fresh=True)
    bench.put("mlflow_chart_ms", whole, f"{len(answer['metrics'])} points, a fresh connection each")
    seconds, points, pages = history(server, run_id, KEY, MLFLOW_PAGES, fresh=True)
    bench.put("mlflow_history_s", seconds * LONG / points, f"worked out from {pages} pages of {PAGE:,}, a fresh connection each")


def table_bytes(cursor):
    cursor.execute("SELECT sum(pg_total_relation_size(t)) FROM unnest(ARRAY['metrics', 'latest_metrics']::regclass[]) t")
    return int(cursor.fetchone()[0])
