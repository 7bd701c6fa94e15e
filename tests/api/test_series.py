"""Metrics for charts and tables: series, groups of runs, a few numbers a metric."""

import math
import random
import statistics
import time

import pytest


def series(server, runs, keys, **how):
    body = {"run_ids": runs, "keys": keys, **{k.rstrip("_"): v for k, v in how.items()}}
    return server.call("POST", "/api/v1/metrics/series", body)["series"]


def one(server, run, key, **how):
    found = series(server, [run], [key], **how)
    assert len(found) == 1
    return found[0]


def log(api, run, key, points):
    """(value, time, step) in pieces that a request may hold."""
    metrics = [{"key": key, "value": v, "timestamp": t, "step": s} for v, t, s in points]
    for at in range(0, len(metrics), 1000):
        api.post("/runs/log-batch", run_id=run, metrics=metrics[at : at + 1000])


def wait_until_compacted(server, run):
    """The end of a run makes it due."""
    tail = f"SELECT count(*) FROM cairn.metric_tail JOIN cairn.run USING (run_id) WHERE uuid = '{run}'"
    until = time.monotonic() + 60
    while server.query(tail) != "0":
        assert time.monotonic() < until, "the run was not compacted"
        time.sleep(0.1)


def test_a_short_series_is_given_exactly(server, api):
    run = api.run()
    log(api, run, "loss", [(3.0, 10, 1), (1.0, 20, 2), ("NaN", 30, 3), ("Infinity", 40, 4), (3.0, 10, 1)])
    got = one(server, run, "loss", buckets=4)
    assert got["n"] == 4 and got["exact"] is True
    points = got["points"]
    assert "x" not in points
    assert points["step"] == [1, 2, 3, 4] and points["time"] == [10, 20, 30, 40] and points["count"] == [1] * 4
    assert points["mean"] == points["first"] == points["max"] == [3.0, 1.0, "NaN", "Infinity"]


def test_both_methods_answer_alike(server, api):
    runs = [api.run() for _ in range(3)]
    for i, run in enumerate(runs):
        log(api, run, "a", [(i + k / 10, 1000 + k, k) for k in range(50)])
        log(api, run, "b/c", [(k, 1000 + k, k) for k in range(20)])
    query = "&".join(f"run_id={r}" for r in runs) + "&key=a&key=b/c&buckets=7&from=3&to=40&x=time"
    get = server.call("GET", f"/api/v1/metrics/series?{query}")
    post = server.call("POST", "/api/v1/metrics/series", {"run_ids": runs, "keys": ["a", "b/c"], "buckets": 7, "from": 3, "to": 40, "x": "time"})
    assert get["series"] == post["series"] == []
    get = server.call("GET", f"/api/v1/metrics/series?{query}".replace("x=time", "x=step"))
    post = series(server, runs, ["a", "b/c"], buckets=7, from_=3, to=40)
    assert get["series"] == post and len(post) == 6
    assert [(s["run_id"], s["key"]) for s in post] == [(r, k) for r in runs for k in ("a", "b/c")]
    assert [s["n"] for s in post] == [38, 17] * 3


def test_whatever_is_named_twice_comes_once_and_the_unknown_not_at_all(server, api):
    run = api.run()
    log(api, run, "a", [(1, 1, 1)])
    got = series(server, [run, "0" * 32, run], ["a", "nothing", "a"])
    assert [(s["run_id"], s["key"]) for s in got] == [(run, "a")]


def test_buckets_hold_what_their_samples_say(server, api):
    chance = random.Random(5)
    run = api.run()
    points = [(chance.gauss(0, 1), 1_000_000 + 7 * i, i) for i in range(5000)]
    log(api, run, "m", points)
    got = one(server, run, "m", buckets=9)
    assert got["n"] == 5000 and sum(got["points"]["count"]) == 5000
    at = 0
    for i in range(9):
        c = got["points"]["count"][i]
        part = [v for v, _, _ in points[at : at + c]]
        assert got["points"]["step"][i] == at and got["points"]["time"][i] == 1_000_000 + 7 * at
        assert got["points"]["first"][i] == part[0] and got["points"]["last"][i] == part[-1]
        assert got["points"]["min"][i] == min(part) and got["points"]["max"][i] == max(part)
        assert math.isclose(got["points"]["mean"][i], statistics.fmean(part), rel_tol=1e-9)
        at += c


