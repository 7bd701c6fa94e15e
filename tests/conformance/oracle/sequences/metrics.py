from ._common import AWKWARD, BIG, DOUBLES, WRONG, experiment, logged_model, look, run, wrong_types


def _history(p, one, key="m", **more):
    p.get("metrics/get-history", run_id=one, metric_key=key, **more)


def values(p):
    it = experiment(p)
    for value in DOUBLES:
        one = run(p, it)
        p.post("runs/log-metric", {"run_id": one, "key": "m", "value": value, "timestamp": 1}, note="value")
        p.post("runs/log-batch", {"run_id": one, "metrics": [{"key": "b", "value": value, "timestamp": 1, "step": 0}]}, note="value")
        look(p, one)
        _history(p, one)
        p.get("/ajax-api/2.0/mlflow/metrics/get-history-bulk", run_id=one, metric_key="m")
        p.get("metrics/get-history-bulk-interval", run_ids=one, metric_key="m")


def bare_nan(p):
    it = experiment(p)
    for text in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "01", "1.", ".5", "+1", "0x1"):
        one = run(p, it)
        body = f'{{"run_id": "{one}", "key": "m", "value": {text}, "timestamp": 1}}'
        p.request("POST", "runs/log-metric", raw=body, headers={"Content-Type": "application/json"}, note="a bare number")
        look(p, one)


def integers(p):
    it = experiment(p)
    for field in ("timestamp", "step"):
        for n in BIG + [0, -1, None]:
            one = run(p, it)
            p.post("runs/log-metric", {"run_id": one, "key": "m", "value": 1, "timestamp": 1} | {field: n}, note=field)
            p.post("runs/log-batch", {"run_id": one, "metrics": [{"key": "b", "value": 1, "timestamp": 1, "step": 0} | {field: n}]}, note=field)
            look(p, one)
            _history(p, one)


def keys(p):
    one = run(p)
    for key in AWKWARD:
        p.post("runs/log-metric", {"run_id": one, "key": key, "value": 1, "timestamp": 1})
        _history(p, one, key)
    for n in (250, 251):
        p.post("runs/log-metric", {"run_id": one, "key": "k" * n, "value": 1, "timestamp": 1}, note=f"key {n}")
    look(p, one)


def types(p):
    wrong_types(lambda b, note: p.post("runs/log-metric", b, note=note), lambda: {"run_id": run(p), "key": "a", "value": 1.0, "timestamp": 1, "step": 1})


def order(p):
    """Histories, the latest of a key, and duplicates."""
    one = run(p)
    rows = [(1, 5, 0), (2, 5, 1), (3, 4, 1), (-1, 5, 1), ("NaN", 5, 1), (1, 5, 1), (2, 5, 1), (9, 1, 3), (8, 2, 3), (7, 2, 3), ("Infinity", 0, 2), ("-Infinity", 0, 2), (0, 0, -5)]
    for value, timestamp, step in rows:
        p.post("runs/log-metric", {"run_id": one, "key": "m", "value": value, "timestamp": timestamp, "step": step})
        look(p, one)
    _history(p, one)
    other = run(p)
    p.post("runs/log-batch", {"run_id": other, "metrics": [{"key": "m", "value": v, "timestamp": t, "step": s} for v, t, s in rows * 2]})
    look(p, other)
    _history(p, other)
    ties = run(p)
    for value in (1, "NaN", 2, -1, "NaN", 3):
        p.post("runs/log-metric", {"run_id": ties, "key": "tie", "value": value, "timestamp": 1, "step": 1})
        look(p, ties)
    _history(p, ties, "tie")


