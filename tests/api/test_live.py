"""GET /api/v1/metrics/live: what is committed on any server comes to everybody who watches, once."""

import base64
import http.client
import resource
import shutil
import subprocess
import threading
import time

import pytest
import requests

from support.api import LONG, Api, point
from support.events import LIVE, Events
from support.postgres import Postgres
from support.server import Server, cairnd, environment, make_folder

OFF = ("--auth", "off")


@pytest.fixture(scope="module")
def open_server():
    with Server(*OFF, "--watchers", "4000", "--connections", "4000") as running:
        yield running


@pytest.fixture
def open_api(open_server):
    return Api(open_server)


class Pair:
    """Two servers on one PostgreSQL."""

    def __init__(self):
        self.postgres = Postgres()
        self.folders = [make_folder(), make_folder()]
        conninfo = self.postgres.create("cairn")
        blobs = self.folders[0] / "blobs"
        self.servers = []
        for folder in self.folders:
            self.servers.append(Server(*OFF, "--database", conninfo, "--migrate", "--blobs", str(blobs), "--watchers", "1000", folder=folder))
        self.apis = [Api(server) for server in self.servers]

    def close(self):
        try:
            for server in self.servers:
                server.close()
        finally:
            self.postgres.close()
            for folder in self.folders:
                shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def pair():
    made = Pair()
    yield made
    made.close()


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "still waiting"
        time.sleep(0.02)


def log(api, run, steps, key="loss"):
    api.batch(run, metrics=[point(key, step / 8, step, 1000 + step) for step in steps])


# ---- what comes ----


def test_a_point_logged_on_one_server_comes_by_the_stream_of_the_other(pair):
    here, there = pair.apis
    run = here.run()
    with Events(pair.servers[1], [run], ["loss"]).begun() as events:
        log(here, run, [1])
        events.wait(lambda e: e.points)
        log(there, run, [2, 3])
        events.wait(lambda e: len(e.steps(run, "loss")) == 3)
        assert events.points == {(run, "loss"): [(1, 1001, 0.125), (2, 1002, 0.25), (3, 1003, 0.375)]}
        assert events.resets == [] and events.retry > 0


def test_only_what_is_asked_for_comes_and_values_are_exact(open_server, open_api):
    one, two, other = (open_api.run() for _ in range(3))
    with Events(open_server, [one, two, "0" * 32], ["a", "b"]).begun() as events:
        open_api.batch(one, metrics=[point("a", 0.1, 3), point("b", "NaN", -1, 5), point("c", 1), point("a", "Infinity", 2)])
        open_api.batch(other, metrics=[point("a", 7)])
        open_api.batch(two, metrics=[point("b", 1e-300, 2**62, 2**61)])
        events.wait(lambda e: (two, "b") in e.points)
        assert events.points[one, "a"] == [(2, 1700000000000, "Infinity"), (3, 1700000000000, 0.1)]
        assert events.points[one, "b"] == [(-1, 5, "NaN")]
        assert events.points[two, "b"] == [(2**62, 2**61, 1e-300)]
        assert set(events.points) == {(one, "a"), (one, "b"), (two, "b")}


def test_points_that_come_with_params_and_a_new_name_come_too(open_server, open_api):
    run = open_api.run()
    with Events(open_server, [run], ["a name of later"]).begun() as events:
        open_api.batch(run, metrics=[point("a name of later", 1)], params=[{"key": "p", "value": "v"}])
        events.wait(lambda e: (run, "a name of later") in e.points)


def test_the_same_sample_in_one_event_comes_once(open_server, open_api):
    run = open_api.run()
    with Events(open_server, [run], ["loss"]).begun() as events:
        log(open_api, run, [1, 1, 2, 1])
        events.wait(lambda e: 2 in e.steps(run, "loss"))
        assert events.steps(run, "loss") == [1, 2]


