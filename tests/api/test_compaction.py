"""Compaction in the running server: nothing of it can be seen but where the points are."""

import subprocess
import time

import pytest

from support.api import Api, point
from support.server import Server, environment

TAIL = "SELECT count(*) FROM cairn.metric_tail"
CHUNKS = "SELECT count(*) FROM cairn.metric_chunk"


@pytest.fixture(scope="module")
def own():
    """A server whose compaction may work: PostgreSQL has run for ten seconds."""
    with Server("--auth", "off", "--log-level", "debug") as server:
        wait(lambda: said(server, "allowed=true"))
        yield Api(server)


def wait(condition, timeout_s=40):
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def said(server, what):
    return any(what in line for line in server.log().splitlines() if " compaction " in line)


def end(api, run):
    api.post("/runs/update", run_id=run, status="FINISHED", end_time=1)


def of_run(api, run, keys):
    """All that is said of a run's metrics."""
    latest = sorted(api.get_run(run)["data"]["metrics"], key=lambda m: m["key"])
    summaries = api.server.call("GET", f"/api/v1/runs/{run}/metrics")["metrics"]
    return latest, summaries, [api.history(run, key) for key in keys]


def some_points(n):
    metrics = [point("loss", 1 / (i + 1), i, 1700000000000 + i) for i in range(n)]
    return metrics + metrics[: n // 3] + [point("acc", i, -i, 5) for i in range(20)] + [point("nan", "NaN", 1)]


def test_a_run_that_ends_is_compacted_and_reads_the_same(own):
    run = own.run()
    metrics = some_points(700)
    own.batch(run, metrics=metrics[:900])
    own.batch(run, metrics=metrics[900:] + metrics[:10])
    before = of_run(own, run, ("loss", "acc", "nan"))
    assert len(before[2][0]) == 700 and before[1][1]["count"] == 700
    end(own, run)
    wait(lambda: own.server.query(TAIL) == "0")
    assert own.server.query(CHUNKS) == "2"
    assert of_run(own, run, ("loss", "acc", "nan")) == before


def test_points_that_come_after_the_end_join_the_others(own):
    run = own.run()
    own.batch(run, metrics=some_points(700))
    end(own, run)
    wait(lambda: own.server.query(TAIL) == "0")
    own.batch(run, metrics=some_points(740)[690:740] + [point("late", 1)])
    summaries = {m["key"]: m["count"] for m in own.server.call("GET", f"/api/v1/runs/{run}/metrics")["metrics"]}
    assert summaries == {"loss": 740, "acc": 20, "nan": 1, "late": 1}
    before = of_run(own, run, ("loss", "acc", "nan", "late"))
    end(own, run)
    wait(lambda: own.server.query(TAIL) == "0")
    assert of_run(own, run, ("loss", "acc", "nan", "late")) == before


def test_while_an_older_server_lives_points_stay_where_it_finds_them(own):
    server = own.server
    server.query("INSERT INTO cairn.server (server_id, started_unix_ms, seen_unix_ms, snapshot) "
                 "SELECT 'older', 0, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, pg_current_snapshot()")
    wait(lambda: said(server, "allowed=false"))
    run = own.run()
    own.batch(run, metrics=some_points(100))
    end(own, run)
    time.sleep(1)
    assert server.query(TAIL) == "1"
    server.query("DELETE FROM cairn.server WHERE server_id = 'older'")
    wait(lambda: server.query(TAIL) == "0")


def test_an_old_transaction_elsewhere_keeps_its_view_and_nobody_waits_for_it(own):
    server = own.server
    psql = server.psql("")
    psql = psql[: psql.index("-c")]
    old = subprocess.Popen(psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), cwd="/")

    def ask(statement):
        old.stdin.write(statement + ";\n")
        old.stdin.flush()
        return old.stdout.readline().strip()

    run = own.run()
    own.batch(run, metrics=some_points(300))
    assert ask("BEGIN ISOLATION LEVEL REPEATABLE READ; " + TAIL) == "1"
    try:
        for i in range(5):
            own.batch(run, metrics=[point("loss", i, 1000 * i + j) for j in range(600)])
            end(own, run)
            wait(lambda: server.query(TAIL) == "0")
            server.query("VACUUM cairn.metric_tail")
            assert len(own.history(run, "loss")) == 300 + 600 * (i + 1)
        assert ask(TAIL) == "1"
    finally:
        old.stdin.close()
        old.wait(10)


def test_what_a_killed_server_left_is_found_at_the_next_start(own):
    run = own.run()
    server = own.server
    own.batch(run, metrics=some_points(300))
    before = of_run(own, run, ("loss", "acc"))
    server.kill()
    server.start()
    wait(lambda: server.query(TAIL) == "0")
    assert of_run(own, run, ("loss", "acc")) == before
