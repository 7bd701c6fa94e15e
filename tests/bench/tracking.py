#!/usr/bin/env python3
"""cairnd beside mlflow server, on one private PostgreSQL, in one run: same client, same data, answers compared first.

Prints values and ratios ("times": how many times better cairnd is); asserts nothing about time. README.md says how it measures.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import sys
import threading
import time

import psycopg2

import cluster
import data
import processes
import servers
from loads import faults, wrk

STALL_AT = 64  # clients that MLflow's server has been seen to stand still with
LONG_POINTS = 20000
MIB = 1 << 20


def words(argv):
    parser = argparse.ArgumentParser(prog="run.sh tracking", description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=2000, help="runs that are searched (default 2000)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one repetition of a load (default 1)")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of which the median is taken (default 3)")
    parser.add_argument("--minutes", type=float, default=5.5, help="what is not begun by then is left out (default 5.5)")
    parser.add_argument("--artifact-mib", type=int, default=256, help="size of the large artifact (default 256)")
    parser.add_argument("--files", type=int, default=500, help="number of small artifacts (default 500)")
    parser.add_argument("--only", default="", help="these groups alone, by commas: start, memory, single, load, stall, artifacts")
    parser.add_argument("--json", type=pathlib.Path, help="write every value there too")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    return parser.parse_args(argv)


class Table:
    """Rows of (what, value by server); printed as they come, and kept."""

    def __init__(self):
        self.rows = []

    def head(self, title, unit):
        print(f"\n{title + ', ' + unit:<62}{'cairnd':>11}{'mlflow':>11}{'times':>9}", flush=True)

    def add(self, what, unit, values, more_is_better, notes=()):
        ours, theirs = values["cairnd"], values["mlflow"]
        good = [v for v in (ours, theirs) if v]
        times = "-" if len(good) < 2 else f"{ours / theirs if more_is_better else theirs / ours:.1f}"
        print(f"  {what:<60}{number(ours):>11}{number(theirs):>11}{times:>9}", flush=True)
        for note in notes:
            print(f"      {note}")
        self.rows.append({"what": what, "unit": unit, **values, "times": None if times == "-" else float(times), "notes": list(notes)})


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = pathlib.Path(folder)
        self.ends = time.monotonic() + options.minutes * 60
        self.table = Table()
        self.cluster = cluster.Cluster(folder)
        self.pair = []
        self.loaded, self.live, self.ids, self.read_ids, self.long_run = {}, {}, {}, {}, {}

    def out_of_time(self, what):
        if time.monotonic() < self.ends:
            return False
        print(f"  {what}: left out, the time is up")
        return True

    def in_turn(self, measure):
        """measure(server, repetition) for both, taking turns; {name: [values]}."""
        found = {server.name: [] for server in self.pair}
        for repetition in range(self.options.repeat):
            for server in self.pair if repetition % 2 == 0 else self.pair[::-1]:
                found[server.name].append(measure(server, repetition))
                processes.settle(server.process.pid)
        return found

    # ---- start and memory ----

    def start(self):
        self.cluster.start()
        self.pair = [servers.Cairnd(self.folder, self.cluster), servers.Mlflow(self.folder, self.cluster)]
        self.table.head("start, until /health says 200", "seconds")
        first = {server.name: started(server) for server in self.pair}
        self.table.add("first, on an empty database", "s", first, False)
        self.pair[0].add_user()
        later = collections.defaultdict(list)
        for _ in range(2):
            if later and time.monotonic() > self.ends - 0.75 * 60 * self.options.minutes:
                break  # a busy machine: the rest matters more
            for server in self.pair:
                server.stop()
                later[server.name].append(started(server))
        self.table.add(f"later (median of {len(later['mlflow'])})", "s", {name: statistics.median(v) for name, v in later.items()}, False)

    def stop(self):
        for server in self.pair:
            server.stop()
        self.cluster.stop()
        processes.stop_orphans()

    def memory(self, when):
        """Every process named and counted, as resident, and with pages that processes share in parts (PSS)."""
        for server in self.pair:
            processes.settle(server.process.pid, timeout_s=20, quiet_s=1)
        print(f"\nmemory when idle, {when}, MiB{'':<29}{'processes':>11}{'resident':>11}{'shared once':>13}")
        sums = {}
        for server in self.pair:
            kinds = collections.defaultdict(list)
            for pid in processes.family(server.process.pid):
                kinds[short_name(pid)].append(processes.memory(pid))
            sums[server.name] = print_memory(server.name, kinds)
        kinds = collections.defaultdict(list)
        for pid in processes.family(self.cluster.process.pid):
            name = processes.name_of(pid)
            kinds[name.removeprefix("postgres: ") if name.startswith("postgres: ") else "postmaster"].append(processes.memory(pid))
        print_memory("postgres", {backend_name(k): kinds_of(kinds, backend_name(k)) for k in kinds})
        self.table.head(f"memory when idle, {when}", "MiB")
        self.table.add("cairnd: resident; mlflow: shared pages counted once", "MiB",
                       {"cairnd": sums["cairnd"][0] / MIB, "mlflow": sums["mlflow"][1] / MIB}, False)

    # ---- data, and the same answers ----

    def load(self):
        began = time.monotonic()
        numbers = list(range(self.options.runs))
        for server in self.pair:
            with server.client() as client:
                self.loaded[server.name] = client.post("/experiments/create", name="loaded")["experiment_id"]
                self.live[server.name] = client.post("/experiments/create", name="live")["experiment_id"]
        ours, theirs = self.pair
        data.load_by_api(ours, self.loaded[ours.name], numbers)
        data.load_by_sql(theirs, self.loaded[theirs.name], numbers)
        with psycopg2.connect(ours.conninfo) as database:
            database.autocommit = True
            database.cursor().execute("ANALYZE")
        database.close()
        print(f"\n{len(numbers)} runs of 10 metrics and 8 params in both, after {time.monotonic() - began:.0f} s")
        self.compare()
        self.make_targets()

    def compare(self):
        """Both must answer alike, and as worked out here."""
        given = {server.name: data.answers(server, self.loaded[server.name], self.live[server.name]) for server in self.pair}
        for what, answer in given["cairnd"].items():
            if answer != given["mlflow"][what]:
                raise SystemExit(f"bench: the answers differ: {what}\ncairnd: {str(answer)[:2000]}\nmlflow: {str(given['mlflow'][what])[:2000]}")
        for search, names in data.expected(self.options.runs).items():
            if [run["run_name"] for run in given["cairnd"][f"search, {search}"]] != names:
                raise SystemExit(f"bench: both find other runs than they should: {search}")
        print(f"both give the same right answers to: {'; '.join(given['cairnd'])}")

    def make_targets(self):
        """Runs to read and runs to log to (ids, in a file for each server), and one with a long history."""
        for server in self.pair:
            with server.client() as client:
                ids = [data.make_run(client, self.live[server.name], i) for i in range(161)]
                data.log_long(client, ids[-1], LONG_POINTS)
            for files, some in ((self.read_ids, ids[:32]), (self.ids, ids[32:-1])):
                files[server.name] = self.folder / f"{len(some)}-ids-{server.name}"
                files[server.name].write_text("".join(f"{run_id}\n" for run_id in some))
            self.long_run[server.name] = ids[-1]

    # ---- one request at a time ----

    def single(self):
        self.table.head("one client, a fresh connection each", "ms")
        for what, request in self.single_requests():
            self.rate(what, 1, "send", request, longer=2, fresh=True)

    def single_requests(self):
        first = {name: file.read_text().split("\n", 1)[0] for name, file in self.read_ids.items()}
        yield "runs/get", lambda s: (f"/runs/get?run_id={first[s.name]}", None)
        yield f"runs/get, a run of {LONG_POINTS:,} points", lambda s: (f"/runs/get?run_id={self.long_run[s.name]}", None)
        yield "runs/create", lambda s: ("/runs/create", self.run_body(s))
        for search in data.SEARCHES:
            yield f"runs/search, {search}", lambda s, which=search: ("/runs/search", data.body_of(self.loaded[s.name], which))

    def run_body(self, server):
        tags = data.pairs({"mlflow.user": "bench", "mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"})
        return {"experiment_id": self.live[server.name], "run_name": "bench", "start_time": data.START, "tags": tags}

    # ---- many requests ----

    def loads(self):
        self.table.head("kept connections", "requests a second, median")
        for clients in (1, 8, 16):
            self.rate(f"runs/get, {plural(clients)}", clients, "get")
        for clients in (1, 8, 16):
            self.rate(f"runs/create, {plural(clients)}", clients, "send", lambda s: ("/runs/create", self.run_body(s)))
        for search in data.SEARCHES:
            for clients in (1, 16):
                self.rate(f"runs/search, {search}, {plural(clients)}", clients, "send",
                          lambda s, which=search: ("/runs/search", data.body_of(self.loaded[s.name], which)), longer=2)
        for clients in (1, 8):
            self.rate(f"log-metric, {plural(clients)}", clients, "metric")
        for points in (100, 1000):
            for clients in (1, 8, 16):
                self.rate(f"log-batch of {points} points, {plural(clients)}", clients, "batch", points=points, longer=points // 500 or 1)

    def stalls(self):
        self.table.head(f"{STALL_AT} clients, kept connections", "requests a second, median")
        self.rate(f"runs/get, {plural(STALL_AT)}", STALL_AT, "get", longer=2.5)
        self.rate(f"log-metric, {plural(STALL_AT)}", STALL_AT, "metric", longer=2.5)

    def rate(self, what, clients, mode, request=None, points=1, longer=1, fresh=False):
        """Requests a second of so many clients. fresh: milliseconds a request, with the connection of its own that it needs."""
        if self.out_of_time(what):
            return
        watch = Watch(self.pair) if clients >= STALL_AT else None

        def measure(server, repetition):
            ids = self.read_ids if mode == "get" else self.ids
            file = self.request_file(server, request) if request else ids[server.name]
            seconds = self.options.seconds * (longer if server.name == "mlflow" else 1)
            result = wrk(server, clients, seconds, [mode, file, self.next_base(), points], fresh)
            if watch:
                watch.probe(server)
            return result
        if watch:
            watch.begin()
        found = self.in_turn(measure)
        notes = [note for name, results in found.items() for note in faults(name, results)]
        if watch:
            notes += watch.end()
        values = {name: statistics.median(r["requests"] / r["seconds"] for r in results) for name, results in found.items()}
        if fresh:
            values = {name: 1000 / value if value else None for name, value in values.items()}
        self.table.add(what, "ms" if fresh else "1/s", values, not fresh, notes)
        self.table.rows[-1]["repetitions"] = found

    # ---- the aims ----

    def closing(self):
        """Reading, searching and creating: how many times better, and what was aimed at."""
        ratios = {(row["what"], row["unit"]): row["times"] for row in self.table.rows}
        search = f"runs/search, {list(data.SEARCHES)[1]}"
        print(f"\n{'how many times better (the aim)':<62}{'fresh, 1':>12}{'kept, 1':>12}{'kept, 16':>12}")
        for title, what, aim in (("reading a run", "runs/get", 50), ("creating a run", "runs/create", 20),
                                 (f"searching 100 of {self.options.runs:,} runs: metric filter, order", search, 50)):
            wanted = [((what, "ms"), 20), ((f"{what}, {plural(1)}", "1/s"), None), ((f"{what}, {plural(16)}", "1/s"), aim)]
            cells = [f"{ratios[key]:.1f}" + (f" ({least})" if least else "") if ratios.get(key) else "-" for key, least in wanted]
            print(f"  {title:<60}" + "".join(f"{cell:>12}" for cell in cells), flush=True)

    bases = 0

    def next_base(self):
        """No repetition logs the points of another."""
        Bench.bases += 1
        return Bench.bases

    def request_file(self, server, request):
        path, body = request(server)
        file = self.folder / "request"
        file.write_text(f"GET\n{servers.MLFLOW}{path}\n" if body is None else f"POST\n{servers.MLFLOW}{path}\n{json.dumps(body)}\n")
        return file

    # ---- artifacts ----

    def artifacts(self):
        run_ids = {name: file.read_text().split("\n", 1)[0] for name, file in self.ids.items()}
        places = {name: f"{servers.ARTIFACTS}/{self.live[name]}/{run_ids[name]}/artifacts" for name in run_ids}
        large = os.urandom(MIB) * self.options.artifact_mib
        digest = hashlib.sha256(large).digest()
        self.table.head("artifacts through the server", "MiB or files a second, median")

        def put_large(server, repetition):
            return self.options.artifact_mib / timed(put_one, server, f"{places[server.name]}/large-{repetition}", large)

        def get_large(server, repetition):
            began = time.monotonic()
            with server.client() as client:
                got = client.send("GET", f"{places[server.name]}/large-{repetition}")
            took = time.monotonic() - began
            if hashlib.sha256(got).digest() != digest:
                raise SystemExit(f"bench: {server.name} gives back other bytes than it took")
            return self.options.artifact_mib / took

        def put_small(server, repetition):
            return self.options.files / timed(small_files, server, f"{places[server.name]}/small-{repetition}", self.options.files, True)

        def get_small(server, repetition):
            return self.options.files / timed(small_files, server, f"{places[server.name]}/small-{repetition}", self.options.files, False)

        size = f"{self.options.artifact_mib} MiB, one client"
        many = f"{self.options.files} files of 4 KiB, 16 clients"
        for what, unit, measure in ((f"put {size}", "MiB/s", put_large), (f"get {size}", "MiB/s", get_large),
                                    (f"put {many}", "files/s", put_small), (f"get {many}", "files/s", get_small)):
            if not self.out_of_time(what):
                self.table.add(what, unit, {n: statistics.median(v) for n, v in self.in_turn(measure).items()}, True)


# ---- parts ----

def plural(clients):
    return "1 client" if clients == 1 else f"{clients} clients"


def started(server):
    """Seconds until it answers; what it still does after that disturbs nobody."""
    seconds = server.start()
    processes.settle(server.process.pid, timeout_s=20, quiet_s=0.5)
    return seconds


class Watch:
    """What a load does to MLflow's connections while it runs, and how long one read takes right after."""

    def __init__(self, pair):
        self.pair = pair
        self.after = collections.defaultdict(list)
        self.most = collections.Counter()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def look(self):
        database = psycopg2.connect(self.pair[0].conninfo)
        database.autocommit = True
        with database.cursor() as cursor:
            while not self.over.wait(0.2):
                cursor.execute("SELECT datname, count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' GROUP BY 1")
                for name, count in cursor.fetchall():
                    self.most[name] = max(self.most[name], count)
        database.close()

    def begin(self):
        self.thread.start()

    def probe(self, server):
        began = time.monotonic()
        try:
            with server.client(10) as client:
                client.get("/experiments/get?experiment_id=0")
            self.after[server.name].append(f"{(time.monotonic() - began) * 1000:.0f} ms")
        except OSError:
            self.after[server.name].append("more than 10 s")

    def end(self):
        self.over.set()
        self.thread.join()
        for name, taken in self.after.items():
            yield f"{name}: a single read right after took {', '.join(taken)}; at most {self.most[name]} connections idle in transaction"


