"""The example program: a whole training run through the library, as a stranger would write it."""

import subprocess

from cli.conftest import program, tree


def test_a_training_program_logs_and_publishes(cli, tmp_path):
    done = subprocess.run([program("cairn-train"), str(tmp_path / "out"), "moons"], env=cli.env(), text=True,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert said["logged"].endswith("0 lost")
    run = cli.server.call("GET", f"/api/2.0/mlflow/runs/get?run_id={said['run']}")["run"]
    assert run["info"]["status"] == "FINISHED"
    assert len(run["data"]["params"]) == 9
    last = {m["key"]: m for m in run["data"]["metrics"]}
    assert last["train/loss"]["step"] == 1499 and last["validation/accuracy"]["value"] > 0.9
    for key, count in [("train/loss", 1500), ("learning_rate", 1500), ("validation/loss", 151)]:
        points = cli.server.call("GET", "/api/2.0/mlflow/metrics/get-history",
                                 params={"run_id": said["run"], "metric_key": key})["metrics"]
        assert len(points) == count
    cli.ok("pull", "moons@champion", "--to", tmp_path / "pulled")
    assert tree(tmp_path / "pulled") == tree(tmp_path / "out/model")


def test_a_server_that_is_not_there_is_said(tmp_path, cli):
    env = {**cli.env(), "CAIRN_TRACKING_URI": "http://nobody:nothing@127.0.0.1:1"}
    process = subprocess.Popen([program("cairn-train"), str(tmp_path / "out")], env=env, text=True,
                               stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 5 and "was not reached" in err and "nothing" not in err
