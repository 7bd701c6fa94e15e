#!/usr/bin/env python3
"""An hour of steady work on one cairnd with its own PostgreSQL: what its tables, its dead rows and its memory do.

Runs start, log, are read, end, are deleted and removed for good; some last from the first minute to the last. Every minute a line; at the
end whether what vacuum has to clean stayed bounded, and whether all that was acknowledged in the runs that are left is there.
"""

import argparse
import base64
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import urllib.parse

BENCH = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent)]

import processes  # noqa: E402
import servers  # noqa: E402
from support.server import Server, environment  # noqa: E402

TABLES = ("metric_tail", "metric_chunk", "run_summary", "run_change", "run", "run_tag", "metric_key")
KEYS = 10
STEPS = 10  # of a batch
CLIENTS = 4
RUNS_EACH = 5
LASTING = 1  # of these, to the end
MIB = 1 << 20


def words(argv):
    parser = argparse.ArgumentParser(prog="run.sh hour", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=int, default=20000, help="points a second (default 20000)")
    parser.add_argument("--every", type=float, default=60, help="seconds from line to line (default 60)")
    parser.add_argument("--life", type=float, default=90, help="seconds that a run lasts, about (default 90)")
    parser.add_argument("--json", type=pathlib.Path, help="write every line there too")
    return parser.parse_args(argv)


class Run:
    def __init__(self, run_id, ends):
        self.run_id, self.ends = run_id, ends
        self.step = 0


class Worker(threading.Thread):
    """A client with a few runs at a time."""

    def __init__(self, hour, number):
        super().__init__(daemon=True)
        self.hour, self.dice = hour, random.Random(number)
        self.runs, self.ended, self.deleted = [], [], collections.deque()
        self.counts = collections.Counter()

    def run(self):
        with self.hour.client() as self.client:
            while not self.hour.over.is_set():
                began = time.monotonic()
                try:
                    self.turn()
                except (OSError, servers.Refused) as e:
                    self.counts["failed"] += 1
                    self.hour.say(f"  {type(e).__name__}: {e}")
                    self.client.connection.close()
                self.hour.over.wait(max(0.0, self.hour.pause_s - (time.monotonic() - began)))

    def turn(self):
        now = time.monotonic()
        if len(self.runs) < RUNS_EACH:
            self.start_run(now)
        run = self.dice.choice(self.runs)
        self.log(run)
        if now > run.ends:
            self.end_run(run, now)
        if self.deleted and now > self.deleted[0][0]:
            self.remove(self.deleted.popleft()[1])
        if self.dice.random() < 0.01:
            self.read(run)

    def start_run(self, now):
        lasting = sum(run.ends == float("inf") for run in self.runs) < LASTING
        made = self.client.post("/runs/create", experiment_id=self.hour.experiment, start_time=int(time.time() * 1000))
        ends = float("inf") if lasting else now + self.dice.uniform(0.3, 1.7) * self.hour.options.life
        self.runs.append(Run(made["run"]["info"]["run_id"], ends))
        self.counts["started"] += 1

    def log(self, run):
        at = int(time.time() * 1000)
        metrics = [{"key": f"train/metric_{k}", "value": self.dice.random(), "timestamp": at + i, "step": run.step + i}
                   for i in range(STEPS) for k in range(KEYS)]
        self.client.post("/runs/log-batch", run_id=run.run_id, metrics=metrics)
        self.client.post("/runs/log-metric", run_id=run.run_id, key="epoch", value=run.step, timestamp=at, step=run.step)
        run.step += STEPS
        self.counts["points"] += len(metrics) + 1

    def end_run(self, run, now):
        self.client.post("/runs/update", run_id=run.run_id, status="FINISHED", end_time=int(time.time() * 1000))
        self.runs.remove(run)
        self.counts["ended"] += 1
        if self.dice.random() < 0.4:
            self.client.post("/runs/delete", run_id=run.run_id)
            self.counts["deleted"] += 1
            self.deleted.append((now + 20, run))
        else:
            self.ended.append(run)

    def remove(self, run):
        if self.hour.can_remove:
            self.client.send("DELETE", f"/api/v1/runs/{run.run_id}")
            self.counts["removed"] += 1

    def read(self, run):
        query = urllib.parse.urlencode({"run_id": run.run_id, "key": "train/metric_0", "buckets": 500})
        self.client.send("GET", f"/api/v1/metrics/series?{query}")
        self.client.post("/runs/search", experiment_ids=[self.hour.experiment], filter="metrics.`train/metric_0` > 0.9", max_results=20)
        self.counts["reads"] += 1