def timed(work, *args):
    began = time.monotonic()
    work(*args)
    return time.monotonic() - began


def put_one(server, path, content):
    with server.client() as client:
        client.send("PUT", path, content)


def small_files(server, folder, count, put):
    """16 clients, each with a kept connection."""
    def some(numbers):
        with server.client() as client:
            for i in numbers:
                content = i.to_bytes(4, "big") * 1024
                if put:
                    client.send("PUT", f"{folder}/{i}", content)
                elif client.send("GET", f"{folder}/{i}") != content:
                    raise SystemExit(f"bench: {server.name} gives back other bytes than it took")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(some, [range(k, count, 16) for k in range(16)]))


def short_name(pid):
    """A command line without folders and numbers that differ."""
    parts = [part.rpartition("/")[2] for part in processes.name_of(pid).split()[:6]]
    return " ".join(parts)[:52]


def backend_name(title):
    """A backend by its database and user, not by its state."""
    return " ".join(title.split()[:2]) + " (backend)" if "[local]" in title else title


def kinds_of(kinds, wanted):
    return [size for title, sizes in kinds.items() if backend_name(title) == wanted for size in sizes]


def print_memory(owner, kinds):
    """A line for each kind of process; the bytes they hold, as resident and with shared pages counted once."""
    for name, sizes in sorted(kinds.items()):
        resident, share = (sum(s[i] for s in sizes) / MIB for i in (0, 1))
        print(f"  {owner + ': ' + name:<58}{len(sizes):>4}{resident:>11.1f}{share:>13.1f}")
    every = [size for sizes in kinds.values() for size in sizes]
    resident, share = (sum(s[i] for s in every) / MIB for i in (0, 1))
    print(f"  {owner + ', all':<58}{len(every):>4}{resident:>11.1f}{share:>13.1f}")
    return [sum(s[i] for s in every) for i in (0, 1)]


