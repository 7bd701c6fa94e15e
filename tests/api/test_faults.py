"""Bad days: kills, restarts, full disks. What was acknowledged is there afterwards, exactly once."""

import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import pytest
import requests

from support.api import ARTIFACTS, LONG, Api, point
from support.server import Server, make_folder

RETRIED = {429, 500, 502, 503, 504}  # as MLflow's clients do


class Logger(threading.Thread):
    """Logs batches to one run, each until it is acknowledged or told to stop; knows which were."""

    def __init__(self, server, run, name, size=20):
        super().__init__(daemon=True)
        self.server, self.run_id, self.key, self.size = server, run, name, size
        self.acknowledged = 0  # batches
        self.sent = 0  # batches begun
        self.retries = 0
        self.refused = []
        self.end = threading.Event()
        self.auth = (server.user, server.password)

    def batch(self, n):
        return [point(self.key, (n * self.size + i) * 0.5, n * self.size + i, 1700000000000 + n) for i in range(self.size)]

    def send(self, session, n):
        body = {"run_id": self.run_id, "metrics": self.batch(n)}
        while True:
            try:
                answer = session.post(f"{self.server.url}/api/2.0/mlflow/runs/log-batch", json=body, auth=self.auth, timeout=15)
                if answer.status_code == 200:
                    return True
                if answer.status_code not in RETRIED:
                    self.refused.append(f"{answer.status_code} {answer.text}")
                    return False
            except requests.RequestException:
                pass
            if self.end.is_set():
                return False
            self.retries += 1
            time.sleep(0.05)

    def run(self):
        with requests.Session() as session:
            session.trust_env = False
            while not self.end.is_set():
                self.sent += 1
                if not self.send(session, self.acknowledged):
                    return
                self.acknowledged += 1

    def finish(self):
        self.end.set()
        self.join(30)
        assert not self.is_alive() and self.refused == []

    def check(self, api):
        """Every acknowledged point is there, each once; of the last batch begun, all or nothing."""
        got = [m["step"] for m in api.history(self.run_id, self.key)]
        assert len(got) == len(set(got)), "a point is there twice"
        known = self.acknowledged * self.size
        assert set(range(known)) <= set(got), f"of {known} acknowledged points {len(set(range(known)) - set(got))} are lost"
        assert len(got) in (known, known + self.size) and set(got) == set(range(len(got)))


def start_loggers(server, count=4):
    api = Api(server)
    experiment = api.experiment()
    loggers = [Logger(server, api.run(experiment), "loss") for _ in range(count)]
    for logger in loggers:
        logger.start()
    wait_for(lambda: all(logger.acknowledged > 5 for logger in loggers))
    return loggers


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def postgres_pids(server):
    """Every process of this server's PostgreSQL."""
    found = []
    for proc in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(proc / "cwd") == str(server.data / "postgres"):
                found.append(int(proc.name))
        except OSError:
            pass
    return found


def test_postgresql_killed_under_load_loses_no_acknowledged_point(fresh_server):
    loggers = start_loggers(fresh_server)
    for _ in range(10 if LONG else 2):
        old = fresh_server.postmaster_pid()
        fresh_server.kill_postgres()
        wait_for(lambda: fresh_server.postmaster_pid() not in (None, old) and fresh_server.request("GET", "/health").status_code == 200)
        before = [logger.acknowledged for logger in loggers]
        wait_for(lambda: all(logger.acknowledged > b + 5 for logger, b in zip(loggers, before)))
    for logger in loggers:
        logger.finish()
    # a commit that was on its way is looked into by the server itself: then clients need not come again
    assert sum(logger.retries for logger in loggers) > 0 or "commit_unknown" in fresh_server.log(), "nobody noticed the kill: it proved nothing"
    for logger in loggers:
        logger.check(Api(fresh_server))


