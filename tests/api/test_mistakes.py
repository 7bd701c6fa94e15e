"""Mistakes to which MLflow's own server answers 5xx, which its clients send again for minutes: here each is a 4xx at once."""

import pytest

from support.api import MLFLOW, Api

BEYOND = str(1 << 63)
PART = {"path": "/tmp/f", "num_parts": 2}


@pytest.fixture(scope="module")
def there(server):
    """What the mistakes are about."""
    api = Api(server)
    experiment = api.experiment()
    gone = api.experiment()
    api.post("/experiments/delete", experiment_id=gone)
    model = f"mistakes {experiment}"
    api.post("/registered-models/create", name=model)
    api.post("/model-versions/create", name=model, source="s3://bucket/path")
    hook = api.post("/webhooks", name="mistakes", url="https://example.com/x", events=[{"entity": "PROMPT", "action": "CREATED"}], status="DISABLED")
    return {"experiment": experiment, "gone": gone, "run": api.run(experiment), "model": model, "hook": hook["webhook"]["webhook_id"]}


def filled(value, there):
    if isinstance(value, str):
        return there.get(value[1:], value) if value.startswith("$") else value.replace("HOOK", there["hook"])
    if isinstance(value, list):
        return [filled(v, there) for v in value]
    return {k: filled(v, there) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("method, path, body, status, code", [
    ("POST", "/experiments/update", {"experiment_id": "$gone", "new_name": "x"}, 400, "INVALID_PARAMETER_VALUE"),
    ("GET", "/experiments/get", {"experiment_id": BEYOND}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/experiments/delete", {"experiment_id": BEYOND}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/experiments/search", {"max_results": 5, "page_token": "é"}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/create", {"experiment_id": BEYOND}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/create", {"experiment_id": "$experiment", "start_time": []}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/search", {"experiment_ids": [BEYOND]}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/search", {"experiment_ids": ["$experiment"], "max_results": "1.0"}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/search", {"experiment_ids": ["$experiment"], "max_results": None}, 200, None),
    ("POST", "/runs/search", {"experiment_ids": ["$experiment"], "order_by": ["start_time", "start_time DESC"]}, 200, None),
    ("POST", "/runs/log-batch", {"run_id": "$run", "metrics": None}, 200, None),
    ("POST", "/runs/log-batch", {"run_id": "$run", "metrics": [None]}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/log-batch", {"run_id": "$run", "params": ["a"]}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/log-batch", {"run_id": "$run", "tags": [None]}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/log-metric", {"run_id": "$run", "key": "a", "value": [], "timestamp": 1}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/log-metric", {"run_id": "$run", "key": "a", "value": 1, "timestamp": {}}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/log-metric", {"run_id": "$run", "key": "a", "value": 1, "timestamp": 1, "step": []}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/runs/log-model", {"run_id": "$run", "model_json": "[]"}, 400, "INVALID_PARAMETER_VALUE"),
    ("GET", "/metrics/get-history-bulk-interval", {"run_ids": "$run", "metric_key": "a", "start_step": BEYOND, "end_step": BEYOND}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/logged-models", {"experiment_id": BEYOND}, 400, "INVALID_PARAMETER_VALUE"),
    ("GET", "/model-versions/get", {"name": "$model", "version": BEYOND}, 400, "INVALID_PARAMETER_VALUE"),
    ("DELETE", "/model-versions/delete", {"name": "$model", "version": BEYOND}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/registered-models/alias", {"name": "$model", "alias": "a", "version": BEYOND}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/model-versions/transition-stage", {"name": "$model", "version": "1", "stage": "None", "archive_existing_versions": True}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/model-versions/create", {"name": "$model", "source": "models:/m-" + "0" * 32, "model_id": "m-" + "0" * 32}, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("GET", "/registered-models/search", {"max_results": "1.0"}, 400, "INVALID_PARAMETER_VALUE"),
    ("GET", "/registered-models/search", {"page_token": "é"}, 400, "INVALID_PARAMETER_VALUE"),
    ("GET", "/model-versions/search", {"max_results": "x"}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/experiments/create", [], 400, "BAD_REQUEST"),
    ("POST", "/registered-models/get-latest-versions", 5, 400, "BAD_REQUEST"),
    ("GET", "/webhooks", {"page_token": "é"}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/webhooks", {"name": "x", "url": "https://example.com/x", "events": ["a"]}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/webhooks/HOOK/test", {"event": {"entity": "x", "action": "CREATED"}}, 400, "INVALID_PARAMETER_VALUE"),
    ("PATCH", "/webhooks/HOOK", {"events": [{}]}, 400, "INVALID_PARAMETER_VALUE"),
])
def test_a_users_mistake_is_said_at_once(server, there, method, path, body, status, code):
    body = filled(body, there)
    answer = server.request(method, MLFLOW + filled(path, there), **({"params": body} if method == "GET" else {"body": body}))
    assert answer.status_code == status, answer.text
    assert answer.json().get("error_code") == code and (code is None or answer.json()["message"])


@pytest.mark.parametrize("first, then", [("f", "f/g"), ("d/x", "d")])
def test_a_path_is_a_file_or_a_folder(server, there, first, then):
    root = f"/api/2.0/mlflow-artifacts/artifacts/{there['experiment']}/{there['run']}/artifacts/{len(first)}/"
    assert server.request("PUT", root + first, data=b"1").status_code == 200
    assert server.request("PUT", root + then, data=b"2").status_code == 400


@pytest.mark.parametrize("method, path", [("POST", "mpu/create/1/x"), ("POST", "mpu/complete/1/x"), ("POST", "mpu/abort/1/x"), ("GET", "presigned/1/x")])
def test_what_the_storage_has_not_is_501_which_no_client_sends_again(server, method, path):
    answer = server.request(method, "/api/2.0/mlflow-artifacts/" + path, None if method == "GET" else PART | {"upload_id": "x", "parts": []})
    assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