class Hour:
    def __init__(self, options):
        self.options = options
        self.over = threading.Event()
        self.pause_s = CLIENTS * (KEYS * STEPS + 1) / options.rate
        self.lines = []

    def say(self, text):
        print(text, flush=True)

    def client(self):
        return servers.Client(self.server.port, self.headers)

    def run(self):
        with Server() as self.server:
            word = base64.b64encode(f"{self.server.user}:{self.server.password}".encode()).decode()
            self.headers = {"Authorization": f"Basic {word}"}
            with self.client() as client:
                self.experiment = client.post("/experiments/create", name="an hour")["experiment_id"]
            routes = subprocess.run([os.environ["CAIRND"], "routes"], capture_output=True, text=True, check=True).stdout
            self.can_remove = "DELETE\t/api/v1/runs/{run_id}\t" in routes
            self.workers = [Worker(self, i) for i in range(CLIENTS)]
            try:
                return self.work()
            finally:
                self.over.set()
                for worker in self.workers:
                    worker.join(30)

    def work(self):
        self.say(f"{self.options.minutes:g} minutes at {self.options.rate:,} points/s; removal {'on' if self.can_remove else 'NOT THERE'}")
        self.head()
        for worker in self.workers:
            worker.start()
        began = time.monotonic()
        while time.monotonic() - began < self.options.minutes * 60:
            next_line = began + (len(self.lines) + 1) * self.options.every
            time.sleep(max(0.0, next_line - time.monotonic()))
            self.line(time.monotonic() - began)
        self.over.set()
        for worker in self.workers:
            worker.join(30)
        whole = self.check()
        return self.judge() and whole

    # ---- a line a minute ----

    def look(self):
        listed = ", ".join(f"'{name}'" for name in TABLES)
        rows = self.server.query(
            f"SELECT relname, pg_total_relation_size(relid), n_live_tup, n_dead_tup, autovacuum_count FROM pg_stat_user_tables "
            f"WHERE schemaname = 'cairn' AND relname IN ({listed})")
        found = {}
        for row in rows.splitlines():
            name, *numbers = row.split("|")
            found[name] = dict(zip(("bytes", "live", "dead", "vacuums"), map(int, numbers)))
        found["metric_tail"]["rows"] = int(self.server.query("SELECT count(*) FROM cairn.metric_tail"))
        return found

    def head(self):
        self.say("sizes in MiB with indexes, dead rows behind them")
        self.say(f"{'minute':>6}{'M points':>10}{'runs':>7}{'gone':>7}{'resident':>9}{'disk':>8}{'tail rows':>10}" + "".join(f"{name:>22}" for name in TABLES[:5]))

    def total(self, name):
        return sum(worker.counts[name] for worker in self.workers)

    def line(self, seconds):
        tables = self.look()
        disk = int(self.server.query("SELECT pg_database_size(current_database())")) / MIB
        resident = processes.status(self.server.process.pid, "VmRSS")
        one = {"minute": seconds / 60, "points": self.total("points"), "runs": self.total("started"), "resident_mib": resident,
               "database_mib": disk, "tables": tables, "failed": self.total("failed"),
               "gone": self.total("removed") if self.can_remove else self.total("deleted")}
        self.lines.append(one)
        sizes = "".join(f"{tables[t]['bytes'] / MIB:>11.1f} {tables[t]['dead']:>10,}" for t in TABLES[:5])
        self.say(f"{seconds / 60:>6.1f}{one['points'] / 1e6:>10.2f}{one['runs']:>7}{one['gone']:>7}{resident:>9.1f}{disk:>8.1f}"
                 f"{tables['metric_tail']['rows']:>10,}{sizes}")

    # ---- the end ----

    def check(self):
        """Runs that are left hold what was acknowledged."""
        left = [run for worker in self.workers for run in worker.ended + worker.runs]
        wrong = 0
        with self.client() as client:
            for run in random.Random(1).sample(left, min(30, len(left))):
                query = {"run_id": run.run_id, "metric_key": "train/metric_0", "max_results": 25000}
                steps = []
                while True:
                    page = client.get("/metrics/get-history?" + urllib.parse.urlencode(query))
                    steps += [int(m["step"]) for m in page.get("metrics", [])]
                    if not page.get("next_page_token"):
                        break
                    query["page_token"] = page["next_page_token"]
                wrong += steps != list(range(run.step))
        self.say(f"{self.total('points'):,} points acknowledged, {self.total('failed')} requests failed, {self.total('ended')} runs ended, "
                 f"{self.total('deleted')} deleted, {self.total('removed')} removed, {self.total('reads')} looks; of {min(30, len(left))} runs read back {wrong} differ")
        return wrong == 0 and self.total("failed") == 0

    def judge(self):
        """Bounded: the second half has no more dead rows than the first, or, where a minute brings thousands and takes them, is no larger."""
        half = len(self.lines) // 2
        first, second = self.lines[:half], self.lines[half:]
        if not first:
            self.say("too short to say whether vacuum keeps up")
            return True
        good = True
        for table in TABLES[:5]:
            dead = [max(line["tables"][table]["dead"] for line in part) for part in (first, second)]
            size = [max(line["tables"][table]["bytes"] for line in part) / MIB for part in (first, second)]
            bounded = dead[1] <= 1.5 * dead[0] + 2000 or size[1] <= 1.25 * size[0]
            good = good and bounded
            self.say(f"{table:<13} dead rows at most {dead[0]:,} in the first half, {dead[1]:,} in the second; size {size[0]:.1f}, then {size[1]:.1f} MiB; "
                     f"{self.lines[-1]['tables'][table]['vacuums']} vacuums{'' if bounded else ': NOT bounded'}")
        tail = [max(line["tables"]["metric_tail"]["bytes"] for line in part) for part in (first, second)]
        good = good and tail[1] <= 1.5 * tail[0] + 8 * MIB
        self.say(f"vacuum debt stayed bounded: {'yes' if good else 'NO'}")
        return good


def main(argv):
    options = words(argv)
    processes.adopt_orphans()
    hour = Hour(options)
    try:
        return 0 if hour.run() else 1
    except KeyboardInterrupt:
        return 130
    finally:
        if options.json:
            options.json.write_text(json.dumps(hour.lines, indent=1) + "\n")
        processes.stop_orphans()


if __name__ == "__main__":
    os.environ.update({k: v for k, v in environment().items() if k.endswith("SAN_OPTIONS")})
    sys.exit(main(sys.argv[1:]))
