import urllib.parse

from ._common import AWKWARD, BIG, WRONG, experiment, logged_model, name, run, wrong_types

UNKNOWN = "m-" + "0" * 32


def life(p):
    it = experiment(p)
    source = run(p, it)
    made = p.post("logged-models", {"experiment_id": it, "name": "first", "model_type": "agent", "source_run_id": source,
                                    "params": [{"key": "a", "value": "1"}], "tags": [{"key": "t", "value": "2"}]})
    one = made.id("model.info.model_id")
    p.get(f"logged-models/{one}")
    p.get(f"logged-models/{one}", allow_deleted="true")
    p.patch(f"logged-models/{one}", {"model_id": one, "status": "LOGGED_MODEL_READY"})
    p.get(f"logged-models/{one}")
    p.patch(f"logged-models/{one}/tags", {"model_id": one, "tags": [{"key": "t", "value": "3"}, {"key": "u", "value": ""}]})
    p.get(f"logged-models/{one}")
    p.delete(f"logged-models/{one}/tags/t")
    p.delete(f"logged-models/{one}/tags/t", note="again")
    p.post(f"logged-models/{one}/params", {"model_id": one, "params": [{"key": "b", "value": "2"}]})
    p.get(f"logged-models/{one}")
    p.post(f"logged-models/{one}/params", {"model_id": one, "params": [{"key": "b", "value": "2"}]}, note="again")
    p.post(f"logged-models/{one}/params", {"model_id": one, "params": [{"key": "b", "value": "other"}]}, note="changed")
    p.get(f"logged-models/{one}")
    p.delete(f"logged-models/{one}", {"model_id": one})
    p.get(f"logged-models/{one}")
    p.get(f"logged-models/{one}", allow_deleted="true")
    p.get(f"logged-models/{one}", allow_deleted="false")
    p.get(f"logged-models/{one}", allow_deleted="x")
    p.delete(f"logged-models/{one}", {"model_id": one}, note="again")
    p.patch(f"logged-models/{one}", {"model_id": one, "status": "LOGGED_MODEL_READY"}, note="deleted")
    p.patch(f"logged-models/{one}/tags", {"model_id": one, "tags": [{"key": "x", "value": "3"}]}, note="deleted")
    p.post(f"logged-models/{one}/params", {"model_id": one, "params": [{"key": "c", "value": "2"}]}, note="deleted")
    p.delete(f"logged-models/{one}/tags/x", note="deleted")
    p.post("logged-models/search", {"experiment_ids": [it]})


def unknown(p):
    for bad in (UNKNOWN, "x", "m-x", "%20", "%27", "a%2Fb", "%C3%A9", "x" * 300):
        plain = urllib.parse.unquote(bad)
        p.get(f"logged-models/{bad}")
        p.patch(f"logged-models/{bad}", {"model_id": plain, "status": "LOGGED_MODEL_READY"})
        p.patch(f"logged-models/{bad}/tags", {"model_id": plain, "tags": [{"key": "a", "value": "b"}]})
        p.delete(f"logged-models/{bad}/tags/a")
        p.post(f"logged-models/{bad}/params", {"model_id": plain, "params": [{"key": "a", "value": "b"}]})
        p.delete(f"logged-models/{bad}", {"model_id": plain})
        p.get(f"logged-models/{bad}/artifacts/directories")


