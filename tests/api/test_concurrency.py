"""Many at once: what must be decided once is decided once."""

from concurrent.futures import ThreadPoolExecutor

import requests

from support.api import MLFLOW, point


def together(server, method, path, bodies):
    """All at the same time; (status, JSON) of each."""
    auth = (server.user, server.password)

    def send(body):
        answer = requests.request(method, server.url + MLFLOW + path, json=body, auth=auth, timeout=60)
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(send, bodies))


def test_one_of_many_makes_the_experiment(server):
    got = together(server, "POST", "/experiments/create", [{"name": "contested"}] * 24)
    assert sorted(s for s, _ in got) == [200] + [400] * 23
    assert {a["error_code"] for s, a in got if s == 400} == {"RESOURCE_ALREADY_EXISTS"}


def test_one_of_many_values_becomes_the_param(server, api):
    run = api.run()
    got = together(server, "POST", "/runs/log-parameter", [{"run_id": run, "key": "p", "value": str(i)} for i in range(24)])
    assert sorted(s for s, _ in got) == [200] + [400] * 23
    assert all(a["message"].startswith("Changing param values") for s, a in got if s == 400)
    (param,) = api.get_run(run)["data"]["params"]
    assert got[int(param["value"])][0] == 200


def test_params_of_many_batches_are_kept_whole(server, api):
    run = api.run()
    bodies = [{"run_id": run, "params": [{"key": f"{i}.{j}", "value": "x"} for j in range(20)], "metrics": [point("m", i, i)], "tags": [{"key": "t", "value": str(i)}]}
              for i in range(40)]
    assert {s for s, _ in together(server, "POST", "/runs/log-batch", bodies)} == {200}
    data = api.get_run(run)["data"]
    assert len(data["params"]) == 800 and len(api.history(run, "m")) == 40


def test_the_same_points_from_many_are_there_once(server, api):
    run = api.run()
    body = {"run_id": run, "metrics": [point("m", i * 0.25, i, i) for i in range(200)]}
    for _ in range(3):
        assert {s for s, _ in together(server, "POST", "/runs/log-batch", [body] * 24)} == {200}
    assert [m["step"] for m in api.history(run, "m")] == list(range(200))
    (latest,) = api.get_run(run)["data"]["metrics"]
    assert latest["step"] == 199 and latest["value"] == 199 * 0.25


def test_versions_made_at_once_get_numbers_of_their_own(server, api):
    name, _, run = api.version_with_files({"a": b"1"})
    source = api.get("/model-versions/get", name=name, version="1")["model_version"]["source"]
    got = together(server, "POST", "/model-versions/create", [{"name": name, "source": source, "run_id": run}] * 24)
    assert {s for s, _ in got} == {200}
    assert sorted(int(a["model_version"]["version"]) for _, a in got) == list(range(2, 26))


def test_moves_of_an_alias_at_once_leave_a_gapless_history(server, api):
    name, _, run = api.version_with_files({"a": b"1"})
    api.version_with_files({"a": b"2"}, name)
    bodies = [{"name": name, "alias": "live", "version": str(1 + i % 2)} for i in range(30)]
    assert {s for s, _ in together(server, "POST", "/registered-models/alias", bodies)} == {200}
    history = server.call("GET", f"/api/v1/models/{name}/aliases/live/history")["history"]
    assert [h["generation"] for h in history] == list(range(len(history), 0, -1))
    for newer, older in zip(history, history[1:]):
        assert newer.get("previous_version") == older.get("version")
    now = server.call("GET", f"/api/v1/models/{name}/aliases/live")
    assert now["version"] == history[0]["version"] and now["generation"] == history[0]["generation"]


def test_a_run_deleted_while_it_logs_keeps_only_what_was_acknowledged(server, api):
    run = api.run()
    bodies = [{"run_id": run, "metrics": [point("m", i, i)]} for i in range(60)]
    auth = (server.user, server.password)

    def send(i):
        path = "/runs/delete" if i == 30 else "/runs/log-batch"
        body = {"run_id": run} if i == 30 else bodies[i]
        return i, requests.post(server.url + MLFLOW + path, json=body, auth=auth, timeout=60).status_code

    with ThreadPoolExecutor(16) as pool:
        got = dict(pool.map(send, range(60)))
    assert set(got.values()) <= {200, 400} and got[30] == 200
    assert {m["step"] for m in api.history(run, "m")} == {i for i, s in got.items() if s == 200 and i != 30}


def test_deleting_and_restoring_an_experiment_under_load_does_no_harm(server, api):
    experiment = api.experiment()
    runs = [api.run(experiment) for _ in range(4)]
    work = []
    for i in range(40):
        work.append(("/runs/log-batch", {"run_id": runs[i % 4], "metrics": [point("m", i, i)], "params": [{"key": f"p{i}", "value": "1"}]}))
        work.append(("/experiments/delete" if i % 2 else "/experiments/restore", {"experiment_id": experiment}))
    auth = (server.user, server.password)

    def send(item):
        return requests.post(server.url + MLFLOW + item[0], json=item[1], auth=auth, timeout=60).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(send, work)) <= {200, 400, 404}
