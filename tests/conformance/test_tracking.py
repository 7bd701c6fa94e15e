"""Runs, as the MLflow client logs and finds them."""

import io
import json
import math
import os
import pathlib

import pytest


def make_runs(mlflow, rows):
    ids = []
    for name, params, metrics, tags in rows:
        with mlflow.start_run(run_name=name) as run:
            mlflow.log_params(params)
            mlflow.log_metrics(metrics)
            mlflow.set_tags(tags)
        ids.append(run.info.run_id)
    return ids


def test_params_metrics_and_tags_come_back(mlflow, client, experiment):
    with mlflow.start_run(run_name="first", description="what it is for") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"layers": 3, "name": "résumé", "empty": ""})
        mlflow.log_metric("loss", 0.5, step=1)
        mlflow.log_metrics({"acc": 0.9, "f1": 0.8}, step=2)
        mlflow.set_tag("team", "vision")
        mlflow.set_tags({"a.b": "1", "c/d": "2"})
    got = client.get_run(run.info.run_id)
    assert got.info.status == "FINISHED" and got.info.run_name == "first"
    assert got.info.end_time >= got.info.start_time > 0
    assert got.data.params == {"lr": "0.1", "layers": "3", "name": "résumé", "empty": ""}
    assert got.data.metrics == {"loss": 0.5, "acc": 0.9, "f1": 0.8}
    assert got.data.tags["team"] == "vision" and got.data.tags["a.b"] == "1" and got.data.tags["c/d"] == "2"
    assert got.data.tags["mlflow.note.content"] == "what it is for"


def test_a_param_cannot_change_its_value(mlflow, experiment):
    with mlflow.start_run():
        mlflow.log_param("lr", 1)
        mlflow.log_param("lr", 1)
        with pytest.raises(mlflow.MlflowException, match="Changing param values is not allowed"):
            mlflow.log_param("lr", 2)


def test_a_failed_block_makes_a_failed_run(mlflow, client, experiment):
    with pytest.raises(ZeroDivisionError):
        with mlflow.start_run() as run:
            1 / 0
    assert client.get_run(run.info.run_id).info.status == "FAILED"


def test_a_run_can_be_continued(mlflow, client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 2, step=0)
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_metric("loss", 1, step=1)
    got = client.get_run(run.info.run_id)
    assert got.data.metrics == {"loss": 1.0} and got.info.status == "FINISHED"


def test_nested_runs_know_their_parent(mlflow, experiment):
    with mlflow.start_run(run_name="parent") as parent:
        for i in range(3):
            with mlflow.start_run(run_name=f"child {i}", nested=True):
                mlflow.log_metric("i", i)
    children = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'", output_format="list")
    assert sorted(r.info.run_name for r in children) == ["child 0", "child 1", "child 2"]