def test_relative_time_counts_from_the_runs_start_or_from_the_first_sample(server, api):
    known, unknown = api.run(start_time=5000), api.run()
    assert api.get_run(known)["info"]["start_time"] == 5000 and api.get_run(unknown)["info"].get("start_time", 0) == 0
    for run in (known, unknown):
        log(api, run, "m", [(1, 6000, 1), (2, 6500, 2), (3, 9000, 3)])
    assert one(server, known, "m", x="relative")["points"]["x"] == [1000, 1500, 4000]
    assert one(server, unknown, "m", x="relative")["points"]["x"] == [0, 500, 3000]
    assert one(server, unknown, "m", x="relative", from_=1)["points"]["x"] == [500, 3000]
    cut = one(server, known, "m", x="relative", from_=1001, to=4000)
    assert cut["points"]["x"] == [1500, 4000] and cut["points"]["time"] == [6500, 9000]


def test_one_metric_is_drawn_over_another(server, api):
    run = api.run()
    log(api, run, "y", [(10, 1, 1), (20, 2, 2), (30, 3, 3), (35, 4, 3), (40, 4, 5), (50, 5, 6)])
    log(api, run, "x", [(0.5, 1, 1), (-2, 2, 2), (1.5, 3, 3), (9, 3, 4), ("NaN", 4, 5), (0.5, 5, 6)])
    got = one(server, run, "y", x="metric", x_key="x")
    assert got["n"] == 4 and got["points"]["x"] == [-2.0, 0.5, 0.5, 1.5]
    assert got["points"]["last"] == [20, 10, 50, 35] and got["points"]["step"] == [2, 1, 6, 3]
    cut = one(server, run, "y", x="metric", x_key="x", from_=0.25, to=1.5, buckets=2)
    assert cut["n"] == 3 and cut["points"]["count"] == [2, 1] and cut["points"]["max"] == [50, 35]
    itself = one(server, run, "x", x="metric", x_key="x")
    assert itself["points"]["x"] == itself["points"]["last"] == [-2, 0.5, 0.5, 1.5, 9]
    assert series(server, [run], ["y"], x="metric", x_key="nothing") == []


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"buckets": 0}, "'buckets'"),
        ({"buckets": 5001}, "'buckets'"),
        ({"buckets": "many"}, "'buckets'"),
        ({"x": "epoch"}, "'x'"),
        ({"x": "metric"}, "x_key"),
        ({"x_key": "a"}, "x=metric"),
        ({"from": 2, "to": 1}, "from must not be greater"),
        ({"from": 0.5}, "'from'"),
        ({"to": "soon"}, "'to'"),
        ({"x": "metric", "x_key": "a", "from": "nan"}, "from must not be greater"),
        ({"exact": "perhaps"}, "'exact'"),
        ({"run_ids": []}, "'run_ids'"),
        ({"run_ids": "abc"}, "'run_ids'"),
        ({"keys": None}, "'keys'"),
        ({"keys": [1]}, "'keys"),
        ({"keys": [f"k{i}" for i in range(1001)]}, "1000 series"),
        ({"run_ids": [f"{i:x}" for i in range(40)], "keys": [f"k{i}" for i in range(40)]}, "1000 series"),
        ({"cursor": "garbage"}, "cursor"),
    ],
)
def test_a_request_for_series_that_cannot_be_meant_is_refused(server, change, sentence):
    body = {"run_ids": ["0" * 32], "keys": ["a"], **change}
    answer = server.request("POST", "/api/v1/metrics/series", json={k: v for k, v in body.items() if v is not None})
    assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert sentence in answer.json()["message"]


def test_ends_of_int64_are_fine_as_ranges(server, api):
    run = api.run()
    low, high = -(2**63), 2**63 - 1
    log(api, run, "m", [(1, 0, low), (2, 1, 0), (3, high, high)])
    for x in ("step", "time"):
        assert one(server, run, "m", x=x)["n"] == 3
        assert one(server, run, "m", x=x, from_=low, to=high, buckets=2)["points"]["count"] == ([1, 2] if x == "step" else [2, 1])
        assert one(server, run, "m", x=x, from_=high, to=high)["points"]["last"] == [3]
        assert one(server, run, "m", x=x, from_=2, to=high)["n"] == 1
    assert one(server, run, "m", x="relative")["n"] == 3


