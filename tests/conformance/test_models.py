"""Logged models and the registry, as the MLflow client uses them."""

import json

import pytest


@pytest.fixture(scope="module")
def iris():
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True, as_frame=True)


# the client would find out in a process of its own, for seconds
FEW = {"pip_requirements": ["scikit-learn"]}


def train(iris, **more):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=300, **more).fit(*iris)


def test_autologging_of_scikit_learn_records_the_run(mlflow, client, experiment, iris, generation):
    mlflow.sklearn.autolog()
    try:
        with mlflow.start_run() as run:
            train(iris, C=0.5)
    finally:
        mlflow.sklearn.autolog(disable=True)
    got = client.get_run(run.info.run_id)
    assert got.data.params["C"] == "0.5" and got.data.params["max_iter"] == "300"
    assert got.data.metrics["training_score"] > 0.9
    assert got.data.tags["estimator_name"] == "LogisticRegression"
    assert "training_confusion_matrix.png" in [f.path for f in client.list_artifacts(run.info.run_id)]
    assert len(got.inputs.dataset_inputs) == 1
    if generation >= 3:
        assert len(got.outputs.model_outputs) == 1
    else:
        assert [m["artifact_path"] for m in json.loads(got.data.tags["mlflow.log-model.history"])] == ["model"]
    loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    assert loaded.C == 0.5


def test_a_registered_model_is_loaded_by_alias_and_predicts_the_same(mlflow, client, experiment, iris):
    model = train(iris)
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(model, "model", input_example=iris[0].head(3), registered_model_name="iris")
    client.set_registered_model_alias("iris", "champion", info.registered_model_version)
    loaded = mlflow.pyfunc.load_model("models:/iris@champion")
    assert (loaded.predict(iris[0]) == model.predict(iris[0])).all()
    assert loaded.metadata.run_id == run.info.run_id
    version = client.get_model_version_by_alias("iris", "champion")
    assert version.version == info.registered_model_version and version.run_id == run.info.run_id
    assert version.status == "READY" and "champion" in version.aliases
    assert (mlflow.pyfunc.load_model(f"models:/iris/{version.version}").predict(iris[0]) == model.predict(iris[0])).all()
    assert (mlflow.pyfunc.load_model("models:/iris/latest").predict(iris[0]) == model.predict(iris[0])).all()
    assert (mlflow.pyfunc.load_model(info.model_uri).predict(iris[0]) == model.predict(iris[0])).all()


@pytest.mark.since(3)
def test_a_logged_model_carries_params_tags_and_metrics(mlflow, client, experiment, iris):
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(train(iris), "clf", **FEW, params={"depth": 3}, tags={"stage": "try"}, model_type="classifier")
        mlflow.log_metric("accuracy", 0.75, step=1, model_id=info.model_id)
    got = mlflow.get_logged_model(info.model_id)
    assert got.name == "clf" and got.source_run_id == run.info.run_id and got.status.name == "READY"
    assert got.params == {"depth": "3"} and got.tags["stage"] == "try" and got.model_type == "classifier"
    assert [(m.key, m.value, m.step) for m in got.metrics] == [("accuracy", 0.75, 1)]
    found = mlflow.search_logged_models([experiment.experiment_id], filter_string="metrics.accuracy > 0.5", output_format="list")
    assert [m.model_id for m in found] == [info.model_id]
    client.set_logged_model_tags(info.model_id, {"stage": "done"})
    client.delete_logged_model_tag(info.model_id, "stage")
    assert "stage" not in mlflow.get_logged_model(info.model_id).tags
    client.delete_logged_model(info.model_id)
    with pytest.raises(mlflow.MlflowException):
        mlflow.get_logged_model(info.model_id)


