#!/usr/bin/env python3
"""Kills while clients log: everything acknowledged must be there afterwards, once, and nothing that nobody sent.

    checker.py [--kills N] [--seed S] [--embedded] [--clients N] [--verify N]

Clients log points through HTTP and remember what was acknowledged. Meanwhile cairnd is killed, PostgreSQL is killed, restarted at once, or
loses backends, while points come in and while they are compacted (runs end all the time). Two cairnd share one PostgreSQL; with --embedded
one cairnd runs its own. Every few kills the histories of all metrics since written are read back, at the end all of them, and what the
server says of a metric in a few numbers is held against them. Ends with "N kills, A acknowledged, S stored, 0 lost, 0 doubled"; the exit
code is 1 if anything was lost, doubled, altered or answered as it must not be. The binary is what CAIRND names.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "bench")]

import cluster  # noqa: E402
import processes  # noqa: E402
from support.server import Server, cairnd, environment, make_folder  # noqa: E402

API = "/api/2.0/mlflow"
BASE_MS = 1700000000000
AGAIN = {429, 503, 504}  # what a client may be told when it is to come again
UNSENT, MAYBE, ACKNOWLEDGED, SEEN = 0, 1, 2, 4
RUNS_OPEN = 4
PATIENCE_S = 60
PAGE = 20000


class Series:
    """A metric of a run. Its points follow from their number, which is their time too: what is read back tells which it is."""

    def __init__(self, key):
        self.key = key
        self.salt = sum(map(ord, key)) * 7919
        self.state = bytearray()

    def reserve(self, count):
        """Numbers for new points, from … to."""
        first = len(self.state)
        self.state += bytes(count)
        return first, first + count

    def point(self, number):
        """(step, time, value): mostly in order, some steps go back, some are there twice."""
        step = number - 5 if number % 10 == 7 else number - 1 if number % 10 == 9 else number
        bits = (number * 0x9E3779B97F4A7C15 + self.salt) & ((1 << 53) - 1)
        return step, BASE_MS + number, (bits >> 33) / 16 if number % 3 == 0 else bits / (1 << 30) - (1 << 22)

    def sent(self, first, last):
        for i in range(first, last):
            self.state[i] |= MAYBE

    def acknowledged(self, first, last):
        for i in range(first, last):
            self.state[i] |= ACKNOWLEDGED


class Run:
    def __init__(self, run_id, keys):
        self.run_id = run_id
        self.series = [Series(key) for key in keys]
        self.batches = 0
        self.late = []  # points kept back until others were sent: [(series, first, last)]
        self.dirty = True  # written since it was last verified


class Unwanted(Exception):
    """An answer that no client may get."""


class Client(threading.Thread):
    """Logs, ends runs, makes others; sends again what was not acknowledged, mostly; each has runs of its own."""

    def __init__(self, checker, number):
        super().__init__(daemon=True)
        self.checker, self.number = checker, number
        self.dice = random.Random(checker.options.seed * 1000 + number)
        self.runs, self.ended = [], []
        self.connections = {}
        self.quiet = threading.Event()
        self.end_now = threading.Event()
        self.acknowledged = self.requests = self.retries = self.given_up = self.removed = 0

    def every_run(self):
        return self.runs + self.ended

    # ---- requests ----

    def connection(self, server):
        if server.port not in self.connections:
            self.connections[server.port] = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        return self.connections[server.port]

    def once(self, server, method, path, body, content_type):
        """(status, bytes); status 0: no answer."""
        connection = self.connection(server)
        try:
            headers = {"Authorization": self.checker.authorization, "Content-Type": content_type}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return 0, b""
        if answer.status in (429, 503) and answer.getheader("Retry-After") is None:
            self.checker.unwanted(f"{answer.status} without Retry-After: {path}: {data[:200]!r}")
        return answer.status, data

    def ask(self, method, path, body, content_type="application/json", may_give_up=False, done_already=()):
        """Until it is answered; None: given up. Tries go to any of the servers; done_already: what the second of two tries may hear."""
        self.requests += 1
        began = time.monotonic()
        tries = 0
        while True:
            server = self.dice.choice(self.checker.servers)
            status, data = self.once(server, method, path, body, content_type)
            tries += 1
            if status == 200 or (tries > 1 and status in done_already):
                return data
            if status != 0 and status not in AGAIN:
                raise Unwanted(f"{method} {path}: {status} {data[:500]!r}")
            if (may_give_up and self.dice.random() < 0.15) or time.monotonic() - began > PATIENCE_S * 2:
                self.given_up += 1
                return None
            self.retries += 1
            time.sleep(self.dice.uniform(0.01, 0.1))

    def post(self, path, **body):
        return json.loads(self.ask("POST", API + path, json.dumps(body)))

    # ---- what it does ----

    def run(self):
        while not self.checker.over.is_set():
            if not self.checker.go.is_set():
                self.quiet.set()
                self.checker.go.wait(0.1)
                continue
            self.quiet.clear()
            try:
                self.step()
            except Unwanted as e:
                self.checker.unwanted(f"client {self.number}: {e}")
            except Exception as e:  # a thread that ends in silence would look like one that is content
                self.checker.unwanted(f"client {self.number}: {type(e).__name__}: {e}")
        self.quiet.set()

    def step(self):
        if self.end_now.is_set() and self.runs:
            self.end_now.clear()
            self.end_run(self.dice.choice(self.runs))
        elif len(self.runs) < RUNS_OPEN:
            self.make_run()
        elif self.checker.can_remove and len(self.ended) > 3 and self.dice.random() < 0.02:
            self.remove(self.dice.choice(self.ended))
        elif self.ended and self.dice.random() < 0.05:
            self.log(self.dice.choice(self.ended))  # ended runs take points
        else:
            run = self.dice.choice(self.runs)
            self.log(run)
            if run.batches > 12 and self.dice.random() < 0.1:
                self.end_run(run)

    def make_run(self):
        made = self.post("/runs/create", experiment_id=self.checker.experiment, start_time=BASE_MS)
        keys = [f"client {self.number}/metric {i}" for i in range(self.dice.choice((1, 3, 10, 40)))]
        self.runs.append(Run(made["run"]["info"]["run_id"], keys))

    def end_run(self, run):
        self.post("/runs/update", run_id=run.run_id, status="FINISHED", end_time=BASE_MS + 1)
        self.runs.remove(run)
        self.ended.append(run)
        run.dirty = True

    def remove(self, run):
        """Deleted, then gone for good, with all its points."""
        self.ask("POST", f"{API}/runs/delete", json.dumps({"run_id": run.run_id}), done_already=(400, 404))
        self.ask("DELETE", f"/api/v1/runs/{run.run_id}", None, done_already=(404,))
        self.ended.remove(run)
        self.removed += 1

    def choose(self, run):
        """Parts of a batch: new points, sometimes points kept back, sometimes ones that were acknowledged already."""
        dice = self.dice
        if run.late and dice.random() < 0.2:
            return [run.late.pop()]
        count = dice.choice((1, 3, 20, 100, 400)) if len(run.series) > 1 else dice.choice((1, 30, 300, 990))
        parts = []
        for series in dice.sample(run.series, dice.randint(1, len(run.series))):
            parts.append((series, *series.reserve(max(1, count // len(run.series)))))  # not over 1,000 in all, the protocol's limit
        if dice.random() < 0.1:
            run.late.append(parts.pop())
        if dice.random() < 0.05 and len(run.series[0].state) > 10:
            first = dice.randrange(len(run.series[0].state) - 5)
            parts.append((run.series[0], first, first + 5))
        return parts

    def log(self, run):
        parts = self.choose(run)
        if not parts:
            return
        run.dirty = True
        run.batches += 1
        for part in parts:
            part[0].sent(*part[1:])
        path, body, content_type = self.request_of(run, parts)
        if self.ask("POST", path, body, content_type, may_give_up=True) is not None:
            for part in parts:
                part[0].acknowledged(*part[1:])
                self.acknowledged += part[2] - part[1]

    def request_of(self, run, parts):
        points = [(series.key, *series.point(i)) for series, first, last in parts for i in range(first, last)]
        if len(points) == 1 and self.dice.random() < 0.8:
            key, step, at, value = points[0]
            return f"{API}/runs/log-metric", json.dumps({"run_id": run.run_id, "key": key, "value": value, "timestamp": at, "step": step}), "application/json"
        if self.checker.binary and self.dice.random() < 0.3:
            body = binary_batch([(series.key, [series.point(i) for i in range(first, last)]) for series, first, last in parts])
            return f"/api/v1/runs/{run.run_id}/metrics", body, "application/x-cairn-metrics"
        body = {"run_id": run.run_id, "metrics": [{"key": k, "value": v, "timestamp": t, "step": s} for k, s, t, v in points]}
        if self.dice.random() < 0.1:
            body["tags"] = [{"key": "batches", "value": str(run.batches)}]
        return f"{API}/runs/log-batch", json.dumps(body), "application/json"


# ---- PostgreSQL ----

class Postgres(cluster.Cluster):
    """A cluster that two cairnd share."""

    def psql(self, statement):
        command = [self.bin / "psql", "-h", self.folder, "-U", "bench", "-d", "cairn", "-XAtqc", statement]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment())
        return done.stdout.strip() if done.returncode == 0 else None

    def postmaster(self):
        return int((self.folder / "data/postmaster.pid").read_text().split("\n", 1)[0])

    def come_back(self):
        """Backends of a killed postmaster hold its memory for a moment."""
        self.process.wait()
        for wait_s in (0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8):
            try:
                self.launch()
                return
            except SystemExit as e:
                error = e
                time.sleep(wait_s)
        raise error


class Checker:
    def __init__(self, options, folder, say=print):
        self.options, self.folder, self.say = options, pathlib.Path(folder), say
        self.dice = random.Random(options.seed)
        self.postgres = None
        self.servers = []
        self.go, self.over = threading.Event(), threading.Event()
        self.faults = []
        self.kills = collections.Counter()
        self.lost = self.doubled = self.altered = self.stored = self.summaries = 0

    def unwanted(self, text):
        if len(self.faults) < 50:
            self.say(f"  UNWANTED: {text[:1000]}")
        self.faults.append(text)

    # ---- start and stop ----

    def start(self):
        if self.options.embedded:
            self.servers = [Server(folder=self.subfolder("a"), listen=f"127.0.0.1:{free_port()}")]
        else:
            self.postgres = Postgres(self.folder)
            self.postgres.start()
            settings = ["--migrate", "--database", self.postgres.create("cairn")]
            self.servers = [Server(*settings, folder=self.subfolder(name), listen=f"127.0.0.1:{free_port()}") for name in "ab"]
        self.authorization = f"Bearer {self.token()}"
        self.experiment = Client(self, 9998).post("/experiments/create", name="checked")["experiment_id"]
        routes = subprocess.run([str(cairnd()), "routes"], capture_output=True, text=True, check=True).stdout
        self.binary = "POST\t/api/v1/runs/{run_id}/metrics\t" in routes
        self.has_summaries = "GET\t/api/v1/runs/{run_id}/metrics\t" in routes
        self.can_remove = "DELETE\t/api/v1/runs/{run_id}\t" in routes
        self.clients = [Client(self, i) for i in range(self.options.clients)]
        self.go.set()
        for client in self.clients:
            client.start()

    def token(self):
        server = self.servers[0]
        if self.options.embedded:
            return server.call("POST", "/api/v1/tokens", {"name": "checker"})["token"]
        where = ["--data", str(server.data), *server.settings[1:]]
        for words in (["user", "add", "checker", "--admin", "--password-file", "-"], ["token", "add", "checker"]):
            done = subprocess.run([str(cairnd()), *words, *where], input="a password of many words", capture_output=True, text=True, env=environment())
            assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    def subfolder(self, name):
        folder = self.folder / name
        folder.mkdir(mode=0o711)
        return folder

    def stop(self):
        self.over.set()
        for client in getattr(self, "clients", []):
            client.join(5)
        for server in self.servers:
            try:
                server.close()
            except AssertionError as e:
                self.unwanted(str(e)[-3000:])
        if self.postgres is not None:
            self.postgres.stop()

    # ---- kills ----

    def kill_cairnd(self):
        server = self.dice.choice(self.servers)
        server.kill()
        time.sleep(self.dice.choice((0, 0.2)))
        server.start()

    def kill_postmaster(self):
        if self.options.embedded:
            self.servers[0].kill_postgres()
        else:
            os.kill(self.postgres.postmaster(), signal.SIGKILL)
            self.postgres.come_back()

    def restart_at_once(self):
        os.kill(self.postgres.postmaster(), signal.SIGQUIT)
        self.postgres.come_back()

    def backends(self):
        listed = self.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
        return list(map(int, (listed or "").split()))

    def kill_backend(self):
        """kill -9 of one: PostgreSQL ends all and recovers."""
        pids = self.backends()
        if pids:
            os.kill(self.dice.choice(pids), signal.SIGKILL)

    def terminate_backends(self):
        self.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                   f"AND pid <> pg_backend_pid() AND random() < {self.dice.choice((0.3, 1.0))}")

    def query(self, statement):
        if self.postgres is not None:
            return self.postgres.psql(statement)
        done = subprocess.run(self.servers[0].psql(statement), capture_output=True, text=True, env=environment(), cwd="/")
        return done.stdout.strip() if done.returncode == 0 else None

    def one_kill(self):
        kinds = [self.kill_cairnd] * 3 + [self.kill_postmaster, self.kill_backend] + [self.terminate_backends] * 2
        if self.postgres is not None:
            kinds.append(self.restart_at_once)
        kind = self.dice.choice(kinds)
        time.sleep(self.dice.uniform(0.05, 1.0))
        if self.dice.random() < 0.6:  # into the compaction that run ends begin
            for client in self.clients:
                client.end_now.set()
            time.sleep(self.dice.uniform(0.0, 0.4))
        kind()
        self.kills[kind.__name__.replace("_", " ")] += 1
        self.wait_healthy()

    def wait_healthy(self):
        deadline = time.monotonic() + PATIENCE_S
        for server in self.servers:
            while not healthy(server):
                if server.process.poll() is not None:
                    self.unwanted(f"cairnd ended by itself with code {server.process.returncode}:\n{server.log()[-5000:]}")
                    server.start()
                if time.monotonic() > deadline:
                    raise SystemExit(f"checker: a server is not healthy {PATIENCE_S} s after a kill:\n{server.log()[-5000:]}")
                time.sleep(0.02)

    # ---- verifying ----

    def pause(self):
        self.go.clear()
        for client in self.clients:
            if not client.quiet.wait(PATIENCE_S * 2):
                raise SystemExit(f"checker: client {client.number} does not come to rest")

    def resume(self):
        for client in self.clients:
            client.quiet.clear()
        self.go.set()

    def verify(self, everything=False):
        """Reads back what was written since the last time, or all of it."""
        reader = Client(self, 9999)
        reader.dice = self.dice
        for client in self.clients:
            for run in client.every_run():
                if run.dirty or everything:
                    for series in run.series:
                        self.verify_series(reader, run, series)
                    if self.has_summaries:
                        self.verify_summaries(reader, run)
                    run.dirty = False

    def read_history(self, reader, run_id, key):
        query = {"run_id": run_id, "metric_key": key, "max_results": PAGE}
        while True:
            page = json.loads(reader.ask("GET", f"{API}/metrics/get-history?{urllib.parse.urlencode(query)}", None))
            yield from page.get("metrics", [])
            if not page.get("next_page_token"):
                return
            query["page_token"] = page["next_page_token"]

    def verify_series(self, reader, run, series):
        state = bytearray(s & ~SEEN for s in series.state)
        for got in self.read_history(reader, run.run_id, series.key):
            number = int(got["timestamp"]) - BASE_MS
            if not 0 <= number < len(state) or not state[number] & (MAYBE | ACKNOWLEDGED) or \
                    (int(got["step"]), int(got["timestamp"]), got["value"]) != series.point(number):
                self.altered += 1
                self.unwanted(f"run {run.run_id}, {series.key}: a point that nobody sent: {got}")
            elif state[number] & SEEN:
                self.doubled += 1
                self.unwanted(f"run {run.run_id}, {series.key}: a point is there twice: {got}")
            else:
                state[number] |= SEEN
        lost = [i for i, s in enumerate(state) if s & ACKNOWLEDGED and not s & SEEN]
        if lost:
            self.lost += len(lost)
            self.unwanted(f"run {run.run_id}, {series.key}: {len(lost)} acknowledged points of {len(state)} are not there: {lost[:10]}")
        series.state = state

    def verify_summaries(self, reader, run):
        answer = json.loads(reader.ask("GET", f"/api/v1/runs/{run.run_id}/metrics", None))
        told = {m["key"]: m for m in answer["metrics"]}
        for series in run.series:
            points = [series.point(i) for i, s in enumerate(series.state) if s & SEEN]
            self.summaries += 1
            if not points:
                if series.key in told:
                    self.unwanted(f"run {run.run_id}: a summary of {series.key}, which has no point")
                continue
            wanted = {"count": len(points), "first": min(points), "last": max(points),
                      "min": min(points, key=lambda p: p[2]), "max": max(points, key=lambda p: p[2])}
            got = told.get(series.key)
            if got is None:
                self.unwanted(f"run {run.run_id}: no summary of {series.key}")
                continue
            for name, value in wanted.items():
                given = got[name] if name == "count" else (int(got[name]["step"]), int(got[name]["time"]), got[name]["value"])
                if (given[2] != value[2] if name in ("min", "max") else given != value):
                    self.unwanted(f"run {run.run_id}, {series.key}: {name} is {given}, and should be {value}")

    def finish(self):
        """Ends all runs, waits for compaction, reads everything, and counts what the tables hold."""
        self.pause()
        for client in self.clients:
            for run in list(client.runs):
                client.end_run(run)
        self.verify()
        for server in self.servers:
            server.restart()  # a start looks for what kills left to compact
        compacted = self.wait_compacted()
        self.verify(everything=True)
        self.stored = sum(s & SEEN != 0 for client in self.clients for run in client.every_run() for series in run.series for s in series.state)
        if compacted:
            held = int(self.query("SELECT coalesce(sum(n), 0) FROM cairn.metric_chunk"))
            if held != self.stored:
                self.doubled += max(0, held - self.stored)
                self.unwanted(f"the chunks hold {held} points, and {self.stored} are read back")

    def wait_compacted(self, stuck_s=20):
        least, since = None, time.monotonic()
        while True:
            rows = int(self.query("SELECT count(*) FROM cairn.metric_tail"))
            if rows == 0:
                return True
            if least is None or rows < least:
                least, since = rows, time.monotonic()
            if time.monotonic() - since > stuck_s:
                self.unwanted(f"{rows} tail rows of ended runs were not compacted within {stuck_s} s")
                return False
            time.sleep(0.2)

    # ---- all of it ----

    def check(self):
        self.start()
        for done in range(1, self.options.kills + 1):
            self.one_kill()
            if done % self.options.verify == 0 and done < self.options.kills:
                self.pause()
                self.verify()
                self.say(f"  {done} kills, {self.acknowledged():,} acknowledged, {len(self.faults)} faults")
                self.resume()
        self.finish()
        return not self.faults and self.lost == self.doubled == self.altered == 0

    def acknowledged(self):
        return sum(client.acknowledged for client in self.clients)

    def closing(self):
        acknowledged = sum(s & ACKNOWLEDGED != 0 for c in self.clients for r in c.every_run() for series in r.series for s in series.state)
        runs = sum(len(c.every_run()) for c in self.clients)
        return (f"{', '.join(f'{n} × {kind}' for kind, n in sorted(self.kills.items()))}; {runs} runs and {sum(c.removed for c in self.clients)} "
                f"removed, {sum(c.requests for c in self.clients):,} requests, "
                f"{sum(c.retries for c in self.clients):,} sent again, {sum(c.given_up for c in self.clients):,} given up, {self.summaries:,} summaries\n"
                f"{sum(self.kills.values())} kills, {acknowledged} acknowledged, {self.stored} stored, {self.lost} lost, {self.doubled} doubled")


def varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return out


def zigzag(value):
    """Of a difference modulo 2^64."""
    value &= (1 << 64) - 1
    return varint(value << 1 if value < 1 << 63 else (value << 1) ^ ((1 << 64) - 1) | 1)


def delta_of_delta(values):
    out, last, difference = bytearray(), 0, 0
    for i, value in enumerate(values):
        if i == 0:
            out += zigzag(value)
        else:
            out += zigzag(value - last - difference)
            difference = value - last
        last = value
    return out


def binary_batch(series):
    """The body of the binary route, in groups by key: [(key, [(step, time, value)])]. server/ingest/README.md has its bytes."""
    names = list(dict.fromkeys(key for key, _ in series))
    out = b"CMB\x01\x00" + varint(sum(len(points) for _, points in series)) + varint(len(names))
    for name in names:
        out += varint(len(name.encode())) + name.encode()
    for key, points in series:
        out += b"\0" + varint(names.index(key)) + varint(len(points))
        out += delta_of_delta([p[0] for p in points]) + delta_of_delta([p[1] for p in points])
        out += struct.pack(f"<{len(points)}d", *(p[2] for p in points))
    return bytes(out)


def free_port():
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def healthy(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def words(argv):
    parser = argparse.ArgumentParser(prog="checker.py", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=None, help="printed; the same makes the same choices, not the same moments")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--verify", type=int, default=4, help="read back after so many kills (default 4)")
    parser.add_argument("--embedded", action="store_true", help="one cairnd with its own PostgreSQL")
    options = parser.parse_args(argv)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 31)
    return options


def run(options, say=print):
    """Whether all was well; the closing line is said."""
    folder = make_folder()
    checker = Checker(options, folder, say)
    say(f"seed {options.seed}")
    good = False
    try:
        good = checker.check()
        say(checker.closing())
    finally:
        checker.stop()
        if good and not checker.faults:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            say(f"the logs are in {folder}")
    return good and not checker.faults


if __name__ == "__main__":
    processes.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(0 if run(words(sys.argv[1:]), lambda text: print(text, flush=True)) else 1)