def test_a_cursor_brings_only_what_is_new(server, api):
    run = api.run()
    log(api, run, "m", [(1, 1, 1), (2, 2, 2)])
    first = server.call("POST", "/api/v1/metrics/series", {"run_ids": [run], "keys": ["m"]})
    again = server.call("GET", f"/api/v1/metrics/series?run_id={run}&key=m&cursor={first['cursor']}")
    assert sum(s["n"] for s in again["series"]) == 0
    log(api, run, "m", [(3, 3, 3), (4, 4, 4)])
    new = server.call("GET", f"/api/v1/metrics/series?run_id={run}&key=m&cursor={again['cursor']}")
    assert len(new["series"]) == 1 and new["series"][0]["exact"] is True
    assert new["series"][0]["points"]["step"] == [3, 4] and new["series"][0]["points"]["mean"] == [3, 4]


def test_groups_are_statistics_of_the_runs_means(server, api):
    runs = [api.run() for _ in range(5)]
    values = {r: [float((i * 7 + k * k) % 11) for k in range(30)] for i, r in enumerate(runs)}
    for i, r in enumerate(runs):
        log(api, r, "m", [(v, k, k) for k, v in enumerate(values[r]) if i != 4 or k < 10])
    values[runs[4]] = values[runs[4]][:10]
    body = {
        "groups": [{"name": "four", "run_ids": runs[:4] + [runs[0]]}, {"name": "late", "run_ids": [runs[4], "f" * 32]}, {"name": "none", "run_ids": ["e" * 32]}],
        "keys": ["m", "nothing"],
        "buckets": 3,
    }
    four, late = server.call("POST", "/api/v1/metrics/grouped", body)["groups"]
    assert (four["name"], four["key"], four["runs"]) == ("four", "m", 4) and (late["name"], late["runs"]) == ("late", 1)
    assert four["points"]["x"] == [0, 10, 20] and late["points"]["x"] == [0]
    for b in range(3):
        means = [statistics.fmean(values[r][b * 10 : b * 10 + 10]) for r in runs[:4]]
        point = {k: v[b] for k, v in four["points"].items()}
        assert point["count"] == 4
        assert math.isclose(point["mean"], statistics.fmean(means)) and math.isclose(point["median"], statistics.median(means))
        assert math.isclose(point["min"], min(means)) and math.isclose(point["max"], max(means))
        assert math.isclose(point["std"], statistics.stdev(means), abs_tol=1e-12)
        assert math.isclose(point["stderr"], statistics.stdev(means) / 2, abs_tol=1e-12)
    assert late["points"]["std"] == late["points"]["stderr"] == [0.0]
    assert math.isclose(late["points"]["mean"][0], statistics.fmean(values[runs[4]]))


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"groups": []}, "'groups'"),
        ({"groups": [{"run_ids": ["a"]}]}, "name"),
        ({"groups": [{"name": "g"}]}, "run_ids"),
        ({"groups": [{"name": "g", "run_ids": ["a"]}] * 101}, "101 groups"),
        ({"groups": [{"name": "g", "run_ids": [f"{i:x}" for i in range(600)]}], "keys": ["a", "b"]}, "1000 series"),
        ({"x": "metric", "x_key": "a"}, "'x'"),
        ({"keys": []}, "'keys'"),
        ({"buckets": -1}, "'buckets'"),
        ({"from": 1, "to": 0}, "from must not"),
    ],
)
def test_a_request_for_groups_that_cannot_be_meant_is_refused(server, change, sentence):
    answer = server.request("POST", "/api/v1/metrics/grouped", json={"groups": [{"name": "g", "run_ids": ["a"]}], "keys": ["a"], **change})
    assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert sentence in answer.json()["message"]


def test_the_metrics_of_a_run_come_in_a_few_numbers(server, api):
    run, other = api.run(), api.run()
    log(api, run, "a", [(2, 20, 2), (1, 10, 1), (5, 30, 3), (1, 40, 4), (1, 40, 4), ("NaN", 50, 5)])
    log(api, run, "b", [("NaN", 1, 1)])
    log(api, other, "b", [("-Infinity", 7, 8)])
    a, b = server.call("GET", f"/api/v1/runs/{run}/metrics")["metrics"]
    moment = lambda value, at, step: {"value": value, "time": at, "step": step}
    assert a == {"key": "a", "count": 5, "mean": 2.25, "first": moment(1, 10, 1), "last": moment("NaN", 50, 5), "min": moment(1, 10, 1), "max": moment(5, 30, 3)}
    assert (b["mean"], b["min"], b["max"], b["count"]) == ("NaN", moment("NaN", 1, 1), moment("NaN", 1, 1), 1)
    runs = server.call("POST", "/api/v1/metrics/summaries", {"run_ids": [other, "0" * 32, run, other], "keys": ["b", "nothing", "a", "b"]})["runs"]
    assert [(r["run_id"], [m["key"] for m in r["metrics"]]) for r in runs] == [(other, ["b"]), (run, ["b", "a"])]
    assert runs[1]["metrics"] == [b, a] and runs[0]["metrics"][0]["last"] == moment("-Infinity", 7, 8)
    everything = server.call("POST", "/api/v1/metrics/summaries", {"run_ids": [run]})["runs"]
    assert everything == [{"run_id": run, "metrics": [a, b]}]


