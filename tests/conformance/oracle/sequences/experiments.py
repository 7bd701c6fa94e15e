from ._common import AWKWARD, BIG, WRONG, experiment, name, number, run, wrong_types


def life(p):
    called = name("life")
    made = p.post("experiments/create", {"name": called, "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]})
    it = made.id("experiment_id")
    p.get("experiments/get", experiment_id=it)
    p.get("experiments/get-by-name", experiment_name=called)
    p.post("experiments/create", {"name": called}, note="the name is taken")
    p.post("experiments/update", {"experiment_id": it, "new_name": called + " renamed"})
    p.get("experiments/get", experiment_id=it)
    p.get("experiments/get-by-name", experiment_name=called)
    p.post("experiments/update", {"experiment_id": it, "new_name": called + " renamed"}, note="onto itself")
    p.post("experiments/restore", {"experiment_id": it}, note="not deleted")
    p.post("experiments/delete", {"experiment_id": it})
    p.post("experiments/delete", {"experiment_id": it}, note="again")
    p.get("experiments/get", experiment_id=it)
    p.get("experiments/get-by-name", experiment_name=called + " renamed")
    p.post("experiments/create", {"name": called + " renamed"}, note="the name of a deleted one")
    p.post("experiments/set-experiment-tag", {"experiment_id": it, "key": "k", "value": "v"}, note="deleted")
    p.post("experiments/delete-experiment-tag", {"experiment_id": it, "key": "a"}, note="deleted")
    p.post("experiments/update", {"experiment_id": it, "new_name": name("x")}, note="deleted")
    p.post("runs/create", {"experiment_id": it}, note="deleted")
    p.post("logged-models", {"experiment_id": it}, note="deleted")
    p.post("experiments/restore", {"experiment_id": it})
    p.post("experiments/restore", {"experiment_id": it}, note="again")
    p.get("experiments/get", experiment_id=it)
    p.post("experiments/delete", {"experiment_id": "0"}, note="Default")
    p.post("experiments/restore", {"experiment_id": "0"})


def default(p):
    p.get("experiments/get", experiment_id="0")
    p.get("experiments/get-by-name", experiment_name="Default")


def runs_follow(p):
    it = experiment(p)
    kept, dropped = run(p, it), run(p, it)
    p.post("runs/delete", {"run_id": dropped})
    p.post("experiments/delete", {"experiment_id": it})
    p.get("runs/get", run_id=kept)
    p.post("runs/set-tag", {"run_id": kept, "key": "a", "value": "b"})
    for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL"):
        p.post("runs/search", {"experiment_ids": [it], "run_view_type": view})
    p.post("runs/restore", {"run_id": kept}, note="its experiment is deleted")
    p.get("runs/get", run_id=kept)
    p.post("experiments/restore", {"experiment_id": it})
    for one in (kept, dropped):
        p.get("runs/get", run_id=one)


def taken_names(p):
    a, b = name("a"), name("b")
    it = p.post("experiments/create", {"name": a}).id("experiment_id")
    p.post("experiments/create", {"name": b})
    p.post("experiments/update", {"experiment_id": it, "new_name": b})
    p.get("experiments/get", experiment_id=it)


def awkward_names(p):
    for text in AWKWARD:
        p.post("experiments/create", {"name": text})
        p.get("experiments/get-by-name", experiment_name=text)
    it = experiment(p)
    for text in AWKWARD:
        p.post("experiments/update", {"experiment_id": it, "new_name": text + f" renamed {number()}"})
        p.get("experiments/get", experiment_id=it)


def lengths(p):
    for n in (1, 249, 250, 251, 256, 257, 499, 500, 501, 600):
        p.post("experiments/create", {"name": f"{number():08}" + "x" * max(0, n - 8)}, note=f"{n}")
    for n in (83, 84, 166, 167, 250, 251):
        p.post("experiments/create", {"name": f"{number():08}" + "日" * n}, note=f"{n} of 3 bytes")
    for n in (249, 250, 251, 500, 501):
        p.post("experiments/update", {"experiment_id": experiment(p), "new_name": f"{number():08}" + "y" * (n - 8)}, note=f"{n}")
    it = experiment(p)
    for n in (249, 250, 251):
        p.post("experiments/set-experiment-tag", {"experiment_id": it, "key": "k" * n, "value": "v"}, note=f"key {n}")
        p.post("experiments/create", {"name": name("e"), "tags": [{"key": "k" * n, "value": "v"}]}, note=f"key {n}")
    for n in (4999, 5000, 5001, 19999, 20000, 20001):
        p.post("experiments/set-experiment-tag", {"experiment_id": it, "key": "long", "value": "v" * n}, note=f"value {n}")
        p.post("experiments/create", {"name": name("e"), "tags": [{"key": "k", "value": "v" * n}]}, note=f"value {n}")
    p.get("experiments/get", experiment_id=it)


def tags(p):
    it = experiment(p)
    for key in AWKWARD:
        p.post("experiments/set-experiment-tag", {"experiment_id": it, "key": key, "value": key})
    p.get("experiments/get", experiment_id=it)
    for key in AWKWARD:
        p.post("experiments/delete-experiment-tag", {"experiment_id": it, "key": key})
    p.get("experiments/get", experiment_id=it)
    p.post("experiments/delete-experiment-tag", {"experiment_id": it, "key": "never"})
    for key in AWKWARD:
        p.post("experiments/create", {"name": name("tagged"), "tags": [{"key": key, "value": "x"}]})
    for bad in WRONG:
        p.post("experiments/create", {"name": name("tagged"), "tags": bad}, note="type of tags")
        p.post("experiments/create", {"name": name("tagged"), "tags": [bad]}, note="type of a tag")
        p.post("experiments/create", {"name": name("tagged"), "tags": [{"key": bad, "value": "x"}]}, note="type of a key")
        p.post("experiments/create", {"name": name("tagged"), "tags": [{"key": "x", "value": bad}]}, note="type of a value")
    p.post("experiments/create", {"name": name("tagged"), "tags": [{"key": "x"}]}, note="no value")
    p.post("experiments/create", {"name": name("tagged"), "tags": [{"key": "x", "value": "1"}, {"key": "x", "value": "2"}]}, note="twice")
    p.post("experiments/set-experiment-tag", {"experiment_id": it, "key": "a", "value": "1"})
    p.post("experiments/set-experiment-tag", {"experiment_id": it, "key": "a", "value": "2"})
    p.post("experiments/set-experiment-tag", {"experiment_id": it, "key": "a"}, note="no value")
    p.post("experiments/set-experiment-tag", {"experiment_id": it, "key": "a", "value": ""})
    p.get("experiments/get", experiment_id=it)


def locations(p):
    for where in ["s3://bucket/path", "s3://bucket/path/", "", "relative", "/absolute/path", "file:///tmp/x", "runs:/abc/x",
                  "models:/a/1", "gs://b", "s3://b/p?x=y", "s3://b/p#frag", "s3://b/p;param", "mlflow-artifacts:/x",
                  "mlflow-artifacts://host:5000/x", "http://host/x", "dbfs:/x", "../x", "s3://b/../c", "s3://b/" + "x" * 2041,
                  "s3://b/" + "x" * 2042, "hdfs://h/x", "unknown://x", "mlflow-artifacts:/../x", "s3://b/a b", "s3://b/é"]:
        made = p.post("experiments/create", {"name": name("located"), "artifact_location": where})
        if made.both_ok:
            it = made.id("experiment_id")
            p.get("experiments/get", experiment_id=it)
            p.post("runs/create", {"experiment_id": it})
            p.post("logged-models", {"experiment_id": it})


def types(p):
    wrong_types(lambda b, note: p.post("experiments/create", b, note=note), lambda: {"name": name("typed"), "artifact_location": "s3://b/c"})
    it = experiment(p)
    for path in ("experiments/delete", "experiments/restore"):
        wrong_types(lambda b, note: p.post(path, b, note=note), lambda: {"experiment_id": experiment(p)})
    wrong_types(lambda b, note: p.post("experiments/update", b, note=note), lambda: {"experiment_id": it, "new_name": name("typed")})
    wrong_types(lambda b, note: p.post("experiments/set-experiment-tag", b, note=note), lambda: {"experiment_id": it, "key": "a", "value": "b"})
    wrong_types(lambda b, note: p.post("experiments/delete-experiment-tag", b, note=note), lambda: {"experiment_id": it, "key": "a"})


def unknown(p):
    for bad in ["999999", "-1", "abc", "", "1.5", "9223372036854775807", "9223372036854775808", "00", " 0", "0 ", "+0", "é", "'", "0x0", "1e0", "٠"]:
        p.get("experiments/get", experiment_id=bad)
        for path, more in (("delete", {}), ("restore", {}), ("update", {"new_name": name("n")}),
                           ("set-experiment-tag", {"key": "a", "value": "b"}), ("delete-experiment-tag", {"key": "a"})):
            p.post(f"experiments/{path}", {"experiment_id": bad} | more)
        p.post("runs/create", {"experiment_id": bad})
        p.post("runs/search", {"experiment_ids": [bad]})
        p.post("logged-models", {"experiment_id": bad})
    p.post("experiments/restore", {"experiment_id": "0"})
    p.post("experiments/update", {"experiment_id": "0", "new_name": "Default"})
    p.get("experiments/get")
    p.get("experiments/get-by-name")
    p.get("experiments/get-by-name", experiment_name="")
    p.get("experiments/get-by-name", experiment_name="never")


def pages(p):
    for most in [None, 0, -1, 1, 2, 50000, 50001, *BIG]:
        p.post("experiments/search", {"max_results": most, "filter": "name = 'never'"})
    p.post("experiments/search", {})
    p.get("experiments/search", max_results=1, filter="name = 'Default'")
    p.get("experiments/search", max_results="x")
    for view in ["ACTIVE_ONLY", "DELETED_ONLY", "ALL", "active_only", "X", "", 1, 2, 3, 0, 4, "1", True, None]:
        p.post("experiments/search", {"max_results": 5, "view_type": view, "filter": "name = 'never'"})
    for page in ["x", "", "e30=", "eyJvZmZzZXQiOiAxfQ==", "eyJvZmZzZXQiOiAtMX0=", "é", "eyJvZmZzZXQiOiAieCJ9", "W10=", "bnVsbA=="]:
        p.post("experiments/search", {"max_results": 5, "page_token": page, "filter": "name = 'never'"})
    for bad in WRONG:
        p.post("experiments/search", {"max_results": 5, "filter": bad, "view_type": "DELETED_ONLY", "order_by": ["name"]}, note="type of filter")
        p.post("experiments/search", {"max_results": 5, "order_by": bad, "filter": "name = 'never'"}, note="type of order_by")
