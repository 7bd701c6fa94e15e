from ._common import AWKWARD, BIG, WRONG, deleted_run, experiment, logged_model, model, name, run, version, wrong_types

GOOD = "s3://bucket/path"
STAGES = ["None", "Staging", "Production", "Archived"]


def models(p):
    called = name("m")
    p.post("registered-models/create", {"name": called, "description": "what", "tags": [{"key": "a", "value": "1"}]})
    p.post("registered-models/create", {"name": called}, note="taken")
    p.get("registered-models/get", name=called)
    p.patch("registered-models/update", {"name": called, "description": "other"})
    p.get("registered-models/get", name=called)
    p.patch("registered-models/update", {"name": called}, note="no description")
    p.get("registered-models/get", name=called)
    p.patch("registered-models/update", {"name": called, "description": ""})
    p.get("registered-models/get", name=called)
    version(p, called)
    p.get("registered-models/get", name=called)
    p.post("registered-models/set-tag", {"name": called, "key": "b", "value": "x"})
    p.post("registered-models/alias", {"name": called, "alias": "best", "version": "1"})
    p.post("registered-models/rename", {"name": called, "new_name": called + " b"})
    p.get("registered-models/get", name=called)
    p.get("registered-models/get", name=called + " b")
    p.get("model-versions/get", name=called + " b", version="1")
    p.get("registered-models/alias", name=called + " b", alias="best")
    p.post("registered-models/rename", {"name": called + " b", "new_name": called + " b"}, note="onto itself")
    other = model(p)
    p.post("registered-models/rename", {"name": other, "new_name": called + " b"}, note="taken")
    p.delete("registered-models/delete", {"name": called + " b"})
    p.delete("registered-models/delete", {"name": called + " b"}, note="again")
    p.get("registered-models/get", name=called + " b")
    p.get("model-versions/get", name=called + " b", version="1")
    p.post("registered-models/create", {"name": called + " b"}, note="after its deletion")
    version(p, called + " b")
    plain = model(p)
    p.get("registered-models/get", name=plain)


def unknown(p):
    for bad in ("never", "", "x" * 500, "a/b", "é"):
        p.get("registered-models/get", name=bad)
        p.patch("registered-models/update", {"name": bad, "description": "x"})
        p.post("registered-models/rename", {"name": bad, "new_name": name("r")})
        p.delete("registered-models/delete", {"name": bad})
        p.post("registered-models/set-tag", {"name": bad, "key": "a", "value": "b"})
        p.delete("registered-models/delete-tag", {"name": bad, "key": "a"})
        p.post("registered-models/alias", {"name": bad, "alias": "a", "version": "1"})
        p.delete("registered-models/alias", {"name": bad, "alias": "a"})
        p.get("registered-models/alias", name=bad, alias="a")
        p.post("registered-models/get-latest-versions", {"name": bad})
        p.get("registered-models/get-latest-versions", name=bad)
        p.post("model-versions/create", {"name": bad, "source": GOOD})
        _each_version(p, bad, "1")
    it = model(p)
    version(p, it)
    for bad in ["2", "0", "-1", "abc", "", "1.5", "9223372036854775807", "9223372036854775808", "01", " 1", "1 ", "+1", "٣", "latest", 1, 5, True, None, [], {}]:
        _each_version(p, it, bad)
        p.post("registered-models/alias", {"name": it, "alias": "a", "version": bad})


def _each_version(p, of, number):
    if isinstance(number, str):
        p.get("model-versions/get", name=of, version=number)
        p.get("model-versions/get-download-uri", name=of, version=number)
    p.patch("model-versions/update", {"name": of, "version": number, "description": "x"})
    p.post("model-versions/transition-stage", {"name": of, "version": number, "stage": "Staging", "archive_existing_versions": False})
    p.post("model-versions/set-tag", {"name": of, "version": number, "key": "a", "value": "b"})
    p.delete("model-versions/delete-tag", {"name": of, "version": number, "key": "a"})
    if number not in ("01", " 1", "1 ", "+1", 1, True):
        p.delete("model-versions/delete", {"name": of, "version": number})