def test_summaries_that_cannot_be_meant_are_refused(server):
    answer = server.request("GET", f"/api/v1/runs/{'0' * 32}/metrics")
    assert answer.status_code == 404 and answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    for body in ({}, {"run_ids": []}, {"run_ids": [f"{i}" for i in range(1001)]}, {"run_ids": ["a"], "keys": [f"{i}" for i in range(1001)]}, {"run_ids": ["a"], "keys": "b"}):
        answer = server.request("POST", "/api/v1/metrics/summaries", json=body)
        assert answer.status_code == 400, body


def all_of(server, run):
    """Whatever can be read of a run's metrics."""
    history = "/api/2.0/mlflow/metrics/get-history"
    for key in ("long", "short", "wild"):
        token = ""
        while token is not None:
            page = server.call("GET", f"{history}?run_id={run}&metric_key={key}&max_results=700&page_token={token}")
            yield page["metrics"]
            token = page.get("next_page_token")
        yield server.call("GET", f"{history}-bulk?run_id={run}&metric_key={key}&max_results=900")
        yield server.call("GET", f"{history}-bulk-interval?run_ids={run}&metric_key={key}&max_results=33")
        yield server.call("GET", f"{history}-bulk-interval?run_ids={run}&metric_key={key}&max_results=7&start_step=40&end_step=700")
    for x in ("step", "time", "relative"):
        yield series(server, [run], ["long", "short", "wild"], x=x, exact=True, buckets=50)
        yield series(server, [run], ["long", "short", "wild"], x=x, exact=True, buckets=5000, from_=3, to=1_000_000_000_000)
    yield series(server, [run], ["long"], x="metric", x_key="wild", buckets=20)
    yield server.call("POST", "/api/v1/metrics/grouped", {"groups": [{"name": "g", "run_ids": [run]}], "keys": ["long", "wild"], "exact": True})["groups"]
    for metric in server.call("GET", f"/api/v1/runs/{run}/metrics")["metrics"]:
        metric["mean"] = f"{float(metric['mean']):.9g}"  # added up in another order
        yield metric


def test_what_compaction_moves_is_read_as_before(server, api):
    chance = random.Random(11)
    run = api.run()
    log(api, run, "long", [(chance.gauss(0, 1), 1_700_000_000_000 + 20 * i, i) for i in range(6000)])
    log(api, run, "short", [(i / 4, 1_700_000_000_000 + i, i) for i in range(30)] * 2)
    log(api, run, "wild", [(chance.choice([1.5, "NaN", "-Infinity", 0.0, -0.0]), chance.randrange(1000), chance.randrange(900)) for _ in range(2500)])
    before = list(all_of(server, run))
    api.post("/runs/update", run_id=run, status="FINISHED", end_time=1)
    wait_until_compacted(server, run)
    assert int(server.query(f"SELECT count(*) FROM cairn.metric_chunk JOIN cairn.run USING (run_id) WHERE uuid = '{run}'")) >= 3
    after = list(all_of(server, run))
    for was, now in zip(before, after, strict=True):
        assert now == was
    log(api, run, "long", [(7.0, 1_700_000_000_000 + 20 * i, i) for i in range(5990, 6010)])
    assert one(server, run, "long", buckets=1)["n"] == 6020
    drawn = one(server, run, "long", buckets=10)
    assert drawn["n"] == sum(drawn["points"]["count"]) == 6020


def test_a_history_without_pages_is_bounded(server, api):
    run = api.run()
    for at in range(0, 251_000, 1000):
        api.post("/runs/log-batch", run_id=run, metrics=[{"key": "m", "value": i, "timestamp": i, "step": i} for i in range(at, at + 1000)])
    answer = server.request("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=m")
    assert answer.status_code == 400 and "max_results" in answer.json()["message"]
    page = server.call("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=m&max_results=1000000")
    assert len(page["metrics"]) == 250_000
    rest = server.call("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=m&max_results=1000000&page_token={page['next_page_token']}")
    assert [m["step"] for m in rest["metrics"]] == list(range(250_000, 251_000)) and "next_page_token" not in rest
