"""Writing: raw COPY before and after, cairnd and the server that stores nothing in turns, mlflow server at its best; and the codecs."""

import collections
import json
import re
import statistics

import data
import goals
import loads
import metrics_read
import metrics_search
import processes

CLIENTS = 64
RUNS = 128
SIZES = (1000, 100, 1)
MLFLOW_CLIENTS = (8, 16)


def make_runs(bench, server):
    """Runs to log to: a file with their ids, one a line."""
    with server.client() as client:
        experiment = client.post("/experiments/create", name="ingest")["experiment_id"]
        ids = [client.post("/runs/create", experiment_id=experiment, start_time=data.START)["run"]["info"]["run_id"] for _ in range(RUNS)]
    file = bench.folder / f"ids-{server.name}"
    file.write_text("".join(f"{run_id}\n" for run_id in ids))
    return file


def raw_copy(bench, conninfo, seconds):
    said = json.loads(bench.program("baseline_bench", "copy", conninfo, seconds))
    bench.figures["raw_bytes"] = said["bytes"] / said["points"]
    return said["points"] / said["seconds"]


repetitions = iter(range(1, 1 << 30))


def load(bench, server, ids, points, clients, seconds, mode=None):
    """One load by wrk; points a second, and what wrk said."""
    said = loads.wrk(server, clients, seconds, [mode or ("metric" if points == 1 else "batch"), ids, next(repetitions), points])
    for fault in loads.faults(server.name, [said]):
        bench.say(f"    {fault}")
    good = said["requests"] - said["refused"]
    return good * points / said["seconds"], said


def stage(bench):
    conninfo = bench.cluster.create("baseline")
    ours = bench.cairnd("cairnd")
    bench.settle(ours)
    bench.put("idle_mib", processes.status(ours.process.pid, "VmRSS"), "a server just started, with its first user")
    null = bench.cairnd("null", program=bench.programs / "cairnd_null")
    ids = {server.name: make_runs(bench, server) for server in (ours, null)}
    for points in SIZES:
        one_size(bench, conninfo, ours, null, ids, points)
    one_by_one(bench, conninfo)
    columns(bench, ours, null, ids)
    bench.settle(ours)
    bench.put("after_load_mib", processes.status(ours.process.pid, "VmRSS"), "the loads are over")


def columns(bench, ours, null, ids):
    """The same batches by the binary route, which MLflow's clients do not speak."""
    for name, server in (("binary_1000", ours), ("binary_null_1000", null)):
        bench.settle(ours, null)
        rate, _ = load(bench, server, ids[server.name], 1000, CLIENTS, bench.options.seconds, "columns")
        bench.put(name, rate)


def one_size(bench, conninfo, ours, null, ids, points):
    """ratios need their baselines close by: COPY, then both servers in turns, then COPY"""
    seconds = bench.options.seconds
    copies = [raw_copy(bench, conninfo, seconds / 2)]
    rates, latencies, memory = collections.defaultdict(list), [], []
    for repetition in range(bench.options.repeat):
        for server in (ours, null) if repetition % 2 == 0 else (null, ours):
            bench.settle(ours, null)
            watch = processes.Memory(server.process.pid)
            rate, said = load(bench, server, ids[server.name], points, CLIENTS, seconds)
            held = watch.stop()
            rates[server.name].append(rate)
            if server is ours:
                latencies.append(said)
                memory.append(held)
    bench.settle(ours, null)
    copies.append(raw_copy(bench, conninfo, seconds / 2))
    bench.say(f"  {points} points a request, {CLIENTS} clients")
    bench.put(f"copy_{points}", statistics.mean(copies), f"before and after: {', '.join(goals.short(c) for c in copies)}")
    used = statistics.median(said["cpu_s"] / said["seconds"] for said in latencies)
    bench.put(f"ours_{points}", statistics.median(rates[ours.name]), f"wrk takes {used:.2f} processors of the machine's")
    bench.put(f"ours_{points}_p50_ms", statistics.median(s["p50_ms"] for s in latencies))
    bench.put(f"ours_{points}_p99_ms", statistics.median(s["p99_ms"] for s in latencies))
    bench.put(f"null_{points}", statistics.median(rates[null.name]))
    bench.put(f"load_{points}_mib", statistics.median(m[0] for m in memory))
    bench.put(f"load_{points}_peak_mib", max(m[1] for m in memory))


def one_by_one(bench, conninfo):
    bench.say(f"  one transaction a request on MLflow's schema, in C, {CLIENTS} connections")
    said = json.loads(bench.program("baseline_bench", "rows", conninfo, bench.options.seconds, CLIENTS))
    bench.put("rows_1", said["points"] / said["seconds"])
    bench.put("rows_1_p50_ms", said["p50_ms"])
    bench.put("rows_1_p99_ms", said["p99_ms"])


def mlflow(bench):
    """mlflow server: writing at the client count it does best with, then what it reads and finds, while it runs."""
    server = bench.mlflow()
    ids = make_runs(bench, server)
    for points in SIZES:
        best = {}
        for clients in MLFLOW_CLIENTS:
            best[clients], _ = load(bench, server, ids, points, clients, max(3, bench.options.seconds))
            processes.settle(server.process.pid, timeout_s=5)
        clients = max(best, key=best.get)
        bench.put(f"mlflow_{points}", best[clients], f"{clients} clients, of {', '.join(f'{c}: {v:,.0f}' for c, v in best.items())}")
    metrics_read.mlflow(bench, server)
    metrics_search.mlflow(bench, server)


def codecs(bench):
    """Programs of their own, on one core: parsing beside jansson, and writing JSON."""
    said = bench.program("scanner_bench")
    bench.say("  " + said.strip().replace("\n", "\n  "))
    ratios = [float(r) for r in re.findall(r"ratio ([\d.]+)", said)]
    bench.put("parse_ratio", min(ratios), f"the least of {ratios}")
    said = bench.program("json_bench", 200_000)
    bench.say("  " + said.strip().replace("\n", "\n  "))
    rows = re.findall(r"^(\w[\w ]*?) +([\d.]+) +[\d.]+ +[\d.]+ \|", said, re.MULTILINE)
    slowest = min(rows, key=lambda row: float(row[1]))
    bench.put("json_points", 1e6 * float(slowest[1]), f"histories, {slowest[0]}, the slowest of {len(rows)} kinds of values")