def measure(bench, groups):
    bench.start()
    if "memory" in groups:
        bench.memory("after the start")
    if groups & {"single", "load", "stall", "artifacts"}:
        bench.load()
    for group, work in (("single", bench.single), ("load", bench.loads), ("artifacts", bench.artifacts)):
        if group in groups:
            work()
    if "memory" in groups and groups & {"load", "artifacts"}:
        bench.memory("after the load")
    if "stall" in groups:
        bench.stalls()
    if groups & {"single", "load"}:
        bench.closing()


def main(argv):
    options = words(argv)
    groups = set(filter(None, options.only.split(","))) or {"start", "memory", "single", "load", "stall", "artifacts"}
    processes.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = cluster.make_folder()
    bench = Bench(options, folder)
    began = time.monotonic()
    code = 0
    try:
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start, {platform.release()}")
        measure(bench, groups)
        versions = ", ".join(server.version() for server in bench.pair)
        print(f"\n{versions}; {options.repeat} repetitions of {options.seconds:g} s; {time.monotonic() - began:.0f} s in all; "
              f"load {os.getloadavg()[0]:.1f} at the end")
    except KeyboardInterrupt:
        code = 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        bench.stop()
        if options.json:
            options.json.write_text(json.dumps(bench.table.rows, indent=1) + "\n")
        if options.keep:
            print(f"the logs are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