def test_without_a_cursor_it_begins_now_and_with_one_there(open_server, open_api):
    run = open_api.run()
    with Events(open_server, [run], ["loss"]).begun() as events:
        log(open_api, run, [1])
        events.wait(lambda e: e.points)
        early = events.last_id
        log(open_api, run, [2])
        events.wait(lambda e: len(e.steps(run, "loss")) == 2)
    with Events(open_server, [run], ["loss"], cursor=early).begun() as events:
        events.wait(lambda e: e.points)
        log(open_api, run, [3])
        events.wait(lambda e: 3 in e.steps(run, "loss"))
        assert events.steps(run, "loss") == [2, 3]
    with Events(open_server, [run], ["loss"], cursor="nonsense", last_id=early) as events:
        events.wait(lambda e: e.points)
        assert events.steps(run, "loss") == [2, 3]
    with Events(open_server, [run], ["loss"]).begun() as events:
        log(open_api, run, [4])
        events.wait(lambda e: e.points)
        assert events.steps(run, "loss") == [4]


# ---- coming back ----


class Page:
    """Series as a page keeps them: read whole, then grown by the stream, read anew when the stream says so."""

    def __init__(self, server, runs, key="loss"):
        self.server, self.runs, self.key = server, runs, key
        self.resets = -1
        self.events = None
        self.read()

    def read(self):
        if self.events:
            self.events.cut()
        answer = self.server.call("POST", "/api/v1/metrics/series", {"run_ids": self.runs, "keys": [self.key], "buckets": 5000})
        self.steps = {run: [] for run in self.runs}
        for s in answer["series"]:
            assert set(s["points"]["count"]) <= {1}, "a bucket is a point as long as there are no more than asked for"
            self.steps[s["run_id"]] = s["points"]["step"]
        self.resets += 1
        self.events = Events(self.server, self.runs, [self.key], cursor=answer["cursor"])

    def look(self):
        """All that it knows of each run, however often."""
        if self.events.resets:
            self.read()
        return {run: sorted(self.steps[run] + self.events.steps(run, self.key)) for run in self.runs}

    def come_back(self, server):
        if not self.events.resets:
            self.server = self.events.server = server
            self.events.again()


def write_steadily(api, runs, stop, written):
    step = 0
    while not stop.is_set() and step < 4900:
        for run in runs:
            log(api, run, range(step, step + 7))
        step += 7
        written[api] = step


def test_who_comes_back_misses_nothing_and_gets_nothing_twice(pair):
    experiment = pair.apis[0].experiment()
    runs = [[api.run(experiment) for _ in range(3)] for api in pair.apis]
    stop, written = threading.Event(), {}
    writers = [threading.Thread(target=write_steadily, args=(api, of, stop, written)) for api, of in zip(pair.apis, runs)]
    page = Page(pair.servers[0], [run for of in runs for run in of])
    for writer in writers:
        writer.start()
    for turn in range(200 if LONG else 15):
        time.sleep(0.05 + turn % 4 * 0.13)
        page.look()
        page.come_back(pair.servers[turn % 2])
    stop.set()
    for writer in writers:
        writer.join()
    expected = {run: list(range(written[api])) for api, of in zip(pair.apis, runs) for run in of}
    wait_for(lambda: all(len(found) >= len(expected[run]) for run, found in page.look().items()))
    assert page.look() == expected
    page.events.cut()