def pages(p):
    one = run(p)
    p.post("runs/log-batch", {"run_id": one, "metrics": [{"key": "m", "value": i, "timestamp": i // 3, "step": i % 7} for i in range(23)]})
    for most in (1, 5, 22, 23, 24):
        page = p.get("metrics/get-history", run_id=one, metric_key="m", max_results=most).page()
        while page:
            page = p.get("metrics/get-history", run_id=one, metric_key="m", max_results=most, page_token=page).page()
    for most in [0, -1, 25000, 25001, 2**31 - 1, 2**31, 2**63, "x", "", "1.5", "1e1"]:
        _history(p, one, max_results=most)
    _history(p, one, page_token="x")
    _history(p, one, page_token="x", max_results=5)
    _history(p, one, page_token="", max_results=5)
    _history(p, one, "never")
    p.get("metrics/get-history", run_id=one)
    p.get("metrics/get-history", metric_key="m")
    p.get("metrics/get-history", run_uuid=one, metric_key="m")
    _history(p, "0" * 32)
    _history(p, one, "")


def bulk(p):
    it = experiment(p)
    runs = [run(p, it) for _ in range(3)]
    for n, one in enumerate(runs):
        p.post("runs/log-batch", {"run_id": one, "metrics": [{"key": "m", "value": i * n, "timestamp": 100 - i, "step": i // 2} for i in range(20)]})
        p.post("runs/log-batch", {"run_id": one, "metrics": [{"key": "m", "value": v, "timestamp": 50, "step": 3} for v in ("NaN", "Infinity", "-Infinity")]})
    path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
    one = runs[0]
    p.get(path, run_id=one, metric_key="m")
    for most in [1, 5, 25000, 25001, 0, -1, "x", "", 2**63]:
        p.get(path, run_id=one, metric_key="m", max_results=most)
    p.get(path, run_id=one)
    p.get(path, metric_key="m")
    p.get(path, run_id="0" * 32, metric_key="m")
    p.get(path, run_id=[one] * 100, metric_key="m")
    p.get(path, run_id=[one] * 101, metric_key="m")
    p.get(path, run_id=one, metric_key="never")


def interval(p):
    it = experiment(p)
    one, two = run(p, it), run(p, it)
    p.post("runs/log-batch", {"run_id": one, "metrics": [{"key": "m", "value": i, "timestamp": i, "step": i} for i in range(40)]})
    p.post("runs/log-batch", {"run_id": two, "metrics": [{"key": "m", "value": i % 5, "timestamp": i, "step": i // 3} for i in range(50)]})
    for which in (one, two):
        for most in [None, 1, 2, 3, 5, 7, 13, 20, 39, 40, 41, 50, 51, 2500, 2501, 0, -1, "x"]:
            for limits in ({}, {"start_step": 3, "end_step": 12}):
                p.get("metrics/get-history-bulk-interval", run_ids=which, metric_key="m", **({"max_results": most} if most is not None else {}), **limits)
    for limits in ({"start_step": 3}, {"end_step": 3}, {"start_step": 5, "end_step": 3}, {"start_step": 5, "end_step": 5}, {"start_step": "x", "end_step": 3},
                   {"start_step": -5, "end_step": 100}, {"start_step": 0, "end_step": 0}, {"start_step": 2**40, "end_step": 2**41}, {"start_step": 2**63, "end_step": 2**63}):
        p.get("metrics/get-history-bulk-interval", run_ids=one, metric_key="m", **limits)
    p.get("metrics/get-history-bulk-interval", run_ids=one)
    p.get("metrics/get-history-bulk-interval", metric_key="m")
    p.get("metrics/get-history-bulk-interval", run_ids="0" * 32, metric_key="m")
    p.get("metrics/get-history-bulk-interval", run_ids=[one] * 100, metric_key="m", max_results=3)
    p.get("metrics/get-history-bulk-interval", run_ids=[one] * 101, metric_key="m", max_results=3)
    p.get("metrics/get-history-bulk-interval", run_ids=one, metric_key="never")


def of_models(p):
    """Metrics that name a logged model and a data set."""
    it = experiment(p)
    one, model = run(p, it), logged_model(p, it)
    base = {"run_id": one, "key": "m", "value": 1, "timestamp": 1, "step": 1}
    for more in [{"model_id": model}, {"model_id": model, "dataset_name": "d", "dataset_digest": "x", "step": 4}, {"dataset_name": "d", "dataset_digest": "x"}, {"dataset_name": "d"},
                 {"dataset_digest": "d"}, {"model_id": model, "dataset_name": "d", "step": 5}, {"model_id": model, "value": 2, "step": 3}, {"model_id": model, "value": "NaN", "step": 2},
                 {"model_id": "m-" + "0" * 32}, {"model_id": ""}, {"model_id": "x"}, {"model_id": 5}, {"model_id": model, "dataset_name": "d" * 501, "dataset_digest": "x"}]:
        p.post("runs/log-metric", base | more)
        p.get(f"logged-models/{model}")
        look(p, one)
        p.post("runs/log-batch", {"run_id": one, "metrics": [{k: v for k, v in base.items() if k != "run_id"} | more | {"key": "b"}]})
        p.get(f"logged-models/{model}")
    for bad in WRONG:
        p.post("runs/log-metric", base | {"model_id": bad}, note="type of model_id")