def model_names(p):
    for text in AWKWARD:
        p.post("registered-models/create", {"name": text})
        p.get("registered-models/get", name=text)
        p.post("model-versions/create", {"name": text, "source": GOOD})
        p.get("model-versions/get", name=text, version="1")
        it = model(p)
        p.post("registered-models/rename", {"name": it, "new_name": text + " new"})
    for n in (250, 251, 255, 256, 257, 500):
        p.post("registered-models/create", {"name": f"{n}" + "x" * (n - 3)}, note=f"{n}")
        it = model(p)
        p.post("registered-models/rename", {"name": it, "new_name": f"{n}" + "y" * (n - 3)}, note=f"{n}")
    for n in (5000, 5001, 20000, 100000, 100001):
        p.post("registered-models/create", {"name": name("d"), "description": "d" * n}, note=f"description {n}")


def types(p):
    def of(path):
        return lambda b, note: p.post(path, b, note=note)

    wrong_types(of("registered-models/create"), lambda: {"name": name("t"), "description": "d", "tags": [{"key": "a", "value": "b"}]})
    it = model(p)
    version(p, it)
    wrong_types(of("registered-models/rename"), lambda: {"name": model(p), "new_name": name("t")})
    wrong_types(lambda b, note: p.patch("registered-models/update", b, note=note), lambda: {"name": it, "description": "d"})
    wrong_types(lambda b, note: p.delete("registered-models/delete", b, note=note), lambda: {"name": model(p)})
    wrong_types(of("registered-models/set-tag"), lambda: {"name": it, "key": "a", "value": "b"})
    wrong_types(lambda b, note: p.delete("registered-models/delete-tag", b, note=note), lambda: {"name": it, "key": "a"})
    wrong_types(of("registered-models/alias"), lambda: {"name": it, "alias": "a", "version": "1"})
    wrong_types(lambda b, note: p.delete("registered-models/alias", b, note=note), lambda: {"name": it, "alias": "a"})
    wrong_types(of("registered-models/get-latest-versions"), lambda: {"name": it, "stages": ["None"]})
    wrong_types(of("model-versions/create"), lambda: {"name": it, "source": GOOD, "run_id": "", "run_link": "l", "description": "d", "tags": []})
    wrong_types(lambda b, note: p.patch("model-versions/update", b, note=note), lambda: {"name": it, "version": "1", "description": "d"})
    wrong_types(of("model-versions/transition-stage"), lambda: {"name": it, "version": "1", "stage": "Staging", "archive_existing_versions": True})
    wrong_types(of("model-versions/set-tag"), lambda: {"name": it, "version": "1", "key": "a", "value": "b"})
    wrong_types(lambda b, note: p.delete("model-versions/delete-tag", b, note=note), lambda: {"name": it, "version": "1", "key": "a"})
    for path, query in (("registered-models/get", {}), ("registered-models/alias", {"name": it}), ("registered-models/alias", {"alias": "a"}), ("model-versions/get", {"name": it}),
                        ("model-versions/get", {"version": "1"}), ("model-versions/get-download-uri", {"name": it}), ("model-versions/get-download-uri", {})):
        p.get(path, **query)


