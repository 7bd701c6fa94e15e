from ._common import AWKWARD, BIG, WRONG, deleted_run, experiment, look, name, run, unknown_ids, wrong_types

WRITES = [("runs/update", {"status": "FINISHED"}), ("runs/log-parameter", {"key": "p", "value": "1"}), ("runs/set-tag", {"key": "t", "value": "1"}),
          ("runs/delete-tag", {"key": "t"}), ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}),
          ("runs/log-batch", {"params": [{"key": "q", "value": "1"}]}), ("runs/log-batch", {}),
          ("runs/log-inputs", {}), ("runs/outputs", {"models": []}), ("runs/log-model", {"model_json": "{}"})]


def life(p):
    it = experiment(p)
    made = p.post("runs/create", {"experiment_id": it, "user_id": "me", "run_name": "first", "start_time": 5, "tags": [{"key": "a", "value": "1"}]})
    one = made.id("run.info.run_id")
    look(p, one)
    p.get("runs/get", run_uuid=one)
    p.post("runs/update", {"run_id": one, "status": "FINISHED", "end_time": 10})
    p.post("runs/update", {"run_uuid": one, "run_name": "second"})
    look(p, one)
    p.post("runs/delete", {"run_id": one})
    p.post("runs/delete", {"run_id": one}, note="again")
    look(p, one)
    for path, more in WRITES:
        p.post(path, {"run_id": one} | more, note="deleted")
    p.post("runs/restore", {"run_id": one})
    p.post("runs/restore", {"run_id": one}, note="again")
    look(p, one)
    for path, more in WRITES:
        p.post(path, {"run_uuid": run(p, it)} | more, note="run_uuid alone")
        p.post(path, more, note="no run")
        for body, note in [({"run_id": "0" * 32}, "unknown"), ({"run_id": ""}, "empty"), ({"run_id": None}, "null"), ({"run_id": "a b"}, "odd"), ({"run_id": "é"}, "odd")]:
            p.post(path, body | more, note=note)
    unknown_ids(lambda b, note: p.get("runs/get", **b, note=note))
    for path in ("runs/delete", "runs/restore"):
        unknown_ids(lambda b, note: p.post(path, b, note=note))
        wrong_types(lambda b, note: p.post(path, b, note=note), lambda: {"run_id": run(p, it)})


def names(p):
    it = experiment(p)
    tag = [{"key": "mlflow.runName", "value": "by tag"}]
    for body in [{}, {"run_name": "given"}, {"run_name": ""}, {"run_name": None}, {"tags": tag}, {"run_name": "by tag", "tags": tag}, {"run_name": "other", "tags": tag},
                 {"run_name": "", "tags": tag}, {"tags": [{"key": "mlflow.runName", "value": ""}]}, {"run_name": "x" * 250}, {"run_name": "x" * 251}, {"run_name": "x" * 8001},
                 {"tags": tag + tag}, {"tags": [{"key": "mlflow.runName"}]}]:
        made = p.post("runs/create", {"experiment_id": it} | body)
        if made.both_ok:
            look(p, made.id("run.info.run_id"))
    for text in AWKWARD:
        one = p.post("runs/create", {"experiment_id": it, "run_name": text}).id("run.info.run_id")
        look(p, one)
        p.post("runs/update", {"run_id": one, "run_name": text + " 2"})
        look(p, one)
    one = run(p, it, run_name="x")
    p.post("runs/set-tag", {"run_id": one, "key": "mlflow.runName", "value": "renamed"})
    look(p, one)
    p.post("runs/log-batch", {"run_id": one, "tags": [{"key": "mlflow.runName", "value": "batch"}]})
    look(p, one)
    p.post("runs/delete-tag", {"run_id": one, "key": "mlflow.runName"})
    look(p, one)
    p.post("runs/update", {"run_id": one, "run_name": "back"})
    look(p, one)
    p.post("runs/update", {"run_id": one, "run_name": ""})
    look(p, one)
    p.post("runs/set-tag", {"run_id": one, "key": "mlflow.runName", "value": ""})
    look(p, one)
    for n in (250, 251, 8000, 8001):
        p.post("runs/update", {"run_id": one, "run_name": "y" * n}, note=f"{n}")
    p.post("runs/set-tag", {"run_id": one, "key": "mlflow.user", "value": "somebody"})
    look(p, one)


