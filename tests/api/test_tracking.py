"""Experiments, runs, params, tags and metrics: the rules of the protocol."""

import math
import re

import pytest

from support.api import point

MAX = 1.7976931348623157e308


# ---- experiments ----


def test_the_default_experiment_is_there_from_the_start(fresh_api):
    got = fresh_api.get("/experiments/get", experiment_id="0")["experiment"]
    assert got["name"] == "Default" and got["lifecycle_stage"] == "active"


def test_a_deleted_experiment_keeps_its_name_and_takes_no_runs(api):
    name = "kept name"
    experiment = api.experiment(name, tags=[{"key": "k", "value": "v"}])
    run = api.run(experiment)
    api.post("/experiments/delete", experiment_id=experiment)
    api.refused("POST", "/experiments/create", {"name": name}, code="RESOURCE_ALREADY_EXISTS")
    got = api.get("/experiments/get-by-name", experiment_name=name)["experiment"]
    assert got["lifecycle_stage"] == "deleted" and got["tags"] == [{"key": "k", "value": "v"}]
    assert api.get_run(run)["info"]["lifecycle_stage"] == "deleted"
    api.refused("POST", "/runs/create", {"experiment_id": experiment})
    api.refused("POST", "/experiments/set-experiment-tag", {"experiment_id": experiment, "key": "a", "value": "b"})
    api.refused("POST", "/experiments/delete", {"experiment_id": experiment}, 404, "RESOURCE_DOES_NOT_EXIST")
    api.post("/experiments/restore", experiment_id=experiment)
    assert api.get_run(run)["info"]["lifecycle_stage"] == "active"
    api.refused("POST", "/experiments/restore", {"experiment_id": experiment}, 404, "RESOURCE_DOES_NOT_EXIST")


def test_what_does_not_exist_is_404_with_its_code(api):
    missing = "0" * 32
    for method, path, body in (
        ("GET", "/runs/get?run_id=" + missing, None), ("GET", "/experiments/get?experiment_id=987654", None),
        ("GET", "/experiments/get-by-name?experiment_name=none", None), ("POST", "/runs/update", {"run_id": missing, "status": "FINISHED"}),
        ("POST", "/runs/log-metric", {"run_id": missing, "key": "m", "value": 1, "timestamp": 1}),
        ("POST", "/runs/log-batch", {"run_id": missing, "metrics": [point("m", 1)]}),
        ("POST", "/runs/log-batch", {"run_id": missing, "params": [{"key": "a", "value": "b"}]}),
        ("POST", "/runs/log-parameter", {"run_id": missing, "key": "a", "value": "b"}), ("POST", "/runs/set-tag", {"run_id": missing, "key": "a", "value": "b"}),
        ("POST", "/runs/delete", {"run_id": missing}), ("POST", "/runs/create", {"experiment_id": "987654"}),
        ("GET", "/registered-models/get?name=none", None), ("GET", "/model-versions/get?name=none&version=1", None),
        ("GET", "/logged-models/m-" + missing, None),
    ):
        sentence = api.refused(method, path, body, 404, "RESOURCE_DOES_NOT_EXIST")
        assert len(sentence) > 10


def test_a_tag_of_an_experiment_can_be_taken_away_once(api):
    experiment = api.experiment()
    api.post("/experiments/set-experiment-tag", experiment_id=experiment, key="a", value="")
    api.post("/experiments/delete-experiment-tag", experiment_id=experiment, key="a")
    api.refused("POST", "/experiments/delete-experiment-tag", {"experiment_id": experiment, "key": "a"}, 404, "RESOURCE_DOES_NOT_EXIST")


def test_the_ui_sees_how_many_runs_an_experiment_has(api, server):
    experiment = api.experiment("counted")
    for _ in range(3):
        run = api.run(experiment)
    api.post("/runs/update", run_id=run, status="FINISHED", end_time=5)
    (got,) = [e for e in server.call("GET", "/api/v1/experiments?view=active")["experiments"] if e["experiment_id"] == experiment]
    assert got["runs"] == 3 and got["active_runs"] == 2 and got["name"] == "counted"


# ---- runs ----


def test_a_new_run_looks_as_the_protocol_says(api):
    experiment = api.experiment()
    info = api.post("/runs/create", experiment_id=experiment, start_time=1234, user_id="me", tags=[{"key": "t", "value": "1"}])["run"]["info"]
    assert re.fullmatch("[0-9a-f]{32}", info["run_id"]) and info["run_uuid"] == info["run_id"]
    assert info["status"] == "RUNNING" and info["start_time"] == 1234 and info["user_id"] == "me" and info["lifecycle_stage"] == "active"
    assert info["artifact_uri"].endswith(f"/{experiment}/{info['run_id']}/artifacts")
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d+", info["run_name"])
    tags = {t["key"]: t["value"] for t in api.get_run(info["run_id"])["data"]["tags"]}
    assert tags == {"t": "1", "mlflow.runName": info["run_name"]}