def test_health_is_503_while_postgresql_is_away(fresh_server):
    assert fresh_server.request("GET", "/health").text.strip() == "OK"
    os.kill(fresh_server.process.pid, signal.SIGSTOP)  # so that it cannot start another at once
    try:
        fresh_server.kill_postgres()
        (fresh_server.data / "postgres/PG_VERSION").rename(fresh_server.folder / "PG_VERSION")
    finally:
        os.kill(fresh_server.process.pid, signal.SIGCONT)
    wait_for(lambda: fresh_server.request("GET", "/health").status_code == 503)
    assert fresh_server.request("GET", "/health").headers["Content-Type"].startswith("text/plain")
    answer = fresh_server.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=40)
    assert answer.status_code in (503, 504) and answer.json()["error_code"] in ("TEMPORARILY_UNAVAILABLE", "DEADLINE_EXCEEDED")
    (fresh_server.folder / "PG_VERSION").rename(fresh_server.data / "postgres/PG_VERSION")
    wait_for(lambda: fresh_server.request("GET", "/health").status_code == 200, 60)
    fresh_server.call("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")


def test_a_killed_server_leaves_no_postmaster_and_recovers(fresh_server):
    for _ in range(5 if LONG else 2):
        loggers = start_loggers(fresh_server, 2)
        pids = postgres_pids(fresh_server)
        assert len(pids) >= 5 and fresh_server.postmaster_pid() in pids
        fresh_server.kill()
        for logger in loggers:
            logger.end.set()
        wait_for(lambda: not any(is_alive(p) for p in pids), 15)
        for logger in loggers:
            logger.join(30)
        fresh_server.start()
        for logger in loggers:
            logger.check(Api(fresh_server))


def recovering(postmaster):
    """The pid of the process that replays the log, once there is one."""
    for pid in pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        try:
            if b"startup" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
        except OSError:
            pass
    return None


def killed_in_recovery(server):
    """A backend dies, PostgreSQL begins to recover, and there cairnd dies: PostgreSQL is to stop then, and never does by itself."""
    postmaster = server.postmaster_pid()
    server.call("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")  # so that there is a backend
    backend = server.query("SELECT min(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
    os.kill(int(backend), signal.SIGKILL)
    end = time.monotonic() + 1
    while (startup := recovering(postmaster)) is None and time.monotonic() < end:
        pass
    if startup is None:
        return False
    os.kill(startup, signal.SIGSTOP)
    try:
        server.kill()
        wait_for(lambda: "stopping" in (server.data / "postgres/postmaster.pid").read_text())
    finally:
        os.kill(startup, signal.SIGCONT)
    time.sleep(0.5)
    return is_alive(postmaster)


def test_a_postgresql_that_never_ends_its_stop_is_ended(fresh_server, fresh_api):
    run = fresh_api.run()
    fresh_api.batch(run, metrics=[point("m", i, i) for i in range(100)])
    for _ in range(20):
        if killed_in_recovery(fresh_server):
            break
        if fresh_server.process.poll() is None:
            wait_for(lambda: fresh_server.request("GET", "/health").status_code == 200)
        else:
            fresh_server.start(60)
    else:
        raise AssertionError("PostgreSQL always ended: this proves nothing")
    fresh_server.start(60)
    assert "postgres_stuck" in fresh_server.log()
    assert [m["step"] for m in fresh_api.history(run, "m")] == list(range(100))


def test_a_stop_under_load_is_clean_and_keeps_what_was_acknowledged(fresh_server):
    loggers = start_loggers(fresh_server, 6)
    begin = time.monotonic()
    code = fresh_server.stop()
    took = time.monotonic() - begin
    for logger in loggers:
        logger.end.set()
        logger.join(30)
    assert code == 0 and took < 10, f"code {code} after {took:.1f} s"
    assert "stopped" in fresh_server.log() and postgres_pids(fresh_server) == [] and not (fresh_server.data / "port").exists()
    fresh_server.start()
    for logger in loggers:
        assert logger.refused == []
        logger.check(Api(fresh_server))


def test_a_stop_waits_for_an_upload_or_cuts_it_within_ten_seconds(fresh_server):
    import socket

    from test_http import request_text

    s = socket.create_connection(("127.0.0.1", fresh_server.port), 10)
    s.sendall(request_text(fresh_server, f"PUT {ARTIFACTS}/0/r/artifacts/slow HTTP/1.1", "Content-Length: 1000000") + b"x" * 1000)
    time.sleep(0.3)
    begin = time.monotonic()
    assert fresh_server.stop() == 0
    assert time.monotonic() - begin < 10
    s.close()
    fresh_server.start()
    assert fresh_server.request("GET", f"{ARTIFACTS}/0/r/artifacts/slow").status_code == 404


def test_a_stop_during_the_start_is_clean(fresh_server):
    fresh_server.stop()
    for wait in (0.0, 0.02, 0.05, 0.1):
        process = subprocess.Popen(fresh_server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) in (0, -signal.SIGTERM)
        wait_for(lambda: postgres_pids(fresh_server) == [])
    fresh_server.start()


def test_everything_is_there_after_a_restart(fresh_server, fresh_api):
    name, version, run = fresh_api.version_with_files({"MLmodel": b"flavors: {}"})
    fresh_api.batch(run, metrics=[point("m", i, i) for i in range(100)], params=[{"key": "p", "value": "1"}])
    fresh_api.post("/registered-models/alias", name=name, alias="champion", version=version)
    before = (fresh_api.get_run(run), fresh_api.get("/registered-models/get", name=name), fresh_api.history(run, "m"))
    manifest = fresh_server.request("GET", f"/api/v1/models/{name}/versions/{version}/manifest").content
    fresh_server.restart()
    assert (fresh_api.get_run(run), fresh_api.get("/registered-models/get", name=name), fresh_api.history(run, "m")) == before
    assert fresh_server.request("GET", f"/api/v1/models/{name}/versions/{version}/manifest").content == manifest


def test_clients_that_come_all_at_once_are_all_served(server, api):
    from concurrent.futures import ThreadPoolExecutor

    run = api.run()
    auth = (server.user, server.password)

    def log(i):
        answer = requests.post(f"{server.url}/api/2.0/mlflow/runs/log-metric", json={"run_id": run, **point("m", i, i)}, auth=auth, timeout=60)
        return answer.status_code

    with ThreadPoolExecutor(64) as pool:
        assert set(pool.map(log, range(500))) == {200}
    assert sorted(m["step"] for m in api.history(run, "m")) == list(range(500))


@pytest.fixture
def small_disk():
    """A file system of 8 MB."""
    folder = make_folder()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0711", "cairn-test", str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        shutil.rmtree(folder)
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip() or 'no permission'}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    shutil.rmtree(folder)


