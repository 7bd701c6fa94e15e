#!/usr/bin/env python3
"""The metric engine beside raw COPY, beside a server that stores nothing, and beside mlflow server: all in one run.

Prints figures as they come and at the end a table of goals and ratios; asserts nothing. README.md says how it measures.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time
import traceback

import psycopg2

import cluster
import goals
import metrics_ingest
import metrics_large
import metrics_read
import metrics_search
import processes
import servers

STAGES = {
    "ingest": metrics_ingest.stage, "mlflow": metrics_ingest.mlflow, "read": metrics_read.stage, "disk": metrics_read.disk,
    "codecs": metrics_ingest.codecs, "search": metrics_search.stage, "large": metrics_large.stage,
}


def words(argv):
    parser = argparse.ArgumentParser(prog="run.sh metrics", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a second a load, a tenth of the data: for a look, or a busy machine")
    parser.add_argument("--large", action="store_true", help="the large set too: 75,000 runs of 150 metrics of 20 steps")
    parser.add_argument("--large-runs", type=int, default=75000, help="how many of its runs (default 75000)")
    parser.add_argument("--only", default="", help=f"these stages alone, by commas: {', '.join(STAGES)}")
    parser.add_argument("--minutes", type=float, default=15, help="what is not begun by then is left out, the large set aside (default 15)")
    parser.add_argument("--seconds", type=float, default=4, help="length of one load (default 4)")
    parser.add_argument("--repeat", type=int, default=2, help="repetitions, of which the median is taken (default 2)")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure there too")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    options = parser.parse_args(argv)
    if options.quick:
        options.seconds, options.repeat = 1, 1
    return options


class Bench:
    """What every stage has: the options, the cluster, the figures, and servers that end when the stage does."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = pathlib.Path(folder)
        self.programs = pathlib.Path(os.environ["BENCH_PROGRAMS"])
        self.cluster = cluster.Cluster(folder)
        self.figures = goals.Figures()
        self.running = []
        self.failed = []
        self.ends = time.monotonic() + options.minutes * 60

    def say(self, text):
        print(text, flush=True)

    def put(self, name, value, note=""):
        """A figure: printed now, judged in the table."""
        self.figures[name] = value
        self.say(f"  {goals.figure(self.figures, name)}{'   ' + note if note else ''}")

    def cairnd(self, name, **more):
        """A server with accounts on, asked by a token."""
        server = servers.Cairnd(self.folder, self.cluster, name, **more)
        self.running.append(server)
        server.start()
        server.add_user()
        server.use_token()
        return server

    def mlflow(self):
        server = servers.Mlflow(self.folder, self.cluster)
        self.running.append(server)
        server.start()
        processes.settle(server.process.pid, timeout_s=20, quiet_s=0.5)
        return server

    def end(self, server):
        server.stop()
        self.running.remove(server)

    def settle(self, *running, timeout_s=30):
        """Until servers and PostgreSQL do nothing more: what one left to do disturbs no other."""
        for process in [server.process for server in running] + [self.cluster.process]:
            processes.settle(process.pid, timeout_s=3 if self.options.quick else timeout_s, quiet_s=0.3)

    def program(self, name, *args, timeout_s=1800):
        """A program of the bench that prints a line of JSON."""
        done = subprocess.run([self.programs / name, *map(str, args)], capture_output=True, text=True, timeout=timeout_s)
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed: {done.stderr[-2000:]}")
        return done.stdout

    def load(self, server, experiment, **settings):
        """Runs with metrics by metric_load; what it says."""
        said = self.program("metric_load", server.port, server.headers["Authorization"], experiment, *(f"{k}={v}" for k, v in settings.items()))
        return json.loads(said)

    @contextlib.contextmanager
    def database(self, server):
        connection = psycopg2.connect(server.conninfo)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                if server.name != "mlflow":
                    cursor.execute("SET search_path = cairn")
                yield cursor
        finally:
            connection.close()

    def compacted(self, server, timeout_s):
        """Waits until no tail row is left; seconds, or None when it stopped getting fewer."""
        began = since = time.monotonic()
        least = None
        with self.database(server) as cursor:
            while True:
                cursor.execute("SELECT count(*) FROM metric_tail")
                rows = cursor.fetchone()[0]
                now = time.monotonic()
                if rows == 0:
                    return now - began
                if least is None or rows < least:
                    least, since = rows, now
                if now - since > timeout_s:
                    self.say(f"  {rows:,} tail rows are left, and did not get fewer in {timeout_s} s")
                    return None
                time.sleep(0.2)

    def stored_bytes(self, server):
        """What the engine's tables take, after a vacuum as autovacuum makes it."""
        with self.database(server) as cursor:
            cursor.execute("VACUUM metric_tail, metric_chunk, run_summary")
            cursor.execute("SELECT sum(pg_total_relation_size(t)), "
                           "(SELECT coalesce(sum(n), 0) FROM metric_chunk) + (SELECT coalesce(sum(n), 0) FROM metric_tail) "
                           "FROM unnest(ARRAY['metric_tail', 'metric_chunk', 'run_summary']::regclass[]) t")
            size, points = cursor.fetchone()
            return int(size), int(points)

    def out_of_time(self, what):
        if time.monotonic() < self.ends:
            return False
        self.say(f"  {what}: left out, the time is up")
        return True

    def stage(self, name):
        """A stage that fails says why; the others go on."""
        self.say(f"\n== {name}")
        if name != "large" and self.out_of_time(name):
            return
        began = time.monotonic()
        try:
            STAGES[name](self)
        except (Exception, SystemExit) as e:  # whatever it was: the rest is measured
            self.failed.append(name)
            self.say(f"  {name} FAILED: {type(e).__name__}: {str(e)[:3000]}")
            if not isinstance(e, SystemExit):
                traceback.print_exc()
        finally:
            for server in self.running[::-1]:
                self.end(server)
        self.say(f"  ({time.monotonic() - began:.0f} s)")

    def stop(self):
        for server in self.running:
            server.stop()
        self.cluster.stop()
        processes.stop_orphans()


def main(argv):
    options = words(argv)
    chosen = options.only.split(",") if options.only else [name for name in STAGES if name != "large" or options.large]
    unknown = [name for name in chosen if name not in STAGES]
    if unknown:
        raise SystemExit(f"bench: there is no stage {unknown[0]}: there are {', '.join(STAGES)}")
    processes.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = cluster.make_folder()
    bench = Bench(options, folder)
    began = time.monotonic()
    code = 0
    try:
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start, {platform.release()}", flush=True)
        bench.cluster.start()
        for name in chosen:
            bench.stage(name)
        print(f"\n{goals.markdown(bench.figures)}\n\n{time.monotonic() - began:.0f} s in all, load {os.getloadavg()[0]:.1f} at the end"
              f"{'; FAILED: ' + ', '.join(bench.failed) if bench.failed else ''}")
        code = 1 if bench.failed else 0
    except KeyboardInterrupt:
        code = 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        bench.stop()
        if options.json:
            options.json.write_text(json.dumps(bench.figures, indent=1) + "\n")
        if options.keep:
            print(f"the logs are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
