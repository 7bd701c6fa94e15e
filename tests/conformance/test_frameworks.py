"""What the client logs by itself for the frameworks, and evaluation."""

import json

import pytest


@pytest.fixture(scope="module")
def cancer():
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return x.iloc[:, :6].rename(columns=lambda c: c.replace(" ", "_")), y


@pytest.fixture
def autolog(request, mlflow):
    """Turns it on for one test."""
    started = []

    def start(flavor, **more):
        flavor.autolog(**more)
        started.append(flavor)

    yield start
    for flavor in started:
        flavor.autolog(disable=True)


def test_xgboost_logs_itself(mlflow, client, experiment, cancer, autolog):
    import xgboost

    autolog(mlflow.xgboost, log_models=False)
    x, y = cancer
    with mlflow.start_run() as run:
        xgboost.train({"max_depth": 3, "eta": 0.3, "objective": "binary:logistic", "eval_metric": ["logloss", "error"]},
                      xgboost.DMatrix(x, label=y), num_boost_round=12, evals=[(xgboost.DMatrix(x, label=y), "train")], verbose_eval=False)
    got = client.get_run(run.info.run_id)
    assert got.data.params["max_depth"] == "3" and got.data.params["num_boost_round"] == "12"
    assert 0 < got.data.metrics["train-logloss"] < 0.4
    history = client.get_metric_history(run.info.run_id, "train-logloss")
    assert [m.step for m in history] == list(range(12)) and history[0].value > history[11].value
    paths = [f.path for f in client.list_artifacts(run.info.run_id)]
    assert "feature_importance_weight.json" in paths and "feature_importance_weight.png" in paths
    assert set(mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/feature_importance_weight.json")) <= set(x.columns)
    assert len(got.inputs.dataset_inputs) == 2


def test_the_scikit_learn_face_of_xgboost_logs_itself(mlflow, client, experiment, cancer, autolog):
    import xgboost

    autolog(mlflow.xgboost, registered_model_name="boosted", log_datasets=False)
    with mlflow.start_run() as run:
        model = xgboost.XGBClassifier(n_estimators=5, max_depth=2).fit(*cancer)
    got = client.get_run(run.info.run_id)
    assert got.data.params["max_depth"] == "2" and got.inputs.dataset_inputs == []
    assert client.get_model_version("boosted", "1").run_id == run.info.run_id
    assert (mlflow.pyfunc.load_model("models:/boosted/1").predict(cancer[0]) == model.predict(cancer[0])).all()


def test_a_grid_search_makes_a_child_run_of_each_try(mlflow, client, experiment, cancer, autolog):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    autolog(mlflow.sklearn, log_models=False)
    with mlflow.start_run() as run:
        GridSearchCV(LogisticRegression(max_iter=2000), {"C": [0.1, 1.0, 10.0]}, cv=2).fit(*cancer)
    children = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{run.info.run_id}'", order_by=["metrics.mean_test_score DESC"], output_format="list")
    assert sorted(r.data.params["C"] for r in children) == ["0.1", "1.0", "10.0"]
    parent = client.get_run(run.info.run_id)
    assert parent.data.params["best_C"] == children[0].data.params["C"]
    assert abs(parent.data.metrics["best_cv_score"] - children[0].data.metrics["mean_test_score"]) < 1e-12
    assert "cv_results.csv" in [f.path for f in client.list_artifacts(run.info.run_id)]


def test_a_model_of_ones_own_with_files_beside_it(mlflow, client, experiment, tmp_path):
    class Scaled(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            with open(context.artifacts["factor"]) as f:
                self.factor = float(f.read())

        def predict(self, context, model_input, params=None):
            return model_input * self.factor

    (tmp_path / "factor.txt").write_text("2.5")
    with mlflow.start_run() as run:
        info = mlflow.pyfunc.log_model("own", python_model=Scaled(), artifacts={"factor": str(tmp_path / "factor.txt")}, pip_requirements=[],
                                       metadata={"team": "vision"})
    import numpy as np

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/own"):
        assert list(mlflow.pyfunc.load_model(uri).predict(np.array([2.0, 4.0]))) == [5.0, 10.0]
    got = mlflow.models.get_model_info(f"runs:/{run.info.run_id}/own")
    assert got.metadata == {"team": "vision"} and got.run_id == run.info.run_id


def test_where_each_generation_keeps_a_model(mlflow, client, experiment, cancer, generation):
    """MLflow 2: files of the run, and a tag that names them. MLflow 3: a thing of its own, linked from the run. Both are one URI."""
    from sklearn.dummy import DummyClassifier

    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(DummyClassifier().fit(*cancer), "m", input_example=cancer[0].head(2), pip_requirements=[])
    got = client.get_run(run.info.run_id)
    if generation >= 3:
        assert [m.model_id for m in got.outputs.model_outputs] == [info.model_id] and info.model_uri == f"models:/{info.model_id}"
        assert mlflow.get_logged_model(info.model_id).artifact_location.endswith(f"/models/{info.model_id}/artifacts")
    else:
        (history,) = json.loads(got.data.tags["mlflow.log-model.history"])
        assert history["run_id"] == run.info.run_id and "sklearn" in history["flavors"] and info.model_uri == f"runs:/{run.info.run_id}/m"
    assert "MLmodel" in [f.path.split("/")[-1] for f in mlflow.artifacts.list_artifacts(f"runs:/{run.info.run_id}/m")]
    made = client.create_registered_model("by hand") and client.create_model_version("by hand", f"runs:/{run.info.run_id}/m", run.info.run_id)
    assert mlflow.pyfunc.load_model(f"models:/by hand/{made.version}").predict(cancer[0].head(2)).shape == (2,)
    signature = mlflow.models.get_model_info(f"runs:/{run.info.run_id}/m").signature
    assert signature.inputs.input_names() == list(cancer[0].columns)


@pytest.mark.since(3)
def test_metrics_belong_to_the_model_and_the_dataset(mlflow, client, experiment, cancer):
    from sklearn.dummy import DummyClassifier

    data = mlflow.data.from_pandas(cancer[0].assign(y=cancer[1]), name="cancer", targets="y")
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(DummyClassifier().fit(*cancer), name="m", step=3, pip_requirements=[])
        mlflow.log_metrics({"a": 1, "b": 2}, step=3, model_id=info.model_id, dataset=data)
        mlflow.log_metric("a", 3, step=4, model_id=info.model_id, dataset=data)
    with mlflow.start_run() as later:
        mlflow.log_metric("a", 5, model_id=info.model_id)
        mlflow.sklearn.load_model(info.model_uri)
    got = sorted((m.key, m.value, m.step, m.run_id, m.dataset_name) for m in mlflow.get_logged_model(info.model_id).metrics)
    assert ("a", 3.0, 4, run.info.run_id, "cancer") in got and ("b", 2.0, 3, run.info.run_id, "cancer") in got and ("a", 5.0, 0, later.info.run_id, None) in got
    assert client.get_run(run.info.run_id).outputs.model_outputs[0].step == 3
    assert [m.model_id for m in client.get_run(later.info.run_id).inputs.model_inputs] == [info.model_id]
    found = mlflow.search_logged_models([experiment.experiment_id], filter_string="metrics.b > 1", datasets=[{"dataset_name": "cancer", "dataset_digest": data.digest}],
                                        order_by=[{"field_name": "metrics.a", "ascending": False, "dataset_name": "cancer"}], output_format="list")
    assert [m.model_id for m in found] == [info.model_id]


@pytest.mark.since(3)
def test_a_model_kept_elsewhere_takes_params_tags_and_metrics(mlflow, client, experiment):
    with mlflow.start_run() as run:
        model = mlflow.create_external_model(name="elsewhere", params={f"p{i}": str(i) for i in range(130)}, tags={"a": "1"}, model_type="agent")
        mlflow.log_metric("m", 1, model_id=model.model_id)
    mlflow.set_logged_model_tags(model.model_id, {"b": "2", "c": "3"})
    mlflow.delete_logged_model_tag(model.model_id, "a")
    got = mlflow.get_logged_model(model.model_id)
    assert len(got.params) == 130 and got.tags["b"] == "2" and "a" not in got.tags and str(got.status) == "READY" and got.source_run_id == run.info.run_id
    started = mlflow.initialize_logged_model(name="broken off")
    mlflow.log_model_params({"depth": 4}, started.model_id)
    assert str(mlflow.get_logged_model(started.model_id).status) == "PENDING"
    assert str(mlflow.finalize_logged_model(started.model_id, "FAILED").status) == "FAILED"
    assert mlflow.get_logged_model(started.model_id).params == {"depth": "4"}


@pytest.mark.parametrize("what", ["model", "predictions"])
def test_a_classifier_is_evaluated(mlflow, client, experiment, cancer, generation, what):
    from sklearn.linear_model import LogisticRegression

    x, y = cancer
    model = LogisticRegression(max_iter=2000).fit(x, y)
    quick = {"log_model_explainability": False, "log_explainer": False}
    with mlflow.start_run() as run:
        if what == "model":
            info = mlflow.sklearn.log_model(model, "m", input_example=x.head(2), pip_requirements=[])
            data = mlflow.data.from_pandas(x.assign(target=y), targets="target", name="all of it")
            result = mlflow.models.evaluate(info.model_uri, data, model_type="classifier", evaluator_config=quick)
        else:
            evaluate = getattr(mlflow, "evaluate", mlflow.models.evaluate)
            result = evaluate(data=x.assign(target=y, guess=model.predict(x)), targets="target", predictions="guess", model_type="classifier", evaluator_config=quick)
    got = client.get_run(run.info.run_id)
    assert got.data.metrics["accuracy_score"] == result.metrics["accuracy_score"] > 0.85 and got.data.metrics["true_positives"] > 0
    assert {"confusion_matrix.png"} <= {f.path for f in client.list_artifacts(run.info.run_id)}
    assert result.artifacts["confusion_matrix"].uri.endswith("confusion_matrix.png")
    assert len(got.inputs.dataset_inputs) == 1
    if what == "model":
        assert {"roc_curve_plot.png", "precision_recall_curve_plot.png"} <= {f.path for f in client.list_artifacts(run.info.run_id)}
        if generation >= 3:
            metric = {m.key: m for m in mlflow.get_logged_model(info.model_id).metrics}["accuracy_score"]
            assert metric.dataset_name == "all of it" and metric.value == result.metrics["accuracy_score"]