def test_nan_and_infinite_metrics_come_back(mlflow, client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_metric("nan", float("nan"))
        mlflow.log_metric("up", float("inf"))
        mlflow.log_metric("down", float("-inf"))
    metrics = client.get_run(run.info.run_id).data.metrics
    assert math.isnan(metrics["nan"])
    assert metrics["up"] >= 1.7976931348623157e308
    assert metrics["down"] <= -1.7976931348623157e308
    assert math.isnan(client.get_metric_history(run.info.run_id, "nan")[0].value)


def test_unicode_names_come_back(mlflow, client, experiment):
    with mlflow.start_run(run_name="Übung 東京 🚀") as run:
        mlflow.log_param("größe", "naïve 値")
        mlflow.log_metric("précision", 0.25)
        mlflow.set_tag("ключ", "значение ✓")
        mlflow.log_text("日本", "ordner ü/файл 1.txt")
    got = client.get_run(run.info.run_id)
    assert got.info.run_name == "Übung 東京 🚀"
    assert got.data.params == {"größe": "naïve 値"}
    assert got.data.metrics == {"précision": 0.25}
    assert got.data.tags["ключ"] == "значение ✓"
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/ordner ü/файл 1.txt") == "日本"
    assert [f.path for f in client.list_artifacts(run.info.run_id, "ordner ü")] == ["ordner ü/файл 1.txt"]
    found = mlflow.search_runs(filter_string="params.`größe` = 'naïve 値' and run_name LIKE '%東京%'")
    assert list(found.run_id) == [run.info.run_id]


def test_an_experiment_with_a_unicode_name_is_found_by_it(mlflow, client):
    made = client.create_experiment("Versuch № 1 · 東京", tags={"who": "ich"})
    found = client.get_experiment_by_name("Versuch № 1 · 東京")
    assert found.experiment_id == made and found.tags["who"] == "ich"
    assert client.get_experiment_by_name("gibt es nicht") is None


def test_the_history_of_a_metric_comes_back_in_order(mlflow, client, experiment):
    with mlflow.start_run() as run:
        for step in range(300):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [m.step for m in history] == list(range(300))
    assert [m.value for m in history] == [1 / (s + 1) for s in range(300)]
    assert client.get_run(run.info.run_id).data.metrics["loss"] == 1 / 300


def test_log_batch_takes_thousands_of_points(mlflow, client, experiment):
    from mlflow.entities import Metric

    with mlflow.start_run() as run:
        for first in range(0, 3000, 1000):
            points = [Metric("m", i * 0.5, 1700000000000 + i, i) for i in range(first, first + 1000)]
            client.log_batch(run.info.run_id, metrics=points)
    history = client.get_metric_history(run.info.run_id, "m")
    assert len(history) == 3000 and history[2999].value == 1499.5 and history[7].timestamp == 1700000000007


def test_asynchronous_logging_loses_nothing(mlflow, client, experiment):
    with mlflow.start_run() as run:
        for step in range(200):
            mlflow.log_metric("loss", step, step=step, synchronous=False)
        mlflow.log_param("p", "1", synchronous=False)
    mlflow.flush_async_logging()
    assert [m.value for m in client.get_metric_history(run.info.run_id, "loss")] == list(range(200))
    assert client.get_run(run.info.run_id).data.params == {"p": "1"}


def test_a_figure_and_a_file_are_artifacts(mlflow, client, experiment, tmp_path):
    import matplotlib.pyplot as plt
    from PIL import Image

    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    (tmp_path / "note.txt").write_text("a file\n")
    with mlflow.start_run() as run:
        mlflow.log_figure(figure, "plots/line.png")
        mlflow.log_artifact(tmp_path / "note.txt", "notes")
    assert sorted((f.path, f.is_dir) for f in client.list_artifacts(run.info.run_id)) == [("notes", True), ("plots", True)]
    local = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/plots/line.png", dst_path=str(tmp_path / "got"))
    assert Image.open(local).format == "PNG"
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/note.txt") == "a file\n"


def test_dict_text_table_and_image_are_artifacts(mlflow, client, experiment):
    import numpy as np
    import pandas as pd

    table = pd.DataFrame({"question": ["a", "b"], "score": [1, 2]})
    with mlflow.start_run() as run:
        mlflow.log_dict({"k": [1, 2, {"ü": None}]}, "config/a.json")
        mlflow.log_dict({"k": 1}, "config/b.yaml")
        mlflow.log_text("one\ntwo", "t.txt")
        mlflow.log_text("", "empty.txt")
        mlflow.log_table(table, "table.json")
        mlflow.log_table(table, "table.json")
        mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), "black.png")
        for step in (3, 17, 99):
            mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), key="steps", step=step)
    root = f"runs:/{run.info.run_id}"
    assert mlflow.artifacts.load_dict(f"{root}/config/a.json") == {"k": [1, 2, {"ü": None}]}
    assert mlflow.artifacts.load_text(f"{root}/config/b.yaml") == "k: 1\n"
    assert mlflow.artifacts.load_text(f"{root}/t.txt") == "one\ntwo"
    assert mlflow.artifacts.load_text(f"{root}/empty.txt") == ""
    assert mlflow.artifacts.load_image(f"{root}/black.png").size == (8, 8)
    mlflow.flush_artifact_async_logging()
    images = [f.path for f in client.list_artifacts(run.info.run_id, "images")]  # names with percent signs, from some clients
    assert len(images) == 2 * 3 and [mlflow.artifacts.load_image(f"{root}/{i}").size for i in images if i.endswith(".png")] == [(8, 8)] * 3
    loaded = mlflow.load_table("table.json", run_ids=[run.info.run_id])
    assert list(loaded["question"]) == ["a", "b", "a", "b"] and list(loaded["score"]) == [1, 2, 1, 2]