def creation(p):
    it = experiment(p)
    wrong_types(lambda b, note: p.post("logged-models", b, note=note),
                lambda: {"experiment_id": it, "name": "n", "model_type": "t", "source_run_id": "", "params": [{"key": "a", "value": "1"}], "tags": [{"key": "a", "value": "1"}]})
    for text in AWKWARD:
        p.post("logged-models", {"experiment_id": it, "name": text})
        p.post("logged-models", {"experiment_id": it, "name": "n", "tags": [{"key": text, "value": text}], "params": [{"key": text, "value": text}]})
        p.post("logged-models", {"experiment_id": it, "model_type": text, "source_run_id": text})
    for n in (250, 251, 500, 501, 1000):
        p.post("logged-models", {"experiment_id": it, "name": "x" * n}, note=f"name {n}")
        p.post("logged-models", {"experiment_id": it, "model_type": "x" * n}, note=f"type {n}")
        p.post("logged-models", {"experiment_id": it, "tags": [{"key": "x" * n, "value": "1"}]}, note=f"tag key {n}")
        p.post("logged-models", {"experiment_id": it, "params": [{"key": "x" * n, "value": "1"}]}, note=f"param key {n}")
    for n in (5000, 5001, 6000, 6001, 8000, 8001, 20000):
        p.post("logged-models", {"experiment_id": it, "tags": [{"key": "x", "value": "v" * n}]}, note=f"tag {n}")
        p.post("logged-models", {"experiment_id": it, "params": [{"key": "x", "value": "v" * n}]}, note=f"param {n}")
    for n in (100, 101):
        p.post("logged-models", {"experiment_id": it, "params": [{"key": f"p{i}", "value": "x"} for i in range(n)]}, note=f"{n} params")
    p.post("logged-models", {"experiment_id": it, "params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, note="a param twice")
    p.post("logged-models", {"experiment_id": it, "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, note="a tag twice")
    p.post("logged-models", {"experiment_id": it, "source_run_id": "0" * 32}, note="unknown run")
    for bad in WRONG:
        p.post("logged-models", {"experiment_id": it, "tags": [bad]}, note="type of a tag")
        p.post("logged-models", {"experiment_id": it, "params": [{"key": bad, "value": "x"}]}, note="type of a key")
        p.post("logged-models", {"experiment_id": it, "params": [{"key": "x", "value": bad}]}, note="type of a value")
    p.post("logged-models", {"experiment_id": it, "params": [{"key": "x"}], "tags": [{"key": "x"}]}, note="no value")


def changes(p):
    it = experiment(p)
    for status in ["LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_STATUS_UNSPECIFIED", "READY", "X", "", 0, 1, 2, 3, 4, "2", None, True]:
        one = logged_model(p, it)
        p.patch(f"logged-models/{one}", {"model_id": one, "status": status}, note="status")
        p.get(f"logged-models/{one}")
    one = logged_model(p, it)
    p.patch(f"logged-models/{one}", {"status": "LOGGED_MODEL_READY"}, note="no model_id")
    p.patch(f"logged-models/{one}", {"model_id": one}, note="no status")
    p.patch(f"logged-models/{one}/tags", {"tags": [{"key": "a", "value": "b"}]}, note="no model_id")
    p.patch(f"logged-models/{one}/tags", {"model_id": one}, note="no tags")
    p.post(f"logged-models/{one}/params", {"params": [{"key": "a", "value": "b"}]}, note="no model_id")
    p.post(f"logged-models/{one}/params", {"model_id": one}, note="no params")
    p.post(f"logged-models/{one}/params", {"model_id": one, "params": []}, note="no params")
    p.post(f"logged-models/{one}/params", {"model_id": one, "params": [{"key": "z", "value": "1"}, {"key": "z", "value": "1"}]}, note="twice")
    p.delete(f"logged-models/{one}", note="no model_id")
    one = logged_model(p, it)
    for key in AWKWARD:
        p.patch(f"logged-models/{one}/tags", {"model_id": one, "tags": [{"key": key, "value": key}]})
        p.delete(f"logged-models/{one}/tags/{urllib.parse.quote(key, safe='')}")
    p.get(f"logged-models/{one}")
    for bad in WRONG:
        p.patch(f"logged-models/{one}/tags", {"model_id": one, "tags": bad}, note="type of tags")
        p.patch(f"logged-models/{one}/tags", {"model_id": one, "tags": [{"key": "x", "value": bad}]}, note="type of a value")
        p.post(f"logged-models/{one}/params", {"model_id": one, "params": bad}, note="type of params")
    for n in (250, 251):
        p.patch(f"logged-models/{one}/tags", {"model_id": one, "tags": [{"key": "k" * n, "value": "x"}]}, note=f"key {n}")
    for n in (5000, 5001, 8000, 8001):
        p.patch(f"logged-models/{one}/tags", {"model_id": one, "tags": [{"key": "k", "value": "x" * n}]}, note=f"value {n}")


def pages(p):
    it = experiment(p)
    for i in range(4):
        logged_model(p, it, name=f"n{i}")
    for most in [None, 0, -1, 1, 4, 50, 51, 100, 1000, 50000, 50001, *BIG]:
        p.post("logged-models/search", {"experiment_ids": [it], "max_results": most})
    for ids in [[], None, it, ["999999"], ["abc"], [it, it], [""]]:
        p.post("logged-models/search", {"experiment_ids": ids})
    p.post("logged-models/search", {})
    for bad in WRONG:
        p.post("logged-models/search", {"experiment_ids": [it], "filter": bad}, note="type of filter")
        p.post("logged-models/search", {"experiment_ids": [it], "order_by": bad}, note="type of order_by")
        p.post("logged-models/search", {"experiment_ids": [it], "order_by": [{"field_name": bad}]}, note="type of field_name")
        p.post("logged-models/search", {"experiment_ids": [it], "order_by": [{"field_name": "name", "ascending": bad}]}, note="type of ascending")
        p.post("logged-models/search", {"experiment_ids": [it], "datasets": bad}, note="type of datasets")
        p.post("logged-models/search", {"experiment_ids": [it], "datasets": [{"dataset_name": bad}]}, note="type of dataset_name")
    p.post("logged-models/search", {"experiment_ids": [it], "order_by": [{}]})
    p.post("logged-models/search", {"experiment_ids": [it], "datasets": [{}]})
    p.post("logged-models/search", {"experiment_ids": [it], "datasets": [{"dataset_name": "d"}]})
    made = p.post("logged-models/search", {"experiment_ids": [it], "max_results": 2})
    page = made.page()
    if page:
        for more in ({}, {"filter": "name = 'n1'"}, {"order_by": [{"field_name": "name"}]}, {"experiment_ids": [it, "0"]}):
            p.post("logged-models/search", {"experiment_ids": [it], "page_token": page, "max_results": 2} | more, note="token of another query")
