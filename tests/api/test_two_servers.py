"""Two cairnd on one PostgreSQL: what one has acknowledged, the next search on the other finds. A third one, which keeps nothing in
memory, says what is right wherever answers are compared."""

import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "bench"))

import cluster  # noqa: E402
from support.api import LONG, MLFLOW, Api, counter, point  # noqa: E402
from support.server import Server, environment, make_folder  # noqa: E402

CHANGES = 10000 if LONG else 1000
SEED = int(os.environ.get("CAIRN_SEED", time.time_ns() & 0xFFFFFF))
ENDED = 1700000000000
PARAMS = 40  # of a run, then another one is made


class Shared:
    """A PostgreSQL and the servers on it: two with columns in memory, one without."""

    def __init__(self):
        self.folder = pathlib.Path(make_folder())
        self.postgres = cluster.Cluster(self.folder)
        self.postgres.start()
        self.conninfo = self.postgres.create("cairn")
        self.servers = []

    def start(self):
        memory = {"a": 64, "b": 64, "plain": 0}
        for name in memory:
            (self.folder / name).mkdir(mode=0o711)
            self.servers.append(Server("--auth", "off", "--migrate", "--database", self.conninfo, "--workers", 8,
                                       "--search-memory", memory[name], folder=self.folder / name))
        self.a, self.b, self.plain = [Api(server) for server in self.servers]
        return self

    def psql(self, statement, conninfo=None):
        done = subprocess.run([self.postgres.bin / "psql", conninfo or self.conninfo, "-XAtqc", statement],
                              capture_output=True, text=True, env=environment(), check=True)
        return done.stdout.strip()

    def close(self):
        try:
            for server in self.servers:
                server.close()
        finally:
            self.postgres.stop()
            shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def shared():
    with contextlib.closing(Shared()) as made:
        yield made.start()


def found(api, experiment, filter="", **more):
    """The run_ids of one page, in order."""
    answer = api.post("/runs/search", experiment_ids=[experiment], filter=filter, **more)
    return [run["info"]["run_id"] for run in answer.get("runs", [])]


def answer(api, experiment, filter, order_by):
    """Every page: runs as they are given."""
    runs, token = [], None
    while True:
        page = api.post("/runs/search", experiment_ids=[experiment], filter=filter, order_by=order_by, max_results=7, page_token=token)
        runs += page.get("runs", [])
        token = page.get("next_page_token")
        if not token:
            return runs


# ---- changes, each with the search that must see it ----