def test_a_directory_of_three_megabytes_comes_back_byte_for_byte(mlflow, client, experiment, tmp_path):
    source = tmp_path / "source"
    for i in range(30):
        file = source / f"part {i % 3}" / f"{i}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(105_000))
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(source), "data")
    local = pathlib.Path(mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/data", dst_path=str(tmp_path / "got")))
    files = sorted(p.relative_to(source) for p in source.rglob("*.bin"))
    assert sorted(p.relative_to(local) for p in local.rglob("*") if p.is_file()) == files
    assert all((local / f).read_bytes() == (source / f).read_bytes() for f in files)
    sizes = {f.path: f.file_size for f in client.list_artifacts(run.info.run_id, "data/part 1")}
    assert set(sizes.values()) == {105_000} and len(sizes) == 10


def test_artifacts_can_be_deleted(mlflow, client, experiment):
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with mlflow.start_run() as run:
        mlflow.log_text("x", "a/b.txt")
        mlflow.log_text("x", "c.txt")
    get_artifact_repository(run.info.artifact_uri).delete_artifacts("a")
    assert [f.path for f in client.list_artifacts(run.info.run_id)] == ["c.txt"]


def test_a_dataset_is_an_input(mlflow, client, experiment):
    import pandas as pd

    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]})
    data = mlflow.data.from_pandas(frame, source="https://example.org/d.csv", name="tiny", targets="y")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training", tags={"split": "a"})
    (got,) = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert got.dataset.name == "tiny" and got.dataset.digest == data.digest
    assert {t.key: t.value for t in got.tags} == {"mlflow.data.context": "training", "split": "a"}
    assert json.loads(got.dataset.profile)["num_rows"] == 2
    found = mlflow.search_runs(filter_string="dataset.name = 'tiny' and dataset.context = 'training'")
    assert list(found.run_id) == [run.info.run_id]


def test_search_runs_fills_a_pandas_frame(mlflow, experiment):
    ids = make_runs(mlflow, [
        ("a", {"lr": 0.1, "opt": "adam"}, {"loss": 3}, {"team": "x"}),
        ("b", {"lr": 0.2, "opt": "sgd"}, {"loss": 1}, {"team": "y"}),
        ("c", {"lr": 0.3}, {"loss": float("nan")}, {}),
        ("d", {}, {}, {"team": "x"}),
    ])

    def names(filter_string="", **more):
        return [r.info.run_name for r in mlflow.search_runs(filter_string=filter_string, output_format="list", **more)]

    frame = mlflow.search_runs(order_by=["metrics.loss ASC"])
    assert list(frame.run_id) == [ids[1], ids[0], ids[2], ids[3]]
    assert frame["metrics.loss"][0] == 1.0 and frame["params.opt"][1] == "adam" and frame["params.opt"].isna()[3]
    assert str(frame.start_time.dt.tz) == "UTC" and set(frame.status) == {"FINISHED"}
    assert names("metrics.loss <= 3 and params.opt = 'adam'") == ["a"]
    assert names("metrics.loss > 0.5", order_by=["metrics.loss DESC"]) == ["a", "b"]
    assert sorted(names("tags.team = 'x'")) == ["a", "d"]
    assert names("tags.team != 'x'") == ["b"]
    assert names("params.opt ILIKE 'AD%'") == ["a"] and names("params.opt LIKE 'AD%'") == []
    assert sorted(names("params.lr IS NOT NULL")) == ["a", "b", "c"]
    assert names("run_name = 'c'") == ["c"]
    assert sorted(names(f"attributes.run_id IN ('{ids[0]}', '{ids[3]}')")) == ["a", "d"]
    assert len(mlflow.search_runs(filter_string="status = 'FAILED'")) == 0
    assert names(order_by=["params.lr DESC", "attribute.start_time ASC"])[:3] == ["c", "b", "a"]
    assert len(mlflow.search_runs(max_results=2)) == 2
    for wrong in ("metrics.loss = 'a'", "metrics.loss > ", "nonsense.loss > 1"):
        with pytest.raises(mlflow.MlflowException) as error:
            mlflow.search_runs(filter_string=wrong)
        assert error.value.error_code == "INVALID_PARAMETER_VALUE"


