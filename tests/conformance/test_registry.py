"""The registry in all its corners, without a framework: versions of a folder with one file."""

import pathlib

import pytest


@pytest.fixture
def version(mlflow, client, experiment):
    """Makes a version from a run of its own whose file "m/weights.txt" holds the text."""
    def make(name, text, **more):
        with mlflow.start_run() as run:
            mlflow.log_text(text, "m/weights.txt")
            mlflow.log_text("flavors: {}\n", "m/MLmodel")
        return client.create_model_version(name, f"runs:/{run.info.run_id}/m", run.info.run_id, **more)

    return make


@pytest.fixture
def weights(mlflow):
    """The text behind a URI."""
    return lambda uri: mlflow.artifacts.load_text(f"{uri}/weights.txt")


def test_a_uri_names_a_version_by_number_latest_stage_and_alias(mlflow, client, version, weights):
    client.create_registered_model("uris")
    for n in (1, 2, 3):
        assert int(version("uris", f"weights {n}").version) == n
    client.transition_model_version_stage("uris", "1", "Production")
    client.transition_model_version_stage("uris", "2", "Staging")
    client.set_registered_model_alias("uris", "champion", "2")
    assert [weights(f"models:/uris/{v}") for v in (1, 2, 3)] == ["weights 1", "weights 2", "weights 3"]
    assert weights("models:/uris/latest") == "weights 3"
    assert weights("models:/uris/Production") == "weights 1" and weights("models:/uris/Staging") == "weights 2"
    assert weights("models:/uris@champion") == "weights 2"
    assert mlflow.artifacts.load_text(client.get_model_version_download_uri("uris", "2") + "/weights.txt") == "weights 2"
    for missing in ("models:/uris/9", "models:/uris/Archived", "models:/uris@nobody", "models:/nobody/1"):
        with pytest.raises(mlflow.MlflowException):
            weights(missing)


@pytest.mark.since(3)
def test_a_uri_names_a_logged_model_by_its_id(mlflow, client, experiment, weights, tmp_path):
    model = client.create_logged_model(experiment.experiment_id, name="net")
    (tmp_path / "weights.txt").write_text("of the model")
    client.log_model_artifact(model.model_id, str(tmp_path / "weights.txt"))
    client.finalize_logged_model(model.model_id, "READY")
    assert [f.path for f in client.list_logged_model_artifacts(model.model_id)] == ["weights.txt"]
    local = mlflow.artifacts.download_artifacts(f"models:/{model.model_id}")
    assert pathlib.Path(local, "weights.txt").read_text() == "of the model"
    version = mlflow.register_model(f"models:/{model.model_id}", "of an id")
    assert version.source == f"models:/{model.model_id}" and weights(f"models:/of an id/{version.version}") == "of the model"


def test_stages_archive_each_other_when_asked(mlflow, client, version):
    client.create_registered_model("stages")
    for n in range(4):
        assert version("stages", "x").current_stage == "None"
    client.transition_model_version_stage("stages", "1", "Production")
    client.transition_model_version_stage("stages", "2", "production", archive_existing_versions=False)
    client.transition_model_version_stage("stages", "3", "Staging")

    def stages():
        return [client.get_model_version("stages", str(v)).current_stage for v in (1, 2, 3, 4)]

    assert stages() == ["Production", "Production", "Staging", "None"]
    moved = client.transition_model_version_stage("stages", "3", "Production", archive_existing_versions=True)
    assert moved.current_stage == "Production" and stages() == ["Archived", "Archived", "Production", "None"]
    assert {v.current_stage: int(v.version) for v in client.get_latest_versions("stages")} == {"Archived": 2, "Production": 3, "None": 4}
    assert [int(v.version) for v in client.get_latest_versions("stages", stages=["Archived", "Staging"])] == [2]
    assert {int(v.version) for v in client.get_registered_model("stages").latest_versions} == {2, 3, 4}
    for stage in ("None", "Archived"):
        with pytest.raises(mlflow.MlflowException):
            client.transition_model_version_stage("stages", "3", stage, archive_existing_versions=True)
    with pytest.raises(mlflow.MlflowException, match="Invalid Model Version stage"):
        client.transition_model_version_stage("stages", "3", "Best")