def versions(p):
    it = model(p)
    one = run(p)
    p.post("model-versions/create", {"name": it, "source": GOOD, "description": "d", "run_link": "http://x/y", "tags": [{"key": "a", "value": "1"}]})
    p.post("model-versions/create", {"name": it, "source": f"runs:/{one}/model", "run_id": one})
    p.post("model-versions/create", {"name": it, "source": GOOD})
    for number in "123":
        p.get("model-versions/get", name=it, version=number)
        p.get("model-versions/get-download-uri", name=it, version=number)
    p.patch("model-versions/update", {"name": it, "version": "1", "description": "new"})
    p.get("model-versions/get", name=it, version="1")
    p.patch("model-versions/update", {"name": it, "version": "1"})
    p.get("model-versions/get", name=it, version="1")
    p.get("registered-models/get", name=it)
    p.post("registered-models/alias", {"name": it, "alias": "last", "version": "3"})
    p.post("model-versions/set-tag", {"name": it, "version": "3", "key": "a", "value": "1"})
    p.delete("model-versions/delete", {"name": it, "version": "3"})
    p.delete("model-versions/delete", {"name": it, "version": "3"}, note="again")
    p.get("model-versions/get", name=it, version="3")
    p.get("registered-models/alias", name=it, alias="last")
    p.get("registered-models/get", name=it)
    p.post("model-versions/create", {"name": it, "source": GOOD}, note="after a deletion")
    p.get("model-versions/search", filter=f"name = '{it}'")
    p.get("registered-models/get", name=it)


def tags(p):
    it = model(p)
    version(p, it)
    for key in AWKWARD:
        p.post("registered-models/set-tag", {"name": it, "key": key, "value": key})
        p.post("model-versions/set-tag", {"name": it, "version": "1", "key": key, "value": key})
    p.get("registered-models/get", name=it)
    p.get("model-versions/get", name=it, version="1")
    for key in AWKWARD:
        p.delete("registered-models/delete-tag", {"name": it, "key": key})
        p.delete("model-versions/delete-tag", {"name": it, "version": "1", "key": key})
    p.get("registered-models/get", name=it)
    p.delete("registered-models/delete-tag", {"name": it, "key": "never"})
    p.delete("model-versions/delete-tag", {"name": it, "version": "1", "key": "never"})
    for n in (250, 251):
        p.post("registered-models/set-tag", {"name": it, "key": "k" * n, "value": "v"}, note=f"key {n}")
        p.post("model-versions/set-tag", {"name": it, "version": "1", "key": "k" * n, "value": "v"}, note=f"key {n}")
    for n in (5000, 5001, 100000, 100001):
        p.post("registered-models/set-tag", {"name": model(p), "key": "long", "value": "v" * n}, note=f"value {n}")
        p.post("model-versions/set-tag", {"name": it, "version": "1", "key": "long", "value": "v" * n}, note=f"value {n}")
    p.post("registered-models/set-tag", {"name": it, "key": "x"}, note="no value")
    p.post("model-versions/set-tag", {"name": it, "version": "1", "key": "x"}, note="no value")
    p.post("registered-models/set-tag", {"name": it, "key": "x", "value": ""})
    p.get("registered-models/get", name=it)
    for key in AWKWARD:
        p.post("registered-models/create", {"name": name("tagged"), "tags": [{"key": key, "value": "v"}]})
        p.post("model-versions/create", {"name": it, "source": GOOD, "tags": [{"key": key, "value": "v"}]})
    for bad in WRONG:
        p.post("registered-models/create", {"name": name("tagged"), "tags": [{"key": "a", "value": bad}]}, note="type of a value")
        p.post("registered-models/create", {"name": name("tagged"), "tags": [bad]}, note="type of a tag")
        p.post("model-versions/create", {"name": model(p), "source": GOOD, "tags": [{"key": "a", "value": bad}]}, note="type of a value")
    twice = [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]
    p.post("registered-models/create", {"name": name("tagged"), "tags": twice}, note="twice")
    p.post("model-versions/create", {"name": model(p), "source": GOOD, "tags": twice}, note="twice")