class Changes:
    """Makes a change on one server and asks another for it."""

    def __init__(self, seed, on):
        self.dice = random.Random(seed)
        self.experiment = on.experiment(f"two servers {next(counter)}")
        self.runs = {}  # run_id -> params it has
        self.number = 0
        self.tagged = set()

    def one(self, on, then):
        self.number += 1
        kinds = [self.metric, self.metric, self.batch, self.param, self.tag, self.untag, self.update, self.delete]
        kind = self.create if len(self.runs) < 2 else self.dice.choice([*kinds, self.create] if len(self.runs) < 30 else kinds)
        kind(on, then)

    def run(self):
        return self.dice.choice(list(self.runs))

    def must_find(self, then, run, filter, **more):
        assert found(then, self.experiment, filter, **more) == [run], (self.number, filter)

    def create(self, on, then):
        run = on.run(self.experiment, start_time=self.number, tags=[{"key": "born", "value": str(self.number)}])
        self.runs[run] = 0
        self.must_find(then, run, f"tags.born = '{self.number}'")
        assert found(then, self.experiment, "", order_by=["start_time DESC"], max_results=1) == [run]

    def metric(self, on, then):
        run = self.run()
        on.post("/runs/log-metric", run_id=run, **point("m", self.number, self.number))
        function = self.dice.choice(["metrics.m", "max(metrics.m)", "last(metrics.m)"])
        self.must_find(then, run, f"{function} = {self.number}")

    def batch(self, on, then):
        run = self.run()
        low = -self.number
        on.batch(run, metrics=[point("low", low, self.number), point("m", self.number, self.number)],
                 tags=[{"key": "batch", "value": str(self.number)}])
        self.must_find(then, run, f"min(metrics.low) = {low} AND metrics.m = {self.number} AND tags.batch = '{self.number}'")

    def param(self, on, then):
        run = self.run()
        if self.runs[run] == PARAMS:
            return self.create(on, then)
        key = f"p{self.runs[run]}"
        self.runs[run] += 1
        on.post("/runs/log-parameter", run_id=run, key=key, value=f"v{self.number}")
        self.must_find(then, run, f"params.{key} = 'v{self.number}'")

    def tag(self, on, then):
        run = self.run()
        on.post("/runs/set-tag", run_id=run, key="t", value=f"t{self.number}")
        self.tagged.add(run)
        self.must_find(then, run, f"tags.t = 't{self.number}'")

    def untag(self, on, then):
        if not self.tagged & set(self.runs):
            return self.tag(on, then)
        run = self.dice.choice(sorted(self.tagged & set(self.runs)))
        self.tagged.remove(run)
        on.post("/runs/delete-tag", run_id=run, key="t")
        self.must_find(then, run, f"run_id = '{run}' AND tags.t IS NULL")

    def update(self, on, then):
        run = self.run()
        on.post("/runs/update", run_id=run, status="RUNNING", end_time=ENDED + self.number, run_name=f"name {self.number}")
        self.must_find(then, run, f"end_time = {ENDED + self.number} AND run_name = 'name {self.number}'")

    def delete(self, on, then):
        run = self.run()
        on.post("/runs/delete", run_id=run)
        assert found(then, self.experiment, f"run_id = '{run}'") == [], self.number
        self.must_find(then, run, f"run_id = '{run}'", run_view_type="DELETED_ONLY")
        if self.dice.random() < 0.5:
            del self.runs[run]
            return
        then.post("/runs/restore", run_id=run)
        self.must_find(on, run, f"run_id = '{run}'")


def change_and_search(changes, servers, n):
    for _ in range(n):
        on, then = changes.dice.sample(servers, 2)
        changes.one(on, then)


QUESTIONS = [("", ["metrics.m DESC"]), ("metrics.m > 10", ["min(metrics.low)", "max(metrics.m) DESC"]),
             ("count(metrics.m) > 1", ["mean(metrics.m) DESC"]), ("first(metrics.m) IS NOT NULL", ["count(metrics.m) DESC", "tags.t"]),
             ("params.p0 LIKE 'v%' OR metrics.low < -5", ["params.p0 DESC"]), ("tags.t IS NULL", ["end_time", "first(metrics.m)"])]


def compare(servers, right, experiment):
    for filter, order_by in QUESTIONS:
        expected = answer(right, experiment, filter, order_by)
        for server in servers:
            assert answer(server, experiment, filter, order_by) == expected, (filter, order_by)
        assert filter or expected


# ---- tests ----


def test_a_search_on_one_finds_what_the_other_has_just_acknowledged(shared):
    print(f"CAIRN_SEED={SEED}, {CHANGES} changes")
    changes = Changes(SEED, shared.a)
    for i in range(0, CHANGES, 500):
        change_and_search(changes, [shared.a, shared.b], min(500, CHANGES - i))
        compare([shared.a, shared.b], shared.plain, changes.experiment)


def log_until_refused(api, run, acknowledged, refused_at):
    """Point after point, on a connection of its own; when the first one was refused."""
    url = api.server.url + MLFLOW + "/runs/log-metric"
    with requests.Session() as session:
        session.trust_env = False
        for step in range(100000):
            sent = time.monotonic()
            got = session.post(url, json={"run_id": run, **point("m", step, step)}, timeout=30)
            if got.status_code != 200:
                assert got.status_code == 400 and got.json()["error_code"] == "INVALID_PARAMETER_VALUE", got.text
                refused_at.append(time.monotonic())
                return
            acknowledged.append((step, sent))


