"""What the client sends by itself, in the background, in pieces or cut to size."""

import json
import os
import pathlib
import time

import pytest


def test_hundreds_of_params_tags_and_metrics_go_in_one_call(mlflow, client, experiment):
    params = {f"p{i}": str(i) for i in range(250)}
    tags = {f"t{i}": f"value {i}" for i in range(150)}
    metrics = {f"m{i}": i / 8 for i in range(1500)}
    with mlflow.start_run() as run:
        mlflow.log_params(params)
        mlflow.set_tags(tags)
        mlflow.log_metrics(metrics, step=4)
    data = client.get_run(run.info.run_id).data
    assert data.params == params and data.metrics == metrics
    assert {k: v for k, v in data.tags.items() if not k.startswith("mlflow.")} == tags


def test_long_values_are_cut_and_long_names_refused(mlflow, client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_param("long", "é" * 6001)
        mlflow.log_param("exact", "p" * 6000)
        mlflow.log_params({"in a batch": "b" * 7000})
        mlflow.set_tag("long", "t" * 8001)
        mlflow.set_tags({"in a batch": "u" * 9000})
        for call in (lambda: mlflow.log_param("k" * 251, 1), lambda: mlflow.set_tag("k" * 251, 1), lambda: mlflow.log_metric("k" * 251, 1),
                     lambda: mlflow.log_metric("no/../way", 1), lambda: mlflow.log_param("a,b", 1)):
            with pytest.raises(mlflow.MlflowException) as error:
                call()
            assert error.value.error_code == "INVALID_PARAMETER_VALUE"
        mlflow.log_metric("k" * 250, 1)
    data = client.get_run(run.info.run_id).data
    assert data.params == {"long": "é" * 6000, "exact": "p" * 6000, "in a batch": "b" * 6000}
    assert data.tags["long"] == "t" * 8000 and data.tags["in a batch"] == "u" * 8000
    assert data.metrics == {"k" * 250: 1.0}
    with pytest.raises(mlflow.MlflowException, match="exceeds"):
        client.set_experiment_tag(experiment.experiment_id, "note", "x" * 20001)
    client.set_experiment_tag(experiment.experiment_id, "note", "x" * 5000)
    assert client.get_experiment(experiment.experiment_id).tags["note"] == "x" * 5000


def test_a_whole_script_may_log_asynchronously(mlflow, client, experiment):
    mlflow.config.enable_async_logging(True)
    try:
        with mlflow.start_run() as run:
            for step in range(100):
                mlflow.log_metrics({"loss": 1 / (step + 1), "acc": step / 100}, step=step)
            mlflow.log_params({"lr": 0.1, "layers": 2})
            mlflow.set_tag("team", "vision").wait()
            mlflow.log_metric("last", 7).wait()
    finally:
        mlflow.config.enable_async_logging(False)
    mlflow.flush_async_logging()
    got = client.get_run(run.info.run_id)
    assert got.data.metrics == {"loss": 0.01, "acc": 0.99, "last": 7.0}
    assert got.data.params == {"lr": "0.1", "layers": "2"} and got.data.tags["team"] == "vision"
    assert [m.step for m in client.get_metric_history(run.info.run_id, "acc")] == list(range(100))


def test_an_error_of_asynchronous_logging_reaches_the_caller(mlflow, experiment):
    with mlflow.start_run():
        mlflow.log_param("lr", "1")
        with pytest.raises(mlflow.MlflowException, match="Changing param values is not allowed"):
            mlflow.log_param("lr", "2", synchronous=False).wait()


def test_system_metrics_are_sampled_beside_a_run(mlflow, client, experiment):
    mlflow.set_system_metrics_sampling_interval(0.2)
    mlflow.enable_system_metrics_logging()
    try:
        with mlflow.start_run() as run:
            until = time.monotonic() + 20
            while time.monotonic() < until and "system/cpu_utilization_percentage" not in client.get_run(run.info.run_id).data.metrics:
                time.sleep(0.1)
    finally:
        mlflow.disable_system_metrics_logging()
        mlflow.set_system_metrics_sampling_interval(None)
    metrics = client.get_run(run.info.run_id).data.metrics
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= set(metrics)
    history = client.get_metric_history(run.info.run_id, "system/system_memory_usage_megabytes")
    assert history[0].step == 0 and all(m.value > 0 for m in history)


def test_a_finished_run_goes_on_under_its_id(mlflow, client, experiment, monkeypatch):
    with mlflow.start_run(run_name="night", tags={"part": "1"}) as run:
        mlflow.log_metric("loss", 2, step=0)
    run_id = run.info.run_id
    with pytest.raises(RuntimeError):
        with mlflow.start_run(run_id=run_id):
            assert client.get_run(run_id).info.status == "RUNNING"
            raise RuntimeError("interrupted")
    assert client.get_run(run_id).info.status == "FAILED"
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    with mlflow.start_run() as again:
        assert again.info.run_id == run_id
        mlflow.log_metric("loss", 1, step=1)
        mlflow.set_tag("part", "2")
    got = client.get_run(run_id)
    assert got.info.status == "FINISHED" and got.info.run_name == "night" and got.data.tags["part"] == "2"
    assert [m.value for m in client.get_metric_history(run_id, "loss")] == [2, 1]
    client.update_run(run_id, status="KILLED", name="morning")
    got = client.get_run(run_id)
    assert got.info.status == "KILLED" and got.info.run_name == got.data.tags["mlflow.runName"] == "morning"
    client.delete_run(run_id)
    with pytest.raises(mlflow.MlflowException):
        mlflow.start_run(run_id=run_id)


def test_runs_nest_to_any_depth(mlflow, client, experiment):
    with mlflow.start_run(run_name="top") as top:
        with mlflow.start_run(run_name="middle", nested=True) as middle:
            with mlflow.start_run(run_name="leaf", nested=True) as leaf:
                mlflow.log_metric("m", 1)
    with mlflow.start_run(run_name="late", parent_run_id=top.info.run_id, nested=True) as late:
        pass
    assert mlflow.get_parent_run(leaf.info.run_id).info.run_id == middle.info.run_id
    assert client.get_parent_run(middle.info.run_id).info.run_id == top.info.run_id
    assert client.get_parent_run(late.info.run_id).info.run_name == "top" and client.get_parent_run(top.info.run_id) is None
    assert mlflow.last_active_run().info.run_id == late.info.run_id


def test_tables_grow_and_are_read_across_runs(mlflow, experiment):
    ids = []
    for name in ("a", "b"):
        with mlflow.start_run() as run:
            for i in range(3):
                mlflow.log_table({"answer": [f"{name}{i}"], "score": [i]}, "eval/table.json")
        ids.append(run.info.run_id)
    table = mlflow.load_table("eval/table.json", run_ids=ids, extra_columns=["run_id"])
    assert sorted(table["answer"]) == ["a0", "a1", "a2", "b0", "b1", "b2"] and set(table["run_id"]) == set(ids)
    assert len(mlflow.load_table("eval/table.json")) == 6


def test_datasets_of_pandas_and_numpy_are_inputs(mlflow, client, experiment):
    import numpy as np
    import pandas as pd

    frame = mlflow.data.from_pandas(pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]}), source="https://example.org/frame.csv", name="frame", targets="y")
    array = mlflow.data.from_numpy(np.arange(12.0).reshape(4, 3), targets=np.arange(4), name="array")
    with mlflow.start_run() as run:
        mlflow.log_input(frame, context="training")
        mlflow.log_input(array, context="testing", tags={"fold": "1"})
        mlflow.log_input(frame, context="training")
    inputs = {i.dataset.name: i for i in client.get_run(run.info.run_id).inputs.dataset_inputs}
    assert set(inputs) == {"frame", "array"}
    assert inputs["array"].dataset.digest == array.digest and json.loads(inputs["array"].dataset.profile)["features_size"] == 12
    assert {t.key: t.value for t in inputs["array"].tags} == {"mlflow.data.context": "testing", "fold": "1"}
    source = mlflow.data.get_source(inputs["frame"].dataset)
    assert source.url == "https://example.org/frame.csv"
    with mlflow.start_run():
        mlflow.log_input(array, context="training")

    def found(filter_string):
        return len(mlflow.search_runs(filter_string=filter_string, output_format="list"))

    assert found("dataset.name = 'array'") == 2 and found("dataset.context = 'testing'") == 1
    assert found(f"dataset.digest = '{array.digest}' and dataset.context LIKE 'test%'") == 1
    assert found("dataset.name IN ('frame', 'other')") == 1 and found("dataset.name NOT IN ('frame', 'array')") == 0