def test_a_full_disk_refuses_uploads_and_loses_nothing(small_disk):
    with Server("--blobs", small_disk / "blobs") as server:
        api = Api(server)
        api.put("0/r/artifacts/first", b"1" * 2_000_000)
        answer = server.request("PUT", f"{ARTIFACTS}/0/r/artifacts/large", data=b"2" * 16_000_000)
        assert answer.status_code in (503, 507) and "full" in answer.json()["message"]
        assert server.request("GET", f"{ARTIFACTS}/0/r/artifacts/large").status_code == 404
        assert server.request("GET", f"{ARTIFACTS}/0/r/artifacts/first").content == b"1" * 2_000_000
        run = api.run()
        api.batch(run, metrics=[point("m", 1)])
        api.put("0/r/artifacts/second", b"3" * 2_000_000)
        assert server.request("GET", f"{ARTIFACTS}/0/r/artifacts/second").content == b"3" * 2_000_000


def test_a_full_disk_under_the_database_is_said_and_survived(small_disk):
    subprocess.run(["mount", "-o", "remount,size=120m", str(small_disk)], check=True)
    with Server(folder=small_disk) as server:
        api = Api(server)
        run = api.run()
        api.batch(run, metrics=[point("m", 1, 1)])
        filler = small_disk / "filler"
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"\0" * 65536)
            except OSError:
                pass
        acknowledged = [1]
        refused = 0
        for step in range(2, 3000):
            answer = server.request("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": [point("m", i, step * 1000 + i) for i in range(500)],
                                                                            "params": [{"key": f"p{step}", "value": "x" * 6000}]})
            if answer.status_code == 200:
                acknowledged += [step * 1000 + i for i in range(500)]
            else:
                assert answer.status_code in RETRIED and answer.json()["message"], answer.text
                refused += 1
                if refused == 3:
                    break
        assert refused, "the disk never filled"
        filler.unlink()
        wait_for(lambda: server.request("GET", "/health").status_code == 200, 60)
        wait_for(lambda: server.request("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": [point("after", 1)]}).status_code == 200, 60)
        steps = [m["step"] for m in api.history(run, "m")]
        assert len(steps) == len(set(steps)) and set(acknowledged) <= set(steps)