def test_a_run_that_one_deletes_takes_no_point_from_the_other(shared):
    dice = random.Random(SEED)
    experiment = shared.a.experiment(f"two servers {next(counter)}")
    for _ in range(100 if LONG else 10):
        run, acknowledged, refused = shared.a.run(experiment), [], []
        logger = threading.Thread(target=log_until_refused, args=(shared.a, run, acknowledged, refused))
        logger.start()
        time.sleep(dice.random() / 5)
        shared.b.post("/runs/delete", run_id=run)
        deleted_at = time.monotonic()
        for server in (shared.a, shared.b):
            assert found(server, experiment, f"run_id = '{run}'") == []
        logger.join()
        steps = [step for step, _ in acknowledged]
        assert refused and all(sent < deleted_at for _, sent in acknowledged)
        for server in (shared.a, shared.b):
            assert [m["step"] for m in server.history(run, "m")] == steps
            if steps:
                filter = f"run_id = '{run}' AND metrics.m = {steps[-1]} AND count(metrics.m) = {len(steps)} AND min(metrics.m) = 0"
                assert found(server, experiment, filter, run_view_type="DELETED_ONLY") == [run]
        shared.a.post("/runs/restore", run_id=run)
        shared.a.post("/runs/delete", run_id=run)


def test_runs_that_one_removes_for_good_are_whole_or_gone_for_the_other(shared):
    experiment = shared.a.experiment(f"two servers {next(counter)}")
    kept = shared.a.run(experiment, start_time=10**9)
    over, seen = threading.Event(), []

    def look():
        while not over.is_set():
            page = shared.b.post("/runs/search", experiment_ids=[experiment], run_view_type="ALL", max_results=50)["runs"]
            assert page[0]["info"]["run_id"] == kept
            deleted = [run for run in page if run["info"]["lifecycle_stage"] == "deleted"]
            assert all([m["value"] for m in run["data"]["metrics"]] == [1] for run in deleted)
            seen.append(len(page))

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for _ in range(200 if LONG else 40):
            run = shared.a.run(experiment, start_time=1)
            shared.a.batch(run, metrics=[point("m", 1)])
            shared.a.post("/runs/delete", run_id=run)
            removed = shared.a.server.request("DELETE", f"/api/v1/runs/{run}")
            assert removed.status_code == 200, removed.text
            assert found(shared.b, experiment, "", run_view_type="ALL") == [kept]
        over.set()
        looking.result()
    assert min(seen) == 1 and max(seen) == 2


def tail_rows(shared, run):
    return int(shared.psql(f"SELECT count(*) FROM cairn.metric_tail JOIN cairn.run USING (run_id) WHERE uuid = '{run}'"))


def wait_until(what, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.1)


def test_compaction_between_two_looks_changes_no_answer(shared):
    changes = Changes(SEED + 1, shared.a)
    change_and_search(changes, [shared.a, shared.b], 60)
    for round in range(10 if LONG else 2):
        ended = sorted(changes.runs)[:5]
        for i, run in enumerate(ended):
            shared.a.batch(run, metrics=[point(key, (i + 1) * step % 97 - 50, step - 1000 * (round + 1)) for step in range(300) for key in ("m", "low")])
        compare([shared.a, shared.b], shared.plain, changes.experiment)
        before = [answer(shared.b, changes.experiment, *q) for q in QUESTIONS]
        for run in ended:
            shared.a.post("/runs/update", run_id=run, status="FINISHED")
        wait_until(lambda: sum(tail_rows(shared, run) for run in ended) == 0)
        compare([shared.a, shared.b], shared.plain, changes.experiment)
        for q, runs in zip(QUESTIONS, before):
            after = answer(shared.b, changes.experiment, *q)
            assert [r["info"]["run_id"] for r in after] == [r["info"]["run_id"] for r in runs]
            assert [r["data"] for r in after] == [r["data"] for r in runs]
        for run in ended:
            shared.b.post("/runs/update", run_id=run, status="RUNNING")
        change_and_search(changes, [shared.a, shared.b], 20)


