from ._common import AWKWARD, BIG, WRONG, experiment, logged_model, look, name, number, run

DATASET = {"name": "d", "digest": "x", "source_type": "local", "source": "file.csv", "schema": "{}", "profile": "{}"}


def inputs(p):
    it = experiment(p)

    def log(datasets, note="", **more):
        one = run(p, it)
        p.post("runs/log-inputs", {"run_id": one, "datasets": datasets} | more, note=note)
        look(p, one)
        return one

    context = [{"key": "mlflow.data.context", "value": "train"}]
    one = log([{"dataset": DATASET, "tags": context}], "first")
    p.post("runs/log-inputs", {"run_id": one, "datasets": [{"dataset": DATASET, "tags": [{"key": "mlflow.data.context", "value": "test"}]}]}, note="linked again")
    look(p, one)
    log([{"dataset": DATASET | {"source": "other.csv", "schema": "[]"}}], "the same name and digest, else other")
    log([{"dataset": DATASET | {"name": "e"}}, {"dataset": DATASET | {"name": "e"}, "tags": context}], "twice in a request")
    log([{"dataset": DATASET | {"name": f"n{i}"}, "tags": [{"key": "k", "value": str(i)}]} for i in range(5)], "five")
    log([], "none")
    for field in DATASET:
        log([{"dataset": {k: v for k, v in DATASET.items() if k != field} | ({"name": name("d")} if field != "name" else {})}], f"no {field}")
        for bad in WRONG:
            log([{"dataset": DATASET | {"digest": f"y{number()}"} | {field: bad}}], f"type of {field}")
    for field, limit in (("name", 500), ("digest", 36), ("source", 65535), ("source_type", 36), ("schema", 1048575)):
        for n in (limit, limit + 1):
            log([{"dataset": DATASET | {field: "x" * n}}], f"{field} {n}")
    for n in (255, 256):
        log([{"dataset": DATASET, "tags": [{"key": "k" * n, "value": "v"}]}], f"tag key {n}")
    for n in (500, 501):
        log([{"dataset": DATASET, "tags": [{"key": "k", "value": "v" * n}]}], f"tag value {n}")
    for text in AWKWARD:
        log([{"dataset": DATASET | {"name": text, "digest": text[:30]}, "tags": [{"key": text, "value": text}]}])
    for bad in WRONG:
        log(bad, "type of datasets")
        log([bad], "type of an input")
        log([{"dataset": bad}], "type of dataset")
        log([{"dataset": DATASET, "tags": bad}], "type of tags")
        log([{"dataset": DATASET, "tags": [bad]}], "type of a tag")
    log([{"tags": context}], "no dataset")
    log([{"dataset": DATASET, "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}], "a tag twice")
    p.post("experiments/search-datasets", {"experiment_ids": [it]})
    p.post("/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": [it]})
    for ids in ([], ["999999"], [it] * 20, [it] * 21, None, "x", ["abc"]):
        p.post("/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ids})


def models_in(p):
    it = experiment(p)
    one, a, b = run(p, it), logged_model(p, it), logged_model(p, it)
    p.post("runs/log-inputs", {"run_id": one, "models": [{"model_id": a}]})
    p.post("runs/log-inputs", {"run_id": one, "models": [{"model_id": a}, {"model_id": b}]}, note="one again")
    look(p, one)
    p.post("runs/search", {"experiment_ids": [it]})
    for bad in [{"model_id": "m-" + "0" * 32}, {"model_id": ""}, {}, {"model_id": 5}, None, "x"]:
        other = run(p, it)
        p.post("runs/log-inputs", {"run_id": other, "models": [bad]}, note="bad model")
        look(p, other)
    other = run(p, it)
    p.post("runs/log-inputs", {"run_id": other, "models": [{"model_id": a}, {"model_id": a}]}, note="twice")
    look(p, other)


def outputs(p):
    it = experiment(p)
    one, a, b = run(p, it), logged_model(p, it), logged_model(p, it)
    p.post("runs/outputs", {"run_id": one, "models": [{"model_id": a, "step": 3}]})
    look(p, one)
    p.post("runs/outputs", {"run_id": one, "models": [{"model_id": b, "step": 1}]})
    look(p, one)
    p.post("runs/outputs", {"run_id": one, "models": [{"model_id": a, "step": 9}]}, note="again")
    look(p, one)
    p.post("runs/search", {"experiment_ids": [it]})
    for step in BIG + [None, -1]:
        other = run(p, it)
        p.post("runs/outputs", {"run_id": other, "models": [{"model_id": a, "step": step}]}, note="step")
        look(p, other)
    for models in [[], None, "x", [None], [{}], [{"model_id": a}], [{"step": 1}], [{"model_id": "", "step": 1}], [{"model_id": "m-" + "0" * 32, "step": 1}],
                   [{"model_id": a, "step": 1}, {"model_id": b, "step": 1}], [{"model_id": "x" * 300, "step": 1}]]:
        other = run(p, it)
        p.post("runs/outputs", {"run_id": other, "models": models}, note="models")
        look(p, other)
    p.post("runs/outputs", {"run_id": "0" * 32, "models": [{"model_id": a, "step": 1}]})
    p.post("runs/outputs", {"run_id": one})
