"""What proto3 JSON lets a client write in more than one way, and what it lets it leave out."""

import pytest

MLFLOW = "/api/2.0/mlflow"


@pytest.mark.parametrize("view, stage", [(1, "active"), ("2", "deleted"), ("DELETED_ONLY", "deleted")])
def test_a_view_is_a_name_or_its_number(server, view, stage):
    made = server.call("POST", f"{MLFLOW}/experiments/create", {"name": f"leniency {view!r}"})["experiment_id"]
    if stage == "deleted":
        server.call("POST", f"{MLFLOW}/experiments/delete", {"experiment_id": made})
    found = server.call("POST", f"{MLFLOW}/experiments/search", {"max_results": 1000, "view_type": view})["experiments"]
    assert {e["lifecycle_stage"] for e in found} == {stage}
    assert made in {e["experiment_id"] for e in found}


def test_a_status_is_a_name_or_its_number(server):
    run = server.call("POST", f"{MLFLOW}/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    for sent, status in [(3, "FINISHED"), ("4", "FAILED"), ("KILLED", "KILLED")]:
        info = server.call("POST", f"{MLFLOW}/runs/update", {"run_id": run, "status": sent})["run_info"]
        assert info["status"] == status
    for wrong in (0, 6, "DONE", True):
        answer = server.request("POST", f"{MLFLOW}/runs/update", {"run_id": run, "status": wrong})
        assert answer.status_code == 400, wrong
        assert "for parameter 'status' supplied" in answer.json()["message"]


def test_the_status_of_a_logged_model_is_a_name_or_its_number(server):
    model = server.call("POST", f"{MLFLOW}/logged-models", {"experiment_id": "0"})["model"]["info"]["model_id"]
    info = server.call("PATCH", f"{MLFLOW}/logged-models/{model}", {"status": 2})["model"]["info"]
    assert info["status"] == "LOGGED_MODEL_READY"
    assert server.request("PATCH", f"{MLFLOW}/logged-models/{model}", {"status": 4}).status_code == 400


@pytest.mark.parametrize("method, path", [("PUT", "/api/v1/me/password"), ("POST", "/api/v1/tokens"), ("POST", "/api/v1/users")])
def test_no_body_is_an_empty_object(server, method, path):
    answer = server.request(method, path)
    assert answer.status_code == 400
    assert "Missing value for required parameter" in answer.json()["message"]
