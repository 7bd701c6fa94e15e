"""The large set: 75,000 runs of 150 metrics of 20 steps, 225 million points: loaded through HTTP, compacted, searched, drawn."""

import processes
from metrics_read import asked, times

MIB = 1 << 20
KEYS, STEPS = 150, 20


def stage(bench):
    runs = bench.options.large_runs // (100 if bench.options.quick else 1)
    server = bench.cairnd("large")
    with server.client() as client:
        experiment = client.post("/experiments/create", name="large")["experiment_id"]
    ids = bench.folder / "runs-large"
    watch = processes.Memory(server.process.pid)
    said = bench.load(server, experiment, runs=runs, keys=KEYS, steps=STEPS, points=3000, binary=1, ids=ids)
    held = watch.stop()
    bench.put("large_load_s", said["seconds"], f"{said['points']:,} points of {runs:,} runs, "
              f"{said['points'] / said['seconds'] / 1e6:.2f} M points/s, {said['requests']:,} requests, {said['retries']} told to come again")
    bench.put("large_load_mib", held[0], f"while loading; at most {held[1]:.0f}")
    seconds = bench.compacted(server, 60)
    if seconds is not None:
        bench.put("large_compaction_s", seconds, "from the end of the load until no tail row was left")
    disk(bench, server, said["points"])
    reads(bench, server, experiment, ids.read_text().split())
    bench.put("large_after_mib", processes.status(server.process.pid, "VmRSS"), "at the end")


def disk(bench, server, logged):
    size, points = bench.stored_bytes(server)
    if points != logged:
        raise RuntimeError(f"{points:,} points are stored of {logged:,}")
    bench.put("large_bytes", size / points, f"{size / MIB:,.0f} MiB for {points:,} points")
    with bench.database(server) as cursor:
        cursor.execute("SELECT relname, pg_total_relation_size(oid), pg_relation_size(oid) FROM pg_class "
                       "WHERE relname IN ('metric_tail', 'metric_chunk', 'run_summary', 'run', 'metric_key') AND relkind IN ('r', 'p') ORDER BY 1")
        for name, total, heap in cursor.fetchall():
            bench.say(f"    {name:<14} {total / MIB:>9,.1f} MiB, of these the heap {heap / MIB:,.1f}")


def reads(bench, server, experiment, run_ids):
    for what, body in (("newest", {"order_by": ["attributes.start_time DESC"]}),
                       ("metric filter and order", {"filter": "metrics.`train/metric_3` > 0.9", "order_by": ["metrics.`train/metric_7` ASC"]})):
        body |= {"experiment_ids": [experiment], "max_results": 100}
        first, _, _ = asked(server, "POST", "/api/2.0/mlflow/runs/search", body)
        began, whole, answer = asked(server, "POST", "/api/2.0/mlflow/runs/search", body, times=times(bench))
        bench.say(f"  search, {what}: the first {first:,.1f} ms, then {began:.1f} ms until the answer began, {whole:.1f} ms until "
                  f"{len(answer.get('runs', []))} runs of {KEYS} metrics were read")
    for what, runs, keys in (("100 runs, one metric", 100, 1), ("one run, 150 metrics", 1, KEYS), ("20 runs, 50 metrics", 20, 50)):
        body = {"run_ids": run_ids[:runs], "keys": [f"train/metric_{k}" for k in range(keys)], "buckets": 500}
        began, whole, answer = asked(server, "POST", "/api/v1/metrics/series", body, times=times(bench))
        points = sum(series["n"] for series in answer["series"])
        if points != min(runs, len(run_ids)) * keys * STEPS:
            raise RuntimeError(f"the chart of {what} speaks of {points} points")
        bench.say(f"  chart of {what}: {began:.1f} ms until the answer began, {whole:.1f} ms until {points:,} points were read")
