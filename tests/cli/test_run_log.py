import json
import math
import random
import signal
import socket
import time

from support.server import Server
from cli.conftest import Cli


def run_of(server, run_id):
    return server.call("GET", f"/api/2.0/mlflow/runs/get?run_id={run_id}")["run"]


def history(server, run_id, key):
    return server.call("GET", "/api/2.0/mlflow/metrics/get-history", params={"run_id": run_id, "metric_key": key})["metrics"]


def test_a_run_with_everything(cli, tmp_path):
    (tmp_path / "note=1.txt").write_text("a note")
    (tmp_path / "folder/deep").mkdir(parents=True)
    (tmp_path / "folder/deep/file").write_bytes(b"\0\1\2")
    run_id = cli.ok("run", "log", "--experiment", "Größe 1", "--name", "first", "--param", "rate=0.1=x",
                    "--param", "empty=", "--metric", "loss=0.5@3", "--metric", "loss=nan@4", "--metric", "acc=1e-3",
                    "--tag", "who=me", "--artifact", tmp_path / "note=1.txt",
                    "--artifact", f"{tmp_path}/folder=some/where", "--end", "finished")
    run = run_of(cli.server, run_id)
    assert run["info"]["status"] == "FINISHED" and run["info"]["run_name"] == "first"
    assert run["info"]["end_time"] >= run["info"]["start_time"]
    assert {p["key"]: p["value"] for p in run["data"]["params"]} == {"rate": "0.1=x", "empty": ""}
    assert {"key": "who", "value": "me"} in run["data"]["tags"]
    points = [(p["step"], p["value"]) for p in history(cli.server, run_id, "loss")]
    assert points[0] == (3, 0.5) and points[1][0] == 4 and math.isnan(float(points[1][1]))
    base = f"/api/2.0/mlflow-artifacts/artifacts/{run['info']['experiment_id']}/{run_id}/artifacts"
    assert cli.server.request("GET", f"{base}/note%3D1.txt").content == b"a note"
    assert cli.server.request("GET", f"{base}/some/where/deep/file").content == b"\0\1\2"


def test_an_experiment_is_used_again(cli):
    ids = {json.loads(cli.ok("run", "log", "--experiment", "same", "--json"))["experiment_id"] for _ in range(2)}
    assert len(ids) == 1


def test_a_run_is_gone_on_with(cli):
    run_id = cli.ok("run", "log", "--metric", "loss=1@1")
    assert run_of(cli.server, run_id)["info"]["status"] == "RUNNING"
    assert cli.ok("run", "log", "--run", run_id, "--metric", "loss=2@2", "--end", "FAILED") == run_id
    assert run_of(cli.server, run_id)["info"]["status"] == "FAILED"
    assert len(history(cli.server, run_id, "loss")) == 2


def test_points_come_from_standard_input(cli):
    lines = "".join(f"loss {1 / (i + 1)} {i}\n" for i in range(30000)) + "acc 0.5\nacc 0.6\nval acc\t0.25 7\n\n"
    said = json.loads(cli.run("run", "log", "--metric", "-", "--json", stdin=lines).stdout)
    assert said["dropped"] == 0 and said["sent"] == 30003
    points = history(cli.server, said["run_id"], "loss")
    assert [(p["step"], p["value"]) for p in points] == [(i, 1 / (i + 1)) for i in range(30000)]
    assert [p["step"] for p in history(cli.server, said["run_id"], "acc")] == [0, 1]
    assert [p["step"] for p in history(cli.server, said["run_id"], "val acc")] == [7]


def test_a_line_that_is_none_is_said_and_the_others_are_kept(cli):
    done = cli.run("run", "log", "--metric", "-", stdin="loss 1 1\nnonsense\nloss two 2\na,b 3 3\nloss 4 4\n")
    assert done.returncode == 2
    assert 'line 2, "nonsense"' in done.stderr and "line 3" in done.stderr and '"a,b"' in done.stderr
    assert [p["step"] for p in history(cli.server, done.stdout.strip(), "loss")] == [1, 4]


def test_wrong_values_are_named(cli, tmp_path):
    assert "KEY=VALUE" in cli.fails(2, "run", "log", "--param", "novalue")
    assert "KEY=NUMBER" in cli.fails(2, "run", "log", "--metric", "loss=high")
    assert "KEY=NUMBER" in cli.fails(2, "run", "log", "--metric", "loss=1@x")
    assert "not allowed" in cli.fails(2, "run", "log", "--metric", "a,b=1")
    assert "No such file" in cli.fails(9, "run", "log", "--artifact", tmp_path / "missing")
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link").symlink_to(tmp_path)
    assert "link to a folder" in cli.fails(2, "run", "log", "--artifact", tmp_path / "in")
    cli.fails(3, "run", "log", "--run", "0" * 32, "--metric", "a=1")


def test_a_changed_parameter_is_refused_and_the_rest_arrives(cli):
    run_id = cli.ok("run", "log", "--param", "rate=1")
    said = cli.fails(2, "run", "log", "--run", run_id, "--param", "rate=2", "--param", "other=3", "--metric", "m=1@1")
    assert "rate" in said
    run = run_of(cli.server, run_id)
    assert {p["key"]: p["value"] for p in run["data"]["params"]} == {"rate": "1", "other": "3"}
    assert len(history(cli.server, run_id, "m")) == 1


def test_an_interrupt_is_exit_130(cli):
    process = cli.start("run", "log", "--metric", "-", stdin=-1)
    process.stdin.write("loss 1 1\n")
    process.stdin.flush()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert run_of(cli.server, out.strip())["info"]["status"] == "RUNNING"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stream(cli, disturb, points=8000):
    """Log points while the server is disturbed now and then; the run's id."""
    process = cli.start("run", "log", "--metric", "-", "--json", stdin=-1)
    for i in range(points):
        process.stdin.write(f"loss {i} {i}\n")
        if i % 2000 == 1000:
            process.stdin.flush()
            time.sleep(0.3)
            disturb()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    said = json.loads(out)
    assert said["sent"] == points and said["dropped"] == 0
    return said["run_id"]


def every_point_is_there(server, run_id, points=8000):
    steps = [p["step"] for p in history(server, run_id, "loss")]
    assert sorted(set(steps)) == list(range(points))


def test_every_point_survives_kills_of_the_server():
    with Server(listen=f"127.0.0.1:{free_port()}") as server:
        def disturb():
            server.kill()
            time.sleep(random.random())
            server.start()

        run_id = stream(Cli(server), disturb)
        every_point_is_there(server, run_id)


def test_every_point_survives_kills_of_postgresql(fresh_cli):
    killed = []

    def disturb():
        try:
            fresh_cli.server.kill_postgres()
            killed.append(1)
        except (ProcessLookupError, TypeError):
            pass  # it has not come back from the last time

    run_id = stream(fresh_cli, disturb)
    assert killed
    every_point_is_there(fresh_cli.server, run_id)
