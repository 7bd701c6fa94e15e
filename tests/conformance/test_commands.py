"""The commands of the client: mlflow experiments, runs and artifacts."""

import csv
import io
import json
import os
import pathlib
import subprocess
import sys

import pytest


@pytest.fixture
def command(mlflow):
    """Runs a command in this process (another would import the client again); its output."""
    from click.testing import CliRunner
    from mlflow.cli import cli

    def run(*args, code=0):
        done = CliRunner().invoke(cli, [str(a) for a in args])
        assert done.exit_code == code, (args, done.output, done.exception)
        return done.output

    return run


def rows(table):
    """The cells of a table as the commands print it, without its head."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in table.splitlines()[2:] if line.strip()]


def test_experiments_are_made_found_renamed_deleted_and_restored(mlflow, client, command):
    out = command("experiments", "create", "--experiment-name", "by command")
    made = out.split("with id ")[1].strip()
    assert "by command" in out and client.get_experiment(made).name == "by command"
    assert [made, "by command", f"mlflow-artifacts:/{made}"] in rows(command("experiments", "search"))
    command("experiments", "rename", "--experiment-id", made, "--new-name", "by order")
    assert client.get_experiment(made).name == "by order"
    command("experiments", "delete", "--experiment-id", made)
    assert client.get_experiment(made).lifecycle_stage == "deleted"
    assert made not in [r[0] for r in rows(command("experiments", "search"))]
    assert made in [r[0] for r in rows(command("experiments", "search", "--view", "deleted_only"))]
    command("experiments", "restore", "--experiment-id", made)
    assert made in [r[0] for r in rows(command("experiments", "search", "--view", "all"))]
    command("experiments", "create", "--experiment-name", "by order", code=1)
    located = command("experiments", "create", "-n", "elsewhere", "-l", "s3://bucket/folder").split("with id ")[1].strip()
    assert client.get_experiment(located).artifact_location == "s3://bucket/folder"


@pytest.mark.since(3)
def test_an_experiment_is_shown(command, experiment):
    shown = json.loads(command("experiments", "get", "--experiment-name", experiment.name, "--output", "json"))
    assert shown["experiment_id"] == experiment.experiment_id and shown["lifecycle_stage"] == "active"


def test_the_runs_of_an_experiment_as_csv(mlflow, client, experiment, command, tmp_path):
    with mlflow.start_run(run_name="one") as run:
        mlflow.log_param("lr", 0.5)
        mlflow.log_metric("loss", 0.25)
    (row,) = csv.DictReader(io.StringIO(command("experiments", "csv", "--experiment-id", experiment.experiment_id)))
    assert row["run_id"] == run.info.run_id and row["params.lr"] == "0.5" and float(row["metrics.loss"]) == 0.25 and row["status"] == "FINISHED"
    command("experiments", "csv", "-x", experiment.experiment_id, "--filename", tmp_path / "runs.csv")
    assert run.info.run_id in (tmp_path / "runs.csv").read_text()


def test_runs_are_listed_described_deleted_and_restored(mlflow, client, experiment, command):
    with mlflow.start_run(run_name="shown") as run:
        mlflow.log_param("lr", 0.5)
        mlflow.log_metric("loss", 0.25)
        mlflow.set_tag("team", "vision")
    run_id, where = run.info.run_id, ("--experiment-id", experiment.experiment_id)
    (row,) = rows(command("runs", "list", *where))
    assert row[1:] == ["shown", run_id]
    shown = json.loads(command("runs", "describe", "--run-id", run_id))
    assert shown["info"]["status"] == "FINISHED" and shown["info"]["run_name"] == "shown" and shown["info"]["experiment_id"] == experiment.experiment_id
    assert shown["data"]["params"] == {"lr": "0.5"} and shown["data"]["metrics"] == {"loss": 0.25} and shown["data"]["tags"]["team"] == "vision"
    command("runs", "delete", "--run-id", run_id)
    assert rows(command("runs", "list", *where)) == [] and rows(command("runs", "list", *where, "--view", "deleted_only"))[0][-1] == run_id
    command("runs", "restore", "--run-id", run_id)
    assert rows(command("runs", "list", *where, "--view", "all"))[0][-1] == run_id
    command("runs", "describe", "--run-id", "0" * 32, code=1)


@pytest.mark.since(3)
def test_a_run_is_made(client, experiment, command):
    out = command("runs", "create", "--experiment-id", experiment.experiment_id, "--run-name", "made", "-t", "env=prod", "--status", "killed")
    made = json.loads(out[out.index("{"):])
    got = client.get_run(made["run_id"])
    assert got.info.run_name == "made" and got.info.status == "KILLED" and got.data.tags["env"] == "prod"


def test_artifacts_are_logged_listed_and_downloaded(mlflow, client, experiment, command, tmp_path):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/a.txt").write_text("a")
    (tmp_path / "in/deep/b.bin").write_bytes(bytes(range(256)) * 100)
    command("artifacts", "log-artifact", "--local-file", tmp_path / "in/a.txt", "--run-id", run_id, "--artifact-path", "one file")
    command("artifacts", "log-artifacts", "--local-dir", tmp_path / "in", "--run-id", run_id, "--artifact-path", "all")
    command("artifacts", "log-artifacts", "-l", tmp_path / "in", "-r", run_id)
    listed = json.loads(command("artifacts", "list", "--run-id", run_id))
    assert sorted((f["path"], f["is_dir"]) for f in listed) == [("a.txt", False), ("all", True), ("deep", True), ("one file", True)]
    listed = json.loads(command("artifacts", "list", "-r", run_id, "--artifact-path", "all/deep"))
    assert [(f["path"], int(f["file_size"])) for f in listed] == [("all/deep/b.bin", 25600)]
    local = command("artifacts", "download", "--run-id", run_id, "--artifact-path", "all", "--dst-path", tmp_path / "out").strip().splitlines()[-1]
    assert (pathlib.Path(local) / "deep/b.bin").read_bytes() == bytes(range(256)) * 100
    command("artifacts", "download", "--artifact-uri", f"runs:/{run_id}/one file/a.txt", "--dst-path", tmp_path / "by uri")
    assert (tmp_path / "by uri/a.txt").read_text() == "a"
    command("artifacts", "download", "-u", client.get_run(run_id).info.artifact_uri + "/deep", "-d", tmp_path / "by location")
    assert (tmp_path / "by location/deep/b.bin").stat().st_size == 25600
    command("artifacts", "download", "--run-id", run_id, "--artifact-path", "never", "--dst-path", tmp_path / "out", code=1)


def test_the_program_itself(client, experiment):
    """Once as users start it: its own process, the address in the environment, the exit code."""
    run_id = client.create_run(experiment.experiment_id).info.run_id
    program = pathlib.Path(sys.executable).parent / "mlflow"
    done = subprocess.run([program, "runs", "list", "--experiment-id", experiment.experiment_id], env=os.environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and run_id in done.stdout, done.stderr