@pytest.mark.since(3)
def test_several_datasets_go_in_one_call(mlflow, client, experiment):
    import numpy as np

    sets = [mlflow.data.from_numpy(np.full(3, i), name=f"part {i}") for i in range(3)]
    with mlflow.start_run() as run:
        mlflow.log_inputs(datasets=sets, contexts=["training", "testing", None], tags_list=[{"k": "v"}, None, None])
    assert {i.dataset.name for i in client.get_run(run.info.run_id).inputs.dataset_inputs} == {"part 0", "part 1", "part 2"}


def test_images_and_artifacts_of_a_finished_run(mlflow, client, experiment, tmp_path):
    import numpy as np
    from PIL import Image

    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.log_text(run_id, "text", "a.txt")
    client.log_dict(run_id, {"a": [1]}, "a.yml")
    client.log_image(run_id, np.full((4, 6), 0.5), "grey.png")
    client.log_image(run_id, Image.new("RGB", (6, 4)), key="b c", step=46, timestamp=1700000000000, synchronous=True)
    client.set_terminated(run_id)
    (tmp_path / "later.bin").write_bytes(b"\0" * 5)
    client.log_artifact(run_id, str(tmp_path / "later.bin"))
    assert sorted(f.path for f in client.list_artifacts(run_id)) == ["a.txt", "a.yml", "grey.png", "images", "later.bin"]
    local = client.download_artifacts(run_id, "images", str(tmp_path))
    assert len(list(pathlib.Path(local).rglob("*.png"))) == 1
    assert mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path="later.bin") == []
    with pytest.raises((mlflow.MlflowException, OSError)):
        client.download_artifacts(run_id, "never.bin", str(tmp_path))


def test_a_client_set_to_send_and_fetch_in_parts_still_does_so_whole(mlflow, client, experiment, monkeypatch, tmp_path):
    for name in ("UPLOAD", "DOWNLOAD"):
        monkeypatch.setenv(f"MLFLOW_ENABLE_PROXY_MULTIPART_{name}", "true")
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{name}_MINIMUM_FILE_SIZE", str(6 << 20))
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{name}_CHUNK_SIZE", str(5 << 20))
    (tmp_path / "large.bin").write_bytes(os.urandom(11 << 20))
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.log_artifact(run_id, str(tmp_path / "large.bin"), "deep")
    local = client.download_artifacts(run_id, "deep/large.bin", str(tmp_path))
    assert pathlib.Path(local).read_bytes() == (tmp_path / "large.bin").read_bytes()


@pytest.mark.since(3)
def test_a_traced_function_does_its_work_without_traces(mlflow, client, experiment):
    @mlflow.trace
    def double(x):
        return 2 * x

    with mlflow.start_run() as run:
        assert double(21) == 42
        mlflow.log_metric("m", 1)
    mlflow.flush_trace_async_logging(terminate=False)
    assert client.get_run(run.info.run_id).info.status == "FINISHED"