def aliases(p):
    it = model(p)
    version(p, it)
    version(p, it)
    for alias in AWKWARD + ["best", "latest", "Latest", "LATEST", "v1", "V2", "v", "v1x", "1", "x" * 255, "x" * 256, "a-b", "a_b"]:
        p.post("registered-models/alias", {"name": it, "alias": alias, "version": "1"})
        p.get("registered-models/alias", name=it, alias=alias)
    p.post("registered-models/alias", {"name": it, "alias": "best", "version": "2"}, note="moved")
    p.get("registered-models/alias", name=it, alias="best")
    p.post("registered-models/alias", {"name": it, "alias": "best", "version": "2"}, note="again")
    p.get("registered-models/get", name=it)
    p.get("model-versions/get", name=it, version="1")
    p.get("model-versions/get", name=it, version="2")
    p.get("model-versions/search", filter=f"name = '{it}'")
    p.get("registered-models/search", filter=f"name = '{it}'")
    p.delete("registered-models/alias", {"name": it, "alias": "best"})
    p.delete("registered-models/alias", {"name": it, "alias": "best"}, note="again")
    p.get("registered-models/alias", name=it, alias="best")
    p.get("registered-models/alias", name=it, alias="never")
    p.get("registered-models/get", name=it)


def stages(p):
    it = model(p)
    for _ in range(4):
        version(p, it)

    def move(number, stage, archive=False, note=""):
        p.post("model-versions/transition-stage", {"name": it, "version": number, "stage": stage, "archive_existing_versions": archive}, note=note)
        p.get("registered-models/get", name=it)

    move("1", "Production")
    move("2", "production")
    move("3", "PRODUCTION", True)
    p.get("model-versions/search", filter=f"name = '{it}'")
    move("3", "Staging", True)
    move("4", "None")
    move("1", "Archived")
    for stage in ("None", "Archived"):
        move("2", stage, True, "archive with a stage that is not active")
    for stage in ("", "x", "Deleted_Internal", "deleted_internal", None, 5, "none", " Staging", "STAGING"):
        move("2", stage)
    for archive in ("true", "x", 1, 0, None, []):
        move("2", "Staging", archive, "type of archive_existing_versions")
    p.post("model-versions/transition-stage", {"name": it, "version": "2", "stage": "Staging"}, note="no archive_existing_versions")
    for stages in (None, [], ["None"], ["Production", "Staging"], ["production"], ["x"], ["Deleted_Internal"], [""], [5], "None"):
        p.post("registered-models/get-latest-versions", {"name": it, "stages": stages})
    p.get("registered-models/get-latest-versions", name=it)
    p.get("registered-models/get-latest-versions", name=it, stages="None")
    p.get("registered-models/get-latest-versions", name=it, stages=["Production", "Archived"])
    p.delete("model-versions/delete", {"name": it, "version": "4"})
    p.post("registered-models/get-latest-versions", {"name": it})