def creation(p):
    it = experiment(p)
    wrong_types(lambda b, note: p.post("runs/create", b, note=note),
                lambda: {"experiment_id": it, "user_id": "u", "run_name": "n", "start_time": 1, "tags": [{"key": "a", "value": "b"}]})
    for n in BIG + [0, -1]:
        made = p.post("runs/create", {"experiment_id": it, "start_time": n})
        if made.both_ok:
            look(p, made.id("run.info.run_id"))
    for n in (256, 257, 1000):
        p.post("runs/create", {"experiment_id": it, "user_id": "u" * n}, note=f"user_id {n}")
    for bad in WRONG:
        p.post("runs/create", {"experiment_id": it, "tags": [bad]}, note="type of a tag")
        p.post("runs/create", {"experiment_id": it, "tags": [{"key": bad, "value": "b"}]}, note="type of a key")
        p.post("runs/create", {"experiment_id": it, "tags": [{"key": "a", "value": bad}]}, note="type of a value")
    p.post("runs/create", {"experiment_id": it, "tags": [{"key": "a"}]}, note="no value")
    p.post("runs/create", {"experiment_id": it, "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, note="twice")
    for key in AWKWARD:
        p.post("runs/create", {"experiment_id": it, "tags": [{"key": key, "value": key}]})
    for n in (250, 251, 8000, 8001):
        p.post("runs/create", {"experiment_id": it, "tags": [{"key": "k", "value": "v" * n}]}, note=f"value {n}")
    for n in (250, 251):
        p.post("runs/create", {"experiment_id": it, "tags": [{"key": "k" * n, "value": "v"}]}, note=f"key {n}")


def updates(p):
    it = experiment(p)
    for status in ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED", "finished", "X", "", 1, 2, 3, 4, 5, 0, 6, "3", True, None, 1.5]:
        one = run(p, it)
        p.post("runs/update", {"run_id": one, "status": status}, note="status")
        look(p, one)
    for n in BIG + [0, -1, None]:
        one = run(p, it)
        p.post("runs/update", {"run_id": one, "end_time": n}, note="end_time")
        look(p, one)
    one = run(p, it)
    p.post("runs/update", {"run_id": one})
    p.post("runs/update", {"run_id": one, "status": "FINISHED", "end_time": 7})
    p.post("runs/update", {"run_id": one, "status": "RUNNING"}, note="back to running")
    look(p, one)
    for bad in WRONG:
        p.post("runs/update", {"run_id": one, "run_name": bad}, note="type of run_name")


def params(p):
    one = run(p)

    def log(key, value, note=""):
        p.post("runs/log-parameter", {"run_id": one, "key": key, "value": value}, note=note)

    log("a", "1")
    log("a", "1", "again")
    log("a", "2", "changed")
    p.post("runs/log-parameter", {"run_id": one, "key": "none"}, note="no value")
    log("empty", "")
    for key in AWKWARD:
        log(key, key)
    look(p, one)
    for n in (250, 251):
        log("k" * n, "v", f"key {n}")
    for n in (500, 501, 5999, 6000, 6001, 7000):
        log(f"long{n}", "v" * n, f"value {n}")
        log(f"long{n}", "v" * n, f"value {n} again")
        log(f"wide{n}", "日" * n, f"value {n} of 3 bytes")
    look(p, one)
    wrong_types(lambda b, note: p.post("runs/log-parameter", b, note=note), lambda: {"run_id": run(p), "key": "a", "value": "b"})


def tags(p):
    one = run(p)

    def set_tag(key, value, note=""):
        p.post("runs/set-tag", {"run_id": one, "key": key, "value": value}, note=note)

    set_tag("a", "1")
    set_tag("a", "2", "changed")
    set_tag("empty", "")
    p.post("runs/set-tag", {"run_id": one, "key": "none"}, note="no value")
    for key in AWKWARD:
        set_tag(key, key)
    look(p, one)
    for key in AWKWARD:
        p.post("runs/delete-tag", {"run_id": one, "key": key})
    look(p, one)
    p.post("runs/delete-tag", {"run_id": one, "key": "never"})
    for n in (250, 251):
        set_tag("k" * n, "v", f"key {n}")
    for n in (5000, 5001, 7999, 8000, 8001, 9000):
        set_tag(f"long{n}", "v" * n, f"value {n}")
        set_tag(f"wide{n}", "日" * n, f"value {n} of 3 bytes")
    look(p, one)
    wrong_types(lambda b, note: p.post("runs/set-tag", b, note=note), lambda: {"run_id": run(p), "key": "a", "value": "b"})
    wrong_types(lambda b, note: p.post("runs/delete-tag", b, note=note), lambda: {"run_id": run(p), "key": "a"})
    p.post("runs/set-tag", {"run_id": deleted_run(p), "key": "a", "value": "b"})
    for path in ("runs/set-tag", "runs/log-parameter"):
        p.post(path, {"run_id": run(p), "key": "a\n", "value": "b"})


def batches(p):
    it = experiment(p)

    def batch(note="", **body):
        one = run(p, it)
        p.post("runs/log-batch", {"run_id": one} | body, note=note)
        look(p, one)

    metric, param, tag = {"key": "m", "value": 1.5, "timestamp": 3, "step": 2}, {"key": "p", "value": "1"}, {"key": "t", "value": "1"}
    batch("all", metrics=[metric], params=[param], tags=[tag])
    batch("nothing")
    batch("the same param twice", params=[param, param])
    batch("a param with two values", params=[param, {"key": "p", "value": "2"}])
    batch("the same tag twice", tags=[tag, {"key": "t", "value": "2"}])
    batch("the same metric twice", metrics=[metric, metric])
    for n in (1000, 1001):
        batch(f"{n} metrics", metrics=[metric | {"step": i} for i in range(n)])
    for n in (100, 101):
        batch(f"{n} params", params=[{"key": f"p{i}", "value": "x"} for i in range(n)])
        batch(f"{n} tags", tags=[{"key": f"t{i}", "value": "x"} for i in range(n)])
    many = [metric | {"step": i} for i in range(900)]
    batch("1000 in all", metrics=many, params=[{"key": f"p{i}", "value": "x"} for i in range(100)])
    batch("1001 in all", metrics=many, params=[{"key": f"p{i}", "value": "x"} for i in range(100)], tags=[tag])
    for field, good in (("metrics", metric), ("params", param), ("tags", tag)):
        for bad in WRONG:
            batch(f"type of {field}", **{field: bad})
            batch(f"type in {field}", **{field: [good, bad]})
        for inner in good:
            batch(f"no {field}[1].{inner}", **{field: [good, {k: v for k, v in good.items() if k != inner} | ({"key": "z"} if inner != "key" else {})]})
            for bad in WRONG:
                batch(f"type of {field}[1].{inner}", **{field: [good, good | {"key": "z"} | {inner: bad}]})
        for key in AWKWARD:
            batch(f"a key of {field}", **{field: [good | {"key": key}]})
        for n in (250, 251):
            batch(f"key {n} of {field}", **{field: [good | {"key": "k" * n}]})
    for n in (6000, 6001):
        batch(f"param {n}", params=[{"key": "p", "value": "v" * n}])
    for n in (8000, 8001):
        batch(f"tag {n}", tags=[{"key": "p", "value": "v" * n}])
    one = run(p, it)
    p.post("runs/log-batch", {"run_id": one, "params": [param]})
    p.post("runs/log-batch", {"run_id": one, "params": [{"key": "new", "value": "1"}, {"key": "p", "value": "other"}], "metrics": [metric], "tags": [tag]}, note="a param changed")
    look(p, one)
    p.post("runs/log-batch", {"run_id": one, "params": [param, {"key": "new2", "value": "1"}]}, note="a param again")
    look(p, one)


def pages(p):
    it = experiment(p)
    for i in range(4):
        run(p, it, run_name=f"r{i}", start_time=i)
    for most in [None, 0, -1, 1, 2, 4, 50000, 50001, *BIG]:
        p.post("runs/search", {"experiment_ids": [it], "max_results": most})
    for view in ["ACTIVE_ONLY", "DELETED_ONLY", "ALL", "active_only", "X", "", 1, 2, 3, 0, 4, "1", True, None]:
        p.post("runs/search", {"experiment_ids": [it], "run_view_type": view})
    for ids in [[], [it, it], ["999999"], [it, "999999"], ["abc"], [""], None, it, [None], [[]]]:
        p.post("runs/search", {"experiment_ids": ids})
    p.post("runs/search", {})
    for page in ["x", "", "e30=", "é", "W10=", "bnVsbA==", "eyJvZmZzZXQiOiAieCJ9"]:
        p.post("runs/search", {"experiment_ids": [it], "page_token": page})
    for bad in WRONG:
        p.post("runs/search", {"experiment_ids": [it], "filter": bad}, note="type of filter")
        p.post("runs/search", {"experiment_ids": [it], "order_by": bad}, note="type of order_by")
        p.post("runs/search", {"experiment_ids": [it], "order_by": [bad]}, note="type in order_by")


def log_model(p):
    good = '{"artifact_path": "m", "flavors": {"python_function": {}}, "utc_time_created": "2024-01-01 00:00:00", "run_id": "x"}'
    for text in [good, "{}", "[]", "x", "", "null", '"x"', good.replace('"artifact_path": "m", ', ""), good.replace('"flavors": {"python_function": {}}, ', ""),
                 good.replace('"run_id": "x"', '"other": 1'), good.replace('{"python_function": {}}', "5"), good.replace('"m"', "5")]:
        one = run(p)
        p.post("runs/log-model", {"run_id": one, "model_json": text})
        p.post("runs/log-model", {"run_id": one, "model_json": text}, note="again")
        look(p, one)
    one = run(p)
    real = good.replace('"x"', f'"{one}"')
    p.post("runs/log-model", {"run_id": one, "model_json": real})
    look(p, one)
    wrong_types(lambda b, note: p.post("runs/log-model", b, note=note), lambda: {"run_id": run(p), "model_json": good})