def test_name_and_name_tag_are_one(api):
    experiment = api.experiment()
    run = api.run(experiment, tags=[{"key": "mlflow.runName", "value": "by tag"}])
    assert api.get_run(run)["info"]["run_name"] == "by tag"
    api.post("/runs/set-tag", run_id=run, key="mlflow.runName", value="renamed")
    assert api.get_run(run)["info"]["run_name"] == "renamed"
    api.post("/runs/update", run_id=run, run_name="again")
    got = api.get_run(run)
    assert {"key": "mlflow.runName", "value": "again"} in got["data"]["tags"] and got["info"]["run_name"] == "again"
    api.post("/runs/update", run_id=run, run_name="")
    assert api.get_run(run)["info"]["run_name"] == "again"
    api.refused("POST", "/runs/create", {"experiment_id": experiment, "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]})


def test_a_run_finished_twice_keeps_the_last_word(api):
    run = api.run()
    for end in (10, 20):
        info = api.post("/runs/update", run_id=run, status="FINISHED", end_time=end)["run_info"]
        assert info["status"] == "FINISHED" and info["end_time"] == end
    assert api.post("/runs/update", run_id=run, status="FAILED")["run_info"]["status"] == "FAILED"
    api.refused("POST", "/runs/update", {"run_id": run, "status": "DONE"})


def test_a_finished_run_still_takes_points(api):
    run = api.run()
    api.post("/runs/update", run_id=run, status="FINISHED", end_time=10)
    api.batch(run, metrics=[point("m", 1)])
    assert len(api.history(run, "m")) == 1


def test_a_deleted_run_takes_nothing(api):
    run = api.run()
    api.post("/runs/delete", run_id=run)
    api.post("/runs/delete", run_id=run)
    for path, body in (("/runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}), ("/runs/log-batch", {"metrics": [point("m", 1)]}),
                       ("/runs/log-parameter", {"key": "p", "value": "1"}), ("/runs/set-tag", {"key": "t", "value": "1"}),
                       ("/runs/update", {"status": "FINISHED"})):
        assert "must be in the 'active' state" in api.refused("POST", path, {"run_id": run, **body})
    api.post("/runs/restore", run_id=run)
    api.post("/runs/restore", run_id=run)
    assert api.history(run, "m") == []
    api.batch(run, metrics=[point("m", 1)])


def test_searches_see_deleted_runs_only_when_asked(api):
    experiment = api.experiment()
    kept, gone = api.run(experiment), api.run(experiment)
    api.post("/runs/delete", run_id=gone)

    def ids(view):
        return {r["info"]["run_id"] for r in api.post("/runs/search", experiment_ids=[experiment], run_view_type=view).get("runs", [])}

    assert ids("ACTIVE_ONLY") == {kept} and ids("DELETED_ONLY") == {gone} and ids("ALL") == {kept, gone}
    assert api.post("/runs/search", experiment_ids=[]) == {} and api.post("/runs/search", experiment_ids=["99999999"]) == {}


def test_pages_of_a_search_hold_every_run_once_in_order(api):
    experiment = api.experiment()
    runs = [api.run(experiment, start_time=i // 3) for i in range(25)]
    seen, token = [], ""
    while True:
        page = api.post("/runs/search", experiment_ids=[experiment], max_results=4, page_token=token, order_by=["start_time ASC"])
        seen += [r["info"]["run_id"] for r in page["runs"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert len(seen) == 25 and set(seen) == set(runs)
    assert seen == sorted(runs, key=lambda r: (runs.index(r) // 3, r))


# ---- params and tags ----


def test_a_param_is_written_once(api):
    run = api.run()
    for _ in range(2):
        api.post("/runs/log-parameter", run_id=run, key="a", value="1")
    assert api.refused("POST", "/runs/log-parameter", {"run_id": run, "key": "a", "value": "2"}).startswith("Changing param values is not allowed")
    message = api.refused("POST", "/runs/log-batch", {"run_id": run, "params": [{"key": "new", "value": "1"}, {"key": "a", "value": "3"}]})
    assert message.startswith("Changing param values is not allowed")
    assert api.get_run(run)["data"]["params"] == [{"key": "a", "value": "1"}]
    api.refused("POST", "/runs/log-batch", {"run_id": run, "params": [{"key": "x", "value": "1"}, {"key": "x", "value": "1"}]})


def test_long_values_are_cut_at_their_limit(api):
    run = api.run()
    api.batch(run, params=[{"key": "p", "value": "é" * 7000}], tags=[{"key": "t", "value": "ü" * 9000}])
    data = api.get_run(run)["data"]
    assert data["params"][0]["value"] == "é" * 6000
    assert {"key": "t", "value": "ü" * 8000} in data["tags"]


@pytest.mark.parametrize("key", ["", "a" * 251, "../a", "/a", ".", "a//b", "a/../b", "a\nb", "a*b", "a;b"])
def test_a_bad_key_is_refused_everywhere(api, key):
    run = api.run()
    api.refused("POST", "/runs/log-parameter", {"run_id": run, "key": key, "value": "1"})
    api.refused("POST", "/runs/set-tag", {"run_id": run, "key": key, "value": "1"})
    api.refused("POST", "/runs/log-metric", {"run_id": run, "key": key, "value": 1, "timestamp": 1})
    api.refused("POST", "/runs/log-batch", {"run_id": run, "metrics": [point("good", 1), point(key, 1)]})
    assert "metrics" not in api.get_run(run)["data"]


def test_the_last_of_repeated_tags_wins(api):
    run = api.run()
    api.batch(run, tags=[{"key": "t", "value": "1"}, {"key": "t", "value": "2"}])
    assert {"key": "t", "value": "2"} in api.get_run(run)["data"]["tags"]
    api.post("/runs/delete-tag", run_id=run, key="t")
    api.refused("POST", "/runs/delete-tag", {"run_id": run, "key": "t"}, 404, "RESOURCE_DOES_NOT_EXIST")


def test_a_batch_over_its_limits_is_refused_whole(api):
    run = api.run()
    api.refused("POST", "/runs/log-batch", {"run_id": run, "metrics": [point("m", i, i) for i in range(1001)]})
    api.refused("POST", "/runs/log-batch", {"run_id": run, "params": [{"key": f"p{i}", "value": ""} for i in range(101)]})
    api.refused("POST", "/runs/log-batch", {"run_id": run, "metrics": [point("m", i, i) for i in range(950)], "params": [{"key": f"p{i}", "value": ""} for i in range(51)]})
    data = api.get_run(run)["data"]
    assert "metrics" not in data and "params" not in data
    api.batch(run, metrics=[point("m", i, i) for i in range(900)], params=[{"key": f"p{i}", "value": ""} for i in range(100)])
    assert len(api.history(run, "m")) == 900


# ---- metrics ----


def test_an_exact_duplicate_is_one_point(api):
    run = api.run()
    api.batch(run, metrics=[point("m", 1.5, 1), point("m", 1.5, 1)])
    api.batch(run, metrics=[point("m", 1.5, 1)])
    api.post("/runs/log-metric", run_id=run, **point("m", 1.5, 1))
    assert len(api.history(run, "m")) == 1
    api.batch(run, metrics=[point("m", 1.5, 2), point("m", 2.5, 1), point("m", 1.5, 1, 1700000000001)])
    assert len(api.history(run, "m")) == 4
    api.batch(run, metrics=[point("nan", "NaN", 1), point("nan", "NaN", 1), point("nan", 0, 1)])
    assert len(api.history(run, "nan")) == 2


def test_the_latest_is_the_greatest_step_then_time_then_value(api):
    run = api.run()

    def latest():
        (m,) = api.get_run(run)["data"]["metrics"]
        return m["value"], m["step"], m["timestamp"]

    for p, expected in (
        ((5, 3, 100), (5, 3, 100)), ((9, 2, 900), (5, 3, 100)), ((6, 3, 99), (5, 3, 100)),
        ((7, 3, 100), (7, 3, 100)), ((6.5, 3, 100), (7, 3, 100)), ((1, 3, 101), (1, 3, 101)), ((0, 10, 1), (0, 10, 1)),
        ((-3, -1, 10**15), (0, 10, 1)),
    ):
        api.batch(run, metrics=[point("m", p[0], p[1], p[2])])
        assert latest() == expected, p


def test_histories_are_ordered_by_time_step_value(api):
    run = api.run()
    points = [(3, 1, 2), (1, 1, 2), (2, 0, 2), (9, 5, 1), ("NaN", 1, 2), (-1, 1, 2)]
    api.batch(run, metrics=[point("m", v, s, t) for v, s, t in points])
    got = [(m["value"], m["step"], m["timestamp"]) for m in api.history(run, "m")]
    assert got == [(9, 5, 1), (2, 0, 2), (-1, 1, 2), ("NaN", 1, 2), (1, 1, 2), (3, 1, 2)]


def test_nan_and_infinities_are_kept(api):
    run = api.run()
    api.batch(run, metrics=[point("nan", "NaN"), point("up", "Infinity"), point("down", "-Infinity")])
    api.post("/runs/log-metric", run_id=run, key="nan2", value="nan", timestamp=1)
    got = {m["key"]: m["value"] for m in api.get_run(run)["data"]["metrics"]}
    assert got["nan"] == "NaN" and got["nan2"] == "NaN"
    assert float(got["up"]) >= MAX and float(got["down"]) <= -MAX
    assert math.isnan(float(api.history(run, "nan")[0]["value"]))


@pytest.mark.parametrize("value", [0.1, -0.0, 5e-324, MAX, -MAX, 1 / 3, 123456789012345680, 2.2250738585072014e-308, 1e22, 9007199254740993])
def test_a_value_comes_back_to_the_last_bit(api, value):
    run = api.run()
    api.batch(run, metrics=[point("m", value)])
    assert float(api.history(run, "m")[0]["value"]).hex() == float(value).hex()


@pytest.mark.parametrize("bad", [{"value": "much"}, {"value": True}, {"value": None}, {"value": [1]}, {"timestamp": -1}, {"timestamp": "now"},
                                 {"timestamp": 1.5}, {"step": "x"}, {"step": 1.5}, {"step": 2**63}, {"value": "1e999x"}])
def test_a_bad_point_is_refused_and_nothing_of_its_batch_is_kept(api, bad):
    run = api.run()
    api.refused("POST", "/runs/log-batch", {"run_id": run, "metrics": [point("m", 1), {**point("m", 2, 2), **bad}]})
    api.refused("POST", "/runs/log-metric", {"run_id": run, **point("m", 1), **bad})
    assert api.history(run, "m") == []


def test_extreme_steps_and_times_are_kept(api):
    run = api.run()
    points = [(1.0, 2**63 - 1, 2**63 - 1), (2.0, -(2**63), 0), (3.0, 0, 1)]
    api.batch(run, metrics=[point("m", *p) for p in points])
    assert sorted((m["value"], m["step"], m["timestamp"]) for m in api.history(run, "m")) == points


def test_unknown_keys_and_runs_have_empty_histories(api):
    assert api.history(api.run(), "none") == []
    assert api.history("0" * 32, "none") == []


def test_histories_come_in_pages(api):
    run = api.run()
    for first in range(0, 2500, 500):
        api.batch(run, metrics=[point("m", i, i, i) for i in range(first, first + 500)])
    seen, token = [], None
    while True:
        page = api.get("/metrics/get-history", run_id=run, metric_key="m", max_results=700, **({"page_token": token} if token else {}))
        seen += [m["step"] for m in page["metrics"]]
        token = page.get("next_page_token")
        if not token:
            break
    assert seen == list(range(2500))
    assert len(api.history(run, "m")) == 2500
    api.refused("GET", f"/metrics/get-history?run_id={run}&metric_key=m&max_results=0")


def test_interval_samples_are_taken_by_row(api, server):
    run = api.run()
    api.batch(run, metrics=[point("m", i, i, i) for i in range(10)])
    got = server.call("GET", "/api/2.0/mlflow/metrics/get-history-bulk-interval", params={"run_ids": [run], "metric_key": "m", "max_results": 5})
    assert [m["step"] for m in got["metrics"]] == [0, 2, 4, 6, 9]


def test_series_for_charts_are_exact_when_short_and_bounded_when_long(api, server):
    run = api.run()
    for first in range(0, 3000, 1000):
        api.batch(run, metrics=[point("m", math.sin(i / 50), i, i) for i in range(first, first + 1000)])
    api.batch(run, metrics=[point("short", i * i, i, i) for i in range(5)])
    series = {s["key"]: s for s in server.call("GET", "/api/v1/metrics/series", params={"run_id": [run], "key": ["m", "short"], "buckets": 100})["series"]}
    assert series["short"]["points"]["step"] == [0, 1, 2, 3, 4] and series["short"]["points"]["last"] == [0, 1, 4, 9, 16]
    points = series["m"]["points"]
    assert series["m"]["n"] == 3000 and len(points["step"]) <= 100 and sum(points["count"]) == 3000
    values = [math.sin(i / 50) for i in range(3000)]
    assert min(points["min"]) == min(values) and max(points["max"]) == max(values)
    assert points["step"] == sorted(points["step"]) and points["first"][0] == 0.0 and points["last"][-1] == values[-1]


def test_metrics_of_a_model_are_kept_with_it(api):
    experiment = api.experiment()
    run = api.run(experiment)
    model = api.post("/logged-models", experiment_id=experiment, name="m", source_run_id=run)["model"]["info"]["model_id"]
    api.batch(run, metrics=[{**point("acc", 0.5, 1), "model_id": model, "dataset_name": "d", "dataset_digest": "1"}])
    (got,) = api.get(f"/logged-models/{model}")["model"]["data"]["metrics"]
    assert got["key"] == "acc" and got["value"] == 0.5 and got["dataset_name"] == "d" and got["run_id"] == run
    assert len(api.history(run, "acc")) == 1