def sources(p):
    it = model(p)
    ex = experiment(p)
    one, other, dead = run(p, ex), run(p, ex), deleted_run(p)
    logged = logged_model(p, ex, source_run_id=one)
    version(p, it)
    p.post("registered-models/alias", {"name": it, "alias": "best", "version": "1"})
    texts = ["s3://b/p", "", "relative/path", "/absolute/path", "file:///tmp/x", f"runs:/{one}/model", f"runs:/{other}/model", f"runs:/{one}", "runs:/", f"mlflow-artifacts:/{ex}/{one}/artifacts/m",
             f"mlflow-artifacts:/{ex}/{other}/artifacts/m", "mlflow-artifacts:/x", f"mlflow-artifacts:/{ex}/models/{logged}/artifacts", "mlflow-artifacts://host/x", f"models:/{logged}", f"models:/{logged}/x",
             "models:/m-" + "0" * 32, f"models:/{it}/1", f"models:/{it}/99", f"models:/{it}@best", f"models:/{it}/latest", f"models:/{it}/Production", "models:/", "models:/never/1", "models:x",
             "ftp://h/x", "sftp://h/x", "hdfs://h/x", "viewfs://h/x", "http://h/x", "https://h/x", "r2://b/x", "b2://b/x", "abfss://c@a/x", "gs://b/x", "wasbs://b/x", "dbfs:/x", "unknown://x", "s3://b/../x",
             "s3://b/%2e%2e/x", "s3://b/a%00b", "s3://b/./x", "s3://b//x", "s3://b/p?q=1", "s3://b/p#f", "../x", "C:\\x", "prompt-template", f"mlflow-artifacts:/{ex}/{one}/artifacts/../../x", "x" * 500, "s3://b/" + "x" * 493,
             "s3://b/" + "x" * 494, "s3://b/" + "x" * 3000]
    for text in texts:
        for more in ({}, {"run_id": one}, {"model_id": logged}, {"run_id": one, "model_id": logged}, {"run_id": dead}, {"run_id": "0" * 32}, {"run_id": ""}, {"model_id": ""}, {"model_id": "m-" + "0" * 32}):
            own = model(p)
            if p.post("model-versions/create", {"name": own, "source": text} | more, note=f"{text[:40]} {sorted(more)}").both_ok:
                p.get("model-versions/get-download-uri", name=own, version="1")
    p.get(f"logged-models/{logged}")
    p.get("model-versions/search", filter=f"name = '{it}'")
    for n in (500, 501):
        p.post("model-versions/create", {"name": model(p), "source": GOOD, "run_link": "l" * n}, note=f"run_link {n}")
        p.post("model-versions/create", {"name": model(p), "source": GOOD, "run_id": "r" * n}, note=f"run_id {n}")
    for n in (5000, 5001, 20000):
        p.post("model-versions/create", {"name": model(p), "source": GOOD, "description": "d" * n}, note=f"description {n}")
        p.patch("model-versions/update", {"name": it, "version": "1", "description": "d" * n}, note=f"description {n}")


def pages(p):
    prefix = name("paged")
    for i in range(5):
        p.post("registered-models/create", {"name": f"{prefix} {i}"})
        version(p, f"{prefix} {i}")
    for path, limit in (("registered-models/search", 1000), ("model-versions/search", 200000)):
        for most in [0, -1, 1, 2, 5, 100, limit, limit + 1, *[b for b in BIG if not isinstance(b, bool)]]:
            p.get(path, filter=f"name LIKE '{prefix}%'", max_results=most)
        for page in ("x", "", "e30=", "W10=", "é", "eyJvZmZzZXQiOiAieCJ9"):
            p.get(path, filter=f"name LIKE '{prefix}%'", page_token=page)
        page = p.get(path, filter=f"name LIKE '{prefix}%'", max_results=2).page()
        while page:
            page = p.get(path, filter=f"name LIKE '{prefix}%'", max_results=2, page_token=page).page()
        p.request("GET", path, {"filter": f"name LIKE '{prefix}%'", "max_results": 2}, note="a body")


def prompts(p):
    called = name("prompt")
    mark = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    p.post("registered-models/create", {"name": called, "tags": mark})
    p.get("registered-models/get", name=called)
    p.post("model-versions/create", {"name": called, "source": "prompt-template", "tags": mark + [{"key": "mlflow.prompt.text", "value": "Hi {{ name }}"}]})
    p.post("model-versions/create", {"name": called, "source": "file:///etc/passwd", "tags": mark})
    for text in ("/etc/passwd", "s3://b/x", "dummy-source", "", "models:/x/1", "prompt-template/", "Prompt-Template"):
        p.post("model-versions/create", {"name": called, "source": text, "tags": mark})
    p.get("model-versions/get", name=called, version="1")
    for text in (f"name = '{called}'", f"name = '{called}' AND tags.`mlflow.prompt.is_prompt` = 'true'", f"name = '{called}' AND tag.`mlflow.prompt.is_prompt` != 'true'"):
        p.get("registered-models/search", filter=text)
        p.get("model-versions/search", filter=text)
    p.post("registered-models/create", {"name": called}, note="taken by a prompt")