def test_a_page_that_reads_anew_when_it_is_told_to_has_every_point_once(pair):
    # so many rows that compaction takes them away under the reader, at least once
    run = pair.apis[0].run()
    page = Page(pair.servers[1], [run])
    sent = 0
    while sent < 4000 and not (page.resets and sent > 1000):
        for _ in range(100):
            log(pair.apis[sent // 100 % 2], run, [sent, sent + 1])
            sent += 2
        page.look()
    pair.apis[0].post("/runs/update", run_id=run, status="FINISHED")
    log(pair.apis[1], run, [sent])
    wait_for(lambda: page.look() and page.resets and len(page.look()[run]) > sent)
    assert page.look() == {run: list(range(sent + 1))}
    page.events.cut()


# ---- bad days ----


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgresql_restarts_and_the_stream_goes_on_or_says_reset(pair, mode):
    api = pair.apis[0]
    run = api.run()
    with Events(pair.servers[1], [run], ["loss"]).begun() as events:
        log(api, run, [1])
        events.wait(lambda e: e.points)
        pair.postgres.stop(mode)
        time.sleep(1)
        pair.postgres.start()

        def logged(step):
            try:
                log(api, run, [step])
                return True
            except AssertionError:
                return False  # 503 for a moment

        wait_for(lambda: logged(2))
        events.wait(lambda e: 2 in e.steps(run, "loss") or e.resets)
        wait_for(lambda: logged(3))
        events.wait(lambda e: 3 in e.steps(run, "loss"))
        assert events.ended is None
        steps = events.steps(run, "loss")
        assert len(steps) == len(set(steps))
        if mode == "fast":
            assert (steps, events.resets) == ([1, 2, 3], [])
        else:
            assert events.resets == [[run]], "numbers of transactions may have come again"


def test_transactions_of_a_later_epoch_are_told_apart_too(pair):
    api = pair.apis[0]
    run = api.run()
    pair.postgres.stop()
    pair.postgres.enter_epoch(5)
    pair.postgres.start()
    for server in pair.servers:
        wait_for(lambda server=server: server.request("GET", "/api/2.0/mlflow/runs/get", params={"run_id": run}).status_code == 200)
    with Events(pair.servers[1], [run], ["loss"]).begun() as events:
        assert base64.urlsafe_b64decode(events.last_id + "===").split(b":")[1] > b"20000000000"
        for step in range(20):
            log(api, run, [step])
            if step % 5 == 0:
                events.again()
        events.wait(lambda e: len(e.steps(run, "loss")) >= 20)
        assert sorted(events.steps(run, "loss")) == list(range(20))


def test_tables_cut_into_partitions_make_no_difference(pair):
    conninfo = pair.postgres.create("parts")
    for more in ([], ["--partitions", "16"]):
        subprocess.run([str(cairnd()), "migrate", *more, "--database", conninfo], check=True, stdout=subprocess.DEVNULL, env=environment(), timeout=60)
    with Server(*OFF, "--database", conninfo) as server:
        api = Api(server)
        runs = [api.run() for _ in range(20)]
        with Events(server, runs, ["loss"]).begun() as events:
            for step in range(2):
                for run in runs:
                    log(api, run, [step])
                events.again()
            events.wait(lambda e: len(e.points) == 20 and all(len(e.steps(run, "loss")) >= 2 for run in runs))
            assert all(sorted(events.steps(run, "loss")) == [0, 1] for run in runs)


def test_a_stopped_server_ends_its_streams_properly_and_a_new_one_goes_on(fresh_server):
    api = Api(fresh_server)
    run = api.run()
    with Events(fresh_server, [run], ["loss"]).begun() as events:
        log(api, run, [1])
        events.wait(lambda e: e.points)
        last = events.last_id
        assert fresh_server.stop() == 0
        events.wait(lambda e: e.ended)
        assert events.ended == "end"
    fresh_server.start()
    log(api, run, [2])
    with Events(fresh_server, [run], ["loss"], last_id=last).begun() as events:
        events.wait(lambda e: e.points or e.resets)
        assert (events.steps(run, "loss"), events.resets) == ([2], [])


def test_many_watch_and_half_of_them_hang_up(open_server, open_api):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    runs = [open_api.run() for _ in range(3)]
    watchers = []
    try:
        for i in range(300):
            watchers.append(Events(open_server, [runs[i % 3], runs[(i + 1) % 3]], ["loss"]))
        for events in watchers:
            events.begun()
        for step in range(5):
            for run in runs:
                log(open_api, run, [step])
        for i, events in enumerate(watchers):
            events.wait(lambda e, i=i: all(len(e.steps(runs[(i + k) % 3], "loss")) == 5 for k in (0, 1)))
            assert set(events.points) == {(runs[i % 3], "loss"), (runs[(i + 1) % 3], "loss")}
        for events in watchers[::2]:
            events.cut()
        for run in runs:
            log(open_api, run, [9])
        for events in watchers[1::2]:
            events.wait(lambda e: sum(steps[-1][0] == 9 for steps in e.points.values()) == 2)
            assert events.resets == []
    finally:
        for events in watchers:
            events.cut()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_slow_reader_is_told_to_read_anew_and_holds_nobody_up(open_server, open_api):
    run = open_api.run()
    keys = [f"k{k}" for k in range(50)]
    with Events(open_server, [run], keys).begun() as quick, Events(open_server, [run], keys, read=False) as slow:
        sent = 0
        # until what waits for the slow one fills the sockets and the server's buffer
        for step in range(0, 4000, 20):
            open_api.batch(run, metrics=[point(k, step + s, step + s) for k in keys for s in range(20)])
            sent = step + 20
            if step % 400 == 0:
                time.sleep(0.3)
        log(open_api, run, [99999], "k0")
        quick.wait(lambda e: 99999 in e.steps(run, "k0") or e.resets)
        slow.read()
        slow.wait(lambda e: e.resets)
        assert all(reset == [run] for reset in slow.resets)
        after = iter(range(100000, 200000))

        def follows_again():
            step = next(after)
            log(open_api, run, [step], "k0")
            time.sleep(0.5)
            return step in slow.steps(run, "k0")

        wait_for(follows_again)
        steps = slow.steps(run, "k0")
        assert len(steps) == len(set(steps)) and len(steps) < sent + 2


def test_a_run_that_logs_too_much_at_once_is_to_be_read_anew(open_server, open_api):
    run = open_api.run()
    with Events(open_server, [run], ["loss"]).begun() as events:

        def log_many(first):
            for batch in range(first, first + 10):
                log(open_api, run, range(1000 * batch, 1000 * batch + 1000))

        threads = [threading.Thread(target=log_many, args=(10 * t,)) for t in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        log(open_api, run, [10**9])
        events.wait(lambda e: 10**9 in e.steps(run, "loss") or e.resets)
        steps = events.steps(run, "loss")
        assert len(steps) == len(set(steps))


def test_a_cursor_that_is_none_is_refused(open_server, open_api):
    run = open_api.run()
    with Events(open_server, [run], ["loss"]).begun() as events:
        good = events.last_id
    plain = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)).decode()
    for text in ["x", "x" * 100000, "c1", plain, good[:-3], base64.urlsafe_b64encode(b"c1" + b"0" * 16 + b"5:1:").decode().rstrip("="), "\x00é"]:
        answer = requests.get(open_server.url + LIVE, params={"run_id": run, "key": "loss", "cursor": text}, timeout=30)
        if len(text) > 10000:
            assert answer.status_code in (400, 414, 431)
            continue
        assert answer.status_code == 400, text[:100]
        assert answer.json()["error_code"] in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")


def test_a_cursor_of_another_cluster_says_reset(open_server, open_api):
    run = open_api.run()
    with Events(open_server, [run], ["loss"]).begun() as events:
        plain = base64.urlsafe_b64decode(events.last_id + "=" * (-len(events.last_id) % 4)).decode()
    digit = "0" if plain[5] != "0" else "1"
    foreign = base64.urlsafe_b64encode((plain[:5] + digit + plain[6:]).encode()).decode().rstrip("=")
    with Events(open_server, [run], ["loss"], cursor=foreign) as events:
        events.wait(lambda e: e.resets)
        log(open_api, run, [1])
        events.wait(lambda e: e.points)
        assert (events.resets, events.steps(run, "loss")) == ([[run]], [1])


# ---- who may, and how many ----


def test_what_is_asked_for_is_checked(open_server, open_api):
    run = open_api.run()

    def refused(status, **query):
        answer = requests.get(open_server.url + LIVE, params=query, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()["message"]

    assert "run_id" in refused(400, key="loss")
    assert "key" in refused(400, run_id=run)
    assert "1000" in refused(400, run_id=run, key=[str(k) for k in range(1001)])
    assert "0" * 32 in refused(404, run_id="0" * 32, key="loss")
    answer = requests.head(open_server.url + LIVE, params={"run_id": run, "key": "loss"}, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"], answer.headers["X-Accel-Buffering"]) == (200, "text/event-stream", "no")
    assert answer.headers["Cache-Control"] == "no-store"


def test_there_are_as_many_streams_as_the_settings_say():
    with Server("--watchers", "8") as server:
        api = Api(server)
        run = api.run()
        server.call("POST", "/api/v1/users", {"username": "ada", "password": "slow-heron-over-reeds"})
        mine = [Events(server, [run], ["loss"]).begun() for _ in range(2)]
        refused = server.request("GET", LIVE, params={"run_id": run, "key": "loss"})
        assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0 and "2" in refused.json()["message"]
        basic = "Basic " + base64.b64encode(b"ada:slow-heron-over-reeds").decode()
        hers = Events(server, [run], ["loss"], headers={"Authorization": basic})
        hers.headers["Authorization"] = basic
        hers.again().begun()
        mine[0].cut()

        def another():
            events = Events(server, [run], ["loss"])
            if events.status == 200:
                mine[0] = events
            return events.status == 200

        wait_for(another)
        for events in [*mine, hers]:
            events.cut()
    with Server(*OFF, "--watchers", "0") as server:
        run = Api(server).run()
        assert server.request("GET", LIVE, params={"run_id": run, "key": "loss"}).status_code == 429


def test_nobody_gets_a_stream_and_a_browser_asks_for_no_password(server):
    for accept, challenged in (("*/*", True), ("text/event-stream", False)):
        answer = requests.get(server.url + LIVE, params={"run_id": "0" * 32, "key": "loss"}, headers={"Accept": accept}, timeout=30)
        assert answer.status_code == 401 and ("WWW-Authenticate" in answer.headers) == challenged


def test_a_stream_ends_with_its_session(fresh_server):
    api = Api(fresh_server)
    run = api.run()
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Origin"] = fresh_server.url
        signed = session.post(fresh_server.url + "/api/v1/login", json={"username": fresh_server.user, "password": fresh_server.password}, timeout=30)
        assert signed.status_code == 200
        cookie = "; ".join(f"{c.name}={c.value}" for c in session.cookies)
        with Events(fresh_server, [run], ["loss"], headers={"Cookie": cookie}).begun() as events:
            log(api, run, [1])
            events.wait(lambda e: e.points)
            assert session.post(fresh_server.url + "/api/v1/logout", json={}, timeout=30).status_code == 200
            events.wait(lambda e: e.ended, 60)
            assert events.ended == "end"


def test_a_quiet_stream_says_now_and_then_that_it_lives(open_server, open_api):
    run = open_api.run()
    with Events(open_server, [run], ["loss"]).begun() as events:
        first = events.last_id
        events.wait(lambda e: e.heartbeats > 0, 60)
        log(open_api, run, [1])
        events.wait(lambda e: e.points)
        assert events.last_id != first


def test_a_half_open_client_is_let_go(open_server, open_api):
    run = open_api.run()
    connection = http.client.HTTPConnection("127.0.0.1", open_server.port, timeout=30)
    connection.request("GET", f"{LIVE}?run_id={run}&key=loss")
    assert connection.getresponse().status == 200
    connection.sock.shutdown(1)
    assert connection.sock.recv(1 << 16) != b""  # what was sent before
    while connection.sock.recv(1 << 16):
        pass
    connection.close()
