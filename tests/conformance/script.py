"""What a stranger's training script looks like. It knows nothing of the server: MLFLOW_TRACKING_URI and the credentials are in
the environment. The last line says what the model that the alias leads to predicts, and whether that is what was trained."""

import pathlib
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import mlflow  # noqa: E402
import numpy as np  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

mlflow.set_experiment("iris")
mlflow.autolog(log_models=False)

x, y = load_iris(return_X_y=True, as_frame=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=7)

with mlflow.start_run(run_name="logistic regression") as run:
    mlflow.set_tag("team", "flowers")
    mlflow.log_param("split", 7)
    model = LogisticRegression(max_iter=500).fit(x_train, y_train)
    for step in range(50):
        mlflow.log_metric("loss", float(np.exp(-step / 10)), step=step)
    mlflow.log_metric("test_accuracy", model.score(x_test, y_test))

    figure, axes = plt.subplots()
    axes.scatter(x_test.iloc[:, 0], x_test.iloc[:, 1], c=y_test)
    mlflow.log_figure(figure, "plots/test.png")
    with tempfile.TemporaryDirectory() as folder:
        note = pathlib.Path(folder, "note.txt")
        note.write_text("trained on iris\n")
        mlflow.log_artifact(note)

    info = mlflow.sklearn.log_model(
        model, "model", input_example=x_train.head(2), registered_model_name="iris-classifier"
    )

client = MlflowClient()
client.set_registered_model_alias("iris-classifier", "champion", info.registered_model_version)

loaded = mlflow.pyfunc.load_model("models:/iris-classifier@champion")
same = bool((loaded.predict(x_test) == model.predict(x_test)).all())
runs = mlflow.search_runs(experiment_names=["iris"], filter_string="metrics.test_accuracy > 0.5 and params.max_iter = '500'")
print(f"run {run.info.run_id} version {info.registered_model_version} runs {len(runs)} same predictions {same}")