def test_aliases_are_kept_with_their_model(mlflow, client, version):
    client.create_registered_model("aliases")
    version("aliases", "a"), version("aliases", "b")
    client.set_registered_model_alias("aliases", "champion", "1")
    client.set_registered_model_alias("aliases", "challenger", "2")
    client.set_registered_model_alias("aliases", "also_1", "1")
    assert sorted(client.get_model_version("aliases", "1").aliases) == ["also_1", "champion"]
    client.rename_registered_model("aliases", "named anew")
    assert client.get_model_version_by_alias("named anew", "challenger").version in (2, "2")
    client.delete_model_version("named anew", "1")
    assert set(client.get_registered_model("named anew").aliases) == {"challenger"}
    client.delete_registered_model_alias("named anew", "never")
    for alias, number in (("latest", "2"), ("v2", "2"), ("a b", "2"), ("", "2"), ("fine", "9")):
        with pytest.raises(mlflow.MlflowException):
            client.set_registered_model_alias("named anew", alias, number)
    with pytest.raises(mlflow.MlflowException, match="alias champion not found"):
        client.get_model_version_by_alias("named anew", "champion")
    assert int(version("named anew", "c").version) == 3


def test_a_version_keeps_its_description_and_tags(mlflow, client, version):
    client.create_registered_model("described")
    made = version("described", "a", tags={"by": "me"}, description="first")
    assert made.status == "READY" and made.description == "first" and made.tags == {"by": "me"}
    client.update_model_version("described", made.version, description="second")
    client.set_model_version_tag("described", made.version, "by", "you")
    client.set_model_version_tag("described", made.version, "long", "x" * 5000)
    client.delete_model_version_tag("described", made.version, "by")
    got = client.get_model_version("described", made.version)
    assert got.description == "second" and got.tags == {"long": "x" * 5000}
    assert got.last_updated_timestamp >= got.creation_timestamp > 0
    with pytest.raises(mlflow.MlflowException):
        client.set_model_version_tag("described", "9", "a", "b")


def test_a_deleted_model_leaves_nothing_behind(mlflow, client, version, weights):
    client.create_registered_model("short")
    version("short", "a")
    client.set_registered_model_alias("short", "champion", "1")
    client.delete_registered_model("short")
    for call in (lambda: client.get_registered_model("short"), lambda: client.get_model_version("short", "1"), lambda: client.delete_registered_model("short"),
                 lambda: weights("models:/short@champion"), lambda: client.rename_registered_model("short", "long")):
        with pytest.raises(mlflow.MlflowException):
            call()
    assert client.search_model_versions("name = 'short'") == []
    client.create_registered_model("short")
    assert int(version("short", "b").version) == 1 and client.get_registered_model("short").aliases == {}


def test_a_version_is_copied_to_another_model(mlflow, client, version, weights):
    client.create_registered_model("staging area")
    version("staging area", "the same")
    copy = client.copy_model_version("models:/staging area/1", "shop window")
    assert int(copy.version) == 1 and weights("models:/shop window/1") == "the same"
    again = client.copy_model_version("models:/shop window/1", "shop window 2")
    assert weights(f"models:/shop window 2/{again.version}") == "the same"


def test_a_run_is_registered_into_a_model_that_is_there_or_not(mlflow, client, experiment, weights):
    for n in (1, 2):
        with mlflow.start_run() as run:
            mlflow.log_text(str(n), "m/weights.txt")
            mlflow.log_text("flavors: {}\n", "m/MLmodel")
        made = mlflow.register_model(f"runs:/{run.info.run_id}/m", "grown", tags={"n": str(n)})
        assert int(made.version) == n and made.run_id == run.info.run_id and made.tags == {"n": str(n)}
        assert weights(f"models:/grown/{n}") == str(n)


def test_prompts_ride_on_the_registry(mlflow, client, generation):
    prompts = mlflow.genai if generation >= 3 else mlflow
    first = prompts.register_prompt("greeting", "Hello {{ name }}")
    prompts.register_prompt("greeting", "Good day {{ name }}", commit_message="formal")
    assert int(first.version) == 1
    assert prompts.load_prompt("prompts:/greeting/2").format(name="Ada") == "Good day Ada"
    prompts.set_prompt_alias("greeting", "live", 1)
    assert prompts.load_prompt("prompts:/greeting@live").template == "Hello {{ name }}"
    assert "greeting" not in [m.name for m in client.search_registered_models()]