def test_versions_count_up_and_aliases_move(mlflow, client, experiment, iris):
    infos = []
    for c in (0.1, 1.0):
        with mlflow.start_run():  # a client of MLflow 2 writes both to one folder of one run
            infos.append(mlflow.sklearn.log_model(train(iris, C=c), "m", **FEW, registered_model_name="moving"))
    assert [int(i.registered_model_version) for i in infos] == [1, 2]
    for version in ("1", "2", "1"):
        client.set_registered_model_alias("moving", "champion", version)
        assert str(client.get_model_version_by_alias("moving", "champion").version) == version
    assert mlflow.sklearn.load_model("models:/moving@champion").C == 0.1
    assert {k: str(v) for k, v in client.get_registered_model("moving").aliases.items()} == {"champion": "1"}
    client.delete_registered_model_alias("moving", "champion")
    with pytest.raises(mlflow.MlflowException):
        mlflow.pyfunc.load_model("models:/moving@champion")


def test_search_model_versions_finds_them(mlflow, client, experiment, iris):
    with mlflow.start_run() as run:
        for _ in range(2):
            mlflow.sklearn.log_model(train(iris), "m", **FEW, registered_model_name="sought")
    client.set_model_version_tag("sought", "2", "review", "passed")
    found = client.search_model_versions("name = 'sought'", order_by=["version_number ASC"])
    assert [int(v.version) for v in found] == [1, 2] and found[1].tags == {"review": "passed"}
    assert len(client.search_model_versions(f"run_id = '{run.info.run_id}'")) == 2
    assert [int(v.version) for v in client.search_model_versions("name = 'sought' and tags.review = 'passed'")] == [2]
    assert [m.name for m in client.search_registered_models("name LIKE 'soug%'")] == ["sought"]


def test_a_model_of_a_run_can_be_registered_afterwards(mlflow, client, experiment, iris):
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(train(iris), "later", **FEW)
    version = mlflow.register_model(f"runs:/{run.info.run_id}/later", "registered later", tags={"k": "v"})
    assert int(version.version) == 1
    assert client.get_model_version("registered later", "1").tags == {"k": "v"}
    assert mlflow.pyfunc.load_model("models:/registered later/1").predict(iris[0]).shape == (150,)


def test_the_registry_keeps_descriptions_tags_and_names(mlflow, client):
    client.create_registered_model("plain", tags={"owner": "me"}, description="first")
    client.update_registered_model("plain", description="second")
    client.set_registered_model_tag("plain", "tier", "1")
    client.delete_registered_model_tag("plain", "owner")
    got = client.get_registered_model("plain")
    assert got.description == "second" and got.tags == {"tier": "1"}
    client.rename_registered_model("plain", "fancy")
    assert client.get_registered_model("fancy").tags == {"tier": "1"}
    with pytest.raises(mlflow.MlflowException) as error:
        client.get_registered_model("plain")
    assert error.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(mlflow.MlflowException) as error:
        client.create_registered_model("fancy")
    assert error.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.delete_registered_model("fancy")
    assert client.search_registered_models("name = 'fancy'") == []


def test_stages_still_work(mlflow, client, experiment, iris):
    with mlflow.start_run():
        for _ in range(2):
            mlflow.sklearn.log_model(train(iris), "m", **FEW, registered_model_name="staged")
    client.transition_model_version_stage("staged", "1", "production")
    client.transition_model_version_stage("staged", "2", "Production", archive_existing_versions=True)
    assert client.get_model_version("staged", "1").current_stage == "Archived"
    assert client.get_model_version("staged", "2").current_stage == "Production"
    assert [int(v.version) for v in client.get_latest_versions("staged", ["Production"])] == [2]
    assert mlflow.pyfunc.load_model("models:/staged/Production").predict(iris[0]).shape == (150,)
    client.delete_model_version("staged", "1")
    with pytest.raises(mlflow.MlflowException):
        client.get_model_version("staged", "1")


def test_classic_evaluation_records_its_metrics(mlflow, client, experiment, iris):
    x, y = iris
    frame = x.assign(target=y)
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(train(iris), "m", **FEW)
        result = mlflow.models.evaluate(info.model_uri, frame, targets="target", model_type="classifier",
                                        evaluator_config={"log_explainer": False, "log_model_explainability": False})
    metrics = client.get_run(run.info.run_id).data.metrics
    assert metrics["accuracy_score"] == result.metrics["accuracy_score"] > 0.9