@contextlib.contextmanager
def long_transaction(shared):
    """Somebody else's, in another database of the cluster, with a number of its own."""
    elsewhere = shared.conninfo.replace("dbname=cairn", "dbname=postgres")
    psql = subprocess.Popen([shared.postgres.bin / "psql", elsewhere, "-XAtq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True, env=environment())
    psql.stdin.write("BEGIN; SELECT pg_current_xact_id();\n")
    psql.stdin.flush()
    assert int(psql.stdout.readline()) > 0
    try:
        yield
        psql.stdin.write("COMMIT;\n")
    finally:
        psql.stdin.close()
        assert psql.wait(30) == 0


def changes_kept(shared):
    return int(shared.psql("SELECT count(*) FROM cairn.run_change"))


def test_a_long_transaction_elsewhere_in_the_cluster_changes_nothing(shared):
    changes = Changes(SEED + 2, shared.a)
    change_and_search(changes, [shared.a, shared.b], 20)
    with long_transaction(shared):
        change_and_search(changes, [shared.a, shared.b], 300)
        compare([shared.a, shared.b], shared.plain, changes.experiment)
        assert changes_kept(shared) >= 300  # nobody can know yet what the other may still change
    change_and_search(changes, [shared.a, shared.b], 20)
    wait_until(lambda: changes_kept(shared) < 100, 150)
    compare([shared.a, shared.b], shared.plain, changes.experiment)


def test_a_dump_restored_into_a_new_cluster_is_searched_exactly(shared):
    changes = Changes(SEED + 3, shared.a)
    change_and_search(changes, [shared.a, shared.b], 150)
    expected = [answer(shared.plain, changes.experiment, *q) for q in QUESTIONS]
    dump = subprocess.run([shared.postgres.bin / "pg_dump", shared.conninfo], capture_output=True, check=True, env=environment()).stdout
    old = int(shared.psql("SELECT pg_current_xact_id()"))
    with contextlib.closing(Shared()) as new:
        subprocess.run([new.postgres.bin / "psql", new.conninfo, "-Xqv", "ON_ERROR_STOP=1"], input=dump, check=True, env=environment(), capture_output=True)
        assert int(new.psql("SELECT pg_current_xact_id()")) < old  # they start again
        new.start()
        compare([new.a, new.b], new.plain, changes.experiment)
        assert [answer(new.b, changes.experiment, *q) for q in QUESTIONS] == expected
        change_and_search(changes, [new.a, new.b], 150)
        compare([new.a, new.b], new.plain, changes.experiment)


def test_nobody_compacts_what_an_older_server_could_not_read(shared):
    experiment = shared.a.experiment(f"two servers {next(counter)}")
    ended = shared.a.run(experiment)
    # a release that knows tail rows alone, as its row says
    shared.psql("INSERT INTO cairn.server VALUES ('older', 0, 9000000000000, pg_current_snapshot(), 1)")
    try:
        time.sleep(6)  # both look every five seconds
        shared.a.batch(ended, metrics=[point("m", step, step) for step in range(100)])
        shared.a.post("/runs/update", run_id=ended, status="FINISHED")
        time.sleep(8)
        assert tail_rows(shared, ended) > 0
        assert found(shared.b, experiment, "count(metrics.m) = 100 AND mean(metrics.m) = 49.5") == [ended]
    finally:
        shared.psql("DELETE FROM cairn.server WHERE server_id = 'older'")
    wait_until(lambda: tail_rows(shared, ended) == 0)
    for server in (shared.a, shared.b, shared.plain):
        assert found(server, experiment, "count(metrics.m) = 100 AND mean(metrics.m) = 49.5") == [ended]