def test_search_pages_hold_every_run_once(mlflow, client, experiment):
    ids = {client.create_run(experiment.experiment_id).info.run_id for _ in range(23)}
    seen, token = [], None
    while True:
        page = client.search_runs([experiment.experiment_id], max_results=5, page_token=token)
        seen += [r.info.run_id for r in page]
        token = page.token
        if not token:
            break
    assert len(seen) == 23 and set(seen) == ids


def test_a_run_can_be_deleted_and_restored(mlflow, client, experiment):
    from mlflow.entities import ViewType

    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert len(client.search_runs([experiment.experiment_id])) == 0
    assert len(client.search_runs([experiment.experiment_id], run_view_type=ViewType.DELETED_ONLY)) == 1
    with pytest.raises(mlflow.MlflowException, match="must be in the 'active' state"):
        client.log_metric(run_id, "m", 1)
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1)
    assert client.get_run(run_id).info.lifecycle_stage == "active"


def test_tags_and_names_of_a_run_can_change(mlflow, client, experiment):
    run_id = client.create_run(experiment.experiment_id, run_name="old").info.run_id
    client.set_tag(run_id, "t", "1")
    client.set_tag(run_id, "t", "2")
    client.update_run(run_id, name="new")
    got = client.get_run(run_id)
    assert got.data.tags["t"] == "2" and got.info.run_name == "new" and got.data.tags["mlflow.runName"] == "new"
    client.delete_tag(run_id, "t")
    assert "t" not in client.get_run(run_id).data.tags
    with pytest.raises(mlflow.MlflowException):
        client.delete_tag(run_id, "t")


def test_a_run_finished_twice_is_finished(mlflow, client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.set_terminated(run_id, "FINISHED", end_time=1000)
    client.set_terminated(run_id, "FINISHED", end_time=2000)
    assert client.get_run(run_id).info.status == "FINISHED"
    assert client.get_run(run_id).info.end_time == 2000


def test_search_experiments_filters_and_orders(mlflow, client):
    from mlflow.entities import ViewType

    ids = [client.create_experiment(f"pen {n}", tags={"kind": n[0]}) for n in ("ape", "bear", "ant")]
    client.delete_experiment(ids[1])

    def names(**more):
        return [e.name for e in client.search_experiments(**more)]

    assert names(filter_string="name LIKE 'pen %'", order_by=["name ASC"]) == ["pen ant", "pen ape"]
    assert names(filter_string="tags.kind = 'a' and name LIKE 'pen %'", order_by=["name DESC"]) == ["pen ape", "pen ant"]
    assert names(filter_string="name LIKE 'pen %'", view_type=ViewType.DELETED_ONLY) == ["pen bear"]
    assert len(client.search_experiments(filter_string="name LIKE 'pen %'", view_type=ViewType.ALL)) == 3
    client.restore_experiment(ids[1])
    client.rename_experiment(ids[1], "pen lynx")
    client.set_experiment_tag(ids[1], "kind", "l")
    got = client.get_experiment(ids[1])
    assert got.name == "pen lynx" and got.tags["kind"] == "l" and got.lifecycle_stage == "active"
    with pytest.raises(mlflow.MlflowException) as error:
        client.create_experiment("pen lynx")
    assert error.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_errors_carry_the_code_that_clients_look_for(mlflow, client):
    for what in (lambda: client.get_run("0" * 32), lambda: client.get_experiment("987654321")):
        with pytest.raises(mlflow.MlflowException) as error:
            what()
        assert error.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_a_token_does_instead_of_a_password(mlflow, client, server, experiment, monkeypatch):
    token = server.call("POST", "/api/v1/tokens", {"name": "conformance"})["token"]
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    with pytest.raises(mlflow.MlflowException):
        client.search_experiments()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1)
        mlflow.log_text("by token", "t.txt")
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/t.txt") == "by token"
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token[:-1] + ("a" if token[-1] != "a" else "b"))
    with pytest.raises(mlflow.MlflowException):
        client.search_experiments()
