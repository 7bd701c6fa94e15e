"""Searching as the client does it: filters, orders and pages of every kind of thing."""

import pytest


@pytest.fixture(scope="module")
def zoo(mlflow):
    """60 runs: n of 0..59, the half of it as a param, the remainder by 7 as a tag; every tenth failed."""
    experiment = mlflow.set_experiment("zoo of runs")
    client = mlflow.MlflowClient()
    ids = []
    for n in range(60):
        run_id = client.create_run(experiment.experiment_id, start_time=1700000000000 + n, run_name=f"run {n:02}", tags={"rest": str(n % 7)}).info.run_id
        client.log_metric(run_id, "n", n, step=0)
        if n % 3:
            client.log_metric(run_id, "deep/loss value", -n / 2)
        client.log_param(run_id, "half", n // 2)
        client.set_terminated(run_id, "FAILED" if n % 10 == 0 else "FINISHED", end_time=1700000100000 + n)
        ids.append(run_id)
    return experiment, ids


@pytest.fixture
def numbers(mlflow, zoo):
    """The n of the runs that a filter finds."""
    def search(filter_string="", **more):
        found = mlflow.search_runs([zoo[0].experiment_id], filter_string=filter_string, output_format="list", **more)
        return [int(r.data.metrics["n"]) for r in found]

    return search


@pytest.mark.parametrize("filter_string, wanted", [
    ("metrics.n >= 58", [58, 59]),
    ("metrics.n < 2 AND metric.n != 0", [1]),
    ("metrics.`deep/loss value` <= -29.5", [59]),
    ('metrics."deep/loss value" = -0.5', [1]),
    ("params.half = '29'", [58, 59]),
    ("param.half LIKE '2_' and tags.rest = '0'", [42, 49, 56]),
    ("tags.rest != '0' and metrics.n > 55", [57, 58, 59]),
    ("tag.`rest` ILIKE '6' and metrics.n < 14", [6, 13]),
    ("attributes.status = 'FAILED' and metrics.n > 30", [40, 50]),
    ("status != 'FINISHED' and metrics.n < 15", [0, 10]),
    ("run_name LIKE 'run 5%' and attribute.start_time > 1700000000057", [58, 59]),
    ("`run name` = 'run 07'", [7]),
    ("start_time <= 1700000000001", [0, 1]),
    ("end_time >= 1700000100059", [59]),
    ("user_id != 'nobody' and run_name ilike 'RUN 00'", [0]),
    ("params.never = 'x'", []),
    ("params.half = '3' and metrics.n = 6.0", [6]),
])
def test_a_filter_finds_what_it_says(numbers, filter_string, wanted):
    assert sorted(numbers(filter_string)) == wanted


def test_artifact_uris_and_ids_are_filtered(mlflow, zoo, numbers):
    assert numbers(f"run_id = '{zoo[1][3]}'") == [3]
    assert sorted(numbers(f"attributes.run_id IN ('{zoo[1][3]}', '{zoo[1][9]}')")) == [3, 9]
    assert len(numbers(f"run_id NOT IN ('{zoo[1][3]}')")) == 59
    assert numbers(f"artifact_uri LIKE '%{zoo[1][5]}%'") == [5]


@pytest.mark.parametrize("order_by, wanted", [
    (["metrics.n DESC"], [59, 58, 57]),
    (["metrics.`deep/loss value` ASC"], [59, 58, 56]),
    (["params.half DESC", "metrics.n ASC"], [18, 19, 16]),  # params are text: '9' is the greatest
    (["tags.rest ASC", "start_time DESC"], [56, 49, 42]),
    (["attribute.start_time"], [0, 1, 2]),
    (["status ASC", "attributes.end_time DESC"], [50, 40, 30]),
    (["run_name DESC"], [59, 58, 57]),
    ([], [59, 58, 57]),
])
def test_an_order_is_kept(numbers, order_by, wanted):
    assert numbers(order_by=order_by)[:3] == wanted


def test_runs_without_the_metric_come_last_in_both_directions(numbers):
    for direction in ("ASC", "DESC"):
        got = numbers(order_by=[f"metrics.`deep/loss value` {direction}"])
        assert len(got) == 60 and all(n % 3 == 0 for n in got[40:]) and all(n % 3 for n in got[:40])


@pytest.mark.parametrize("filter_string, order_by", [
    ("", ["metrics.n ASC"]), ("", ["tags.rest DESC"]), ("metrics.n > 9", ["metrics.`deep/loss value` DESC"]), ("tags.rest != '1'", []),
])
def test_pages_are_the_whole_in_order(client, zoo, filter_string, order_by):
    where = [zoo[0].experiment_id]
    whole = [r.info.run_id for r in client.search_runs(where, filter_string, order_by=order_by)]
    walked, token = [], None
    while token or not walked:
        page = client.search_runs(where, filter_string, max_results=7, order_by=order_by, page_token=token)
        walked += [r.info.run_id for r in page]
        token = page.token
    assert walked == whole and len(set(walked)) == len(walked)


def test_the_frame_of_several_experiments(mlflow, client, zoo):
    other = mlflow.set_experiment("zoo beside")
    run_id = client.create_run(other.experiment_id, tags={"rest": "0"}).info.run_id
    frame = mlflow.search_runs(experiment_names=["zoo of runs", "zoo beside"], filter_string="tags.rest = '0'", max_results=5)
    assert len(frame) == 5 and frame.run_id[0] == run_id and frame["metrics.n"].isna()[0]
    assert set(mlflow.search_runs(search_all_experiments=True, filter_string="tags.rest = '0'").experiment_id) == {other.experiment_id, zoo[0].experiment_id}


@pytest.mark.parametrize("filter_string", ["metrics.n > 'a'", "params.half > 3", "status", "metrics.n >", "nothing.n > 1", "tags.rest = x", "metrics.n ~ 1"])
def test_a_wrong_filter_is_the_callers_mistake(mlflow, zoo, filter_string):
    with pytest.raises(mlflow.MlflowException) as error:
        mlflow.search_runs([zoo[0].experiment_id], filter_string=filter_string)
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


def test_experiments_are_searched_in_pages(mlflow, client):
    for n in range(12):
        client.create_experiment(f"paged {n:02}", tags={"even": str(n % 2 == 0), "of": "pages"})
    walked, token = [], None
    while token or not walked:
        page = client.search_experiments(filter_string="tags.of = 'pages'", max_results=5, order_by=["name DESC"], page_token=token)
        walked += [e.name for e in page]
        token = page.token
    assert walked == [f"paged {n:02}" for n in range(11, -1, -1)]
    found = mlflow.search_experiments(filter_string="tags.`even` = 'True' AND name ILIKE 'PAGED 0%'", order_by=["creation_time ASC", "experiment_id"])
    assert [e.name for e in found] == ["paged 00", "paged 02", "paged 04", "paged 06", "paged 08"]
    with pytest.raises(mlflow.MlflowException):
        client.search_experiments(filter_string="params.a = 'b'")


def test_registered_models_and_versions_are_searched_in_pages(mlflow, client):
    for n in range(12):
        client.create_registered_model(f"shelf {n:02}", tags={"row": str(n % 3)})
        for _ in range(n % 3):
            client.create_model_version(f"shelf {n:02}", "s3://bucket/model", tags={"row": str(n % 3)})
    walked, token = [], None
    while token or not walked:
        page = client.search_registered_models("name LIKE 'shelf%'", max_results=5, order_by=["name DESC"], page_token=token)
        walked += [m.name for m in page]
        token = page.token
    assert walked == [f"shelf {n:02}" for n in range(11, -1, -1)]
    assert [m.name for m in mlflow.search_registered_models(filter_string="tags.row = '1' and name ilike 'SHELF 0%'")] == ["shelf 01", "shelf 04", "shelf 07"]
    walked, token = [], None
    while token or not walked:
        page = client.search_model_versions("name LIKE 'shelf%'", max_results=5, order_by=["name ASC", "version_number DESC"], page_token=token)
        walked += [(v.name, int(v.version)) for v in page]
        token = page.token
    assert walked == [(f"shelf {n:02}", v) for n in range(12) for v in range(n % 3, 0, -1)]
    assert len(mlflow.search_model_versions(filter_string="name = 'shelf 02' and version_number > 1")) == 1
    assert len(client.search_model_versions("tags.row = '1' and source_path = 's3://bucket/model'")) == 4


@pytest.mark.since(3)
def test_logged_models_are_searched(mlflow, client, experiment):
    ids = []
    with mlflow.start_run() as run:
        for n in range(7):
            model = client.create_logged_model(experiment.experiment_id, name=f"net {n}", source_run_id=run.info.run_id, model_type="net" if n % 2 else "tree",
                                               params={"depth": str(n)}, tags={"odd": str(n % 2)})
            client.log_metric(run.info.run_id, "score", n / 10, model_id=model.model_id, dataset_name="test", dataset_digest=f"d{n % 2}")
            client.finalize_logged_model(model.model_id, "READY" if n < 6 else "FAILED")
            ids.append(model.model_id)

    def found(filter_string="", **more):
        more.setdefault("order_by", [{"field_name": "name"}])
        return [ids.index(m.model_id) for m in client.search_logged_models([experiment.experiment_id], filter_string or None, **more)]

    assert found() == [0, 1, 2, 3, 4, 5, 6]
    assert found("params.depth = '3'") == [3] and found("tags.odd = '1'") == [1, 3, 5] and found("name LIKE 'net %' AND model_type = 'tree'") == [0, 2, 4, 6]
    assert found("metrics.score >= 0.3 and metrics.score < 0.5") == [3, 4]
    assert found(f"source_run_id = '{run.info.run_id}' and status = 'READY'") == [0, 1, 2, 3, 4, 5]
    assert found(f"model_id = '{ids[2]}'") == [2] and found("creation_timestamp < 5") == []
    assert found("metrics.score > 0.2", datasets=[{"dataset_name": "test", "dataset_digest": "d1"}]) == [3, 5]
    assert found(order_by=[{"field_name": "metrics.score", "ascending": False}]) == [6, 5, 4, 3, 2, 1, 0]
    walked, token = [], None
    while token or not walked:
        page = client.search_logged_models([experiment.experiment_id], max_results=3, order_by=[{"field_name": "metrics.score"}], page_token=token)
        walked += [ids.index(m.model_id) for m in page]
        token = page.token
    assert walked == [0, 1, 2, 3, 4, 5, 6]
    assert len(mlflow.search_logged_models([experiment.experiment_id], max_results=4)) == 4
    with pytest.raises(mlflow.MlflowException):
        found("metric.score > 1")
