"""Registered models, versions, aliases, and what deploy tools ask."""

import hashlib
import json

import pytest

DEPLOY = "/api/v1/models"


def test_versions_count_up_and_are_never_reused(api):
    name, one, _ = api.version_with_files({"a": b"1"})
    _, two, _ = api.version_with_files({"a": b"2"}, name)
    assert (str(one), str(two)) == ("1", "2")
    api.delete("/model-versions/delete", name=name, version="2")
    api.refused("GET", f"/model-versions/get?name={name}&version=2", None, 404, "RESOURCE_DOES_NOT_EXIST")
    assert str(api.version_with_files({"a": b"3"}, name)[1]) == "3"


def test_a_new_version_is_ready(api):
    name, version, run = api.version_with_files({"MLmodel": b"x"})
    got = api.get("/model-versions/get", name=name, version=version)["model_version"]
    assert got["status"] == "READY" and got["current_stage"] == "None" and got["run_id"] == run and got["version"] == "1"
    uri = api.get("/model-versions/get-download-uri", name=name, version=version)["artifact_uri"]
    assert uri == got["source"]


def test_messages_are_those_that_clients_match(api):
    name = api.model()
    assert f"Registered Model (name={name}) already exists" in api.refused("POST", "/registered-models/create", {"name": name}, code="RESOURCE_ALREADY_EXISTS")
    assert "Registered Model with name=none not found" in api.refused("GET", "/registered-models/get?name=none", None, 404, "RESOURCE_DOES_NOT_EXIST")
    assert f"Model Version (name={name}, version=7) not found" in api.refused("GET", f"/model-versions/get?name={name}&version=7", None, 404, "RESOURCE_DOES_NOT_EXIST")
    assert "Registered model alias a not found" in api.refused("GET", f"/registered-models/alias?name={name}&alias=a")


def test_an_alias_moves_and_leaves_a_history(api, server):
    name, _, _ = api.version_with_files({"a": b"1"})
    api.version_with_files({"a": b"2"}, name)
    for version in ("1", "2", "1"):
        api.post("/registered-models/alias", name=name, alias="champion", version=version)
        assert api.get("/registered-models/alias", name=name, alias="champion")["model_version"]["version"] == version
    api.delete("/registered-models/alias", name=name, alias="champion")
    api.delete("/registered-models/alias", name=name, alias="champion")
    api.post("/registered-models/alias", name=name, alias="champion", version="2")
    history = server.call("GET", f"{DEPLOY}/{name}/aliases/champion/history")["history"]
    assert [(h["generation"], h.get("version"), h.get("previous_version")) for h in history] == [
        (5, 2, None), (4, None, 1), (3, 1, 2), (2, 2, 1), (1, 1, None)]
    assert {h["changed_by"] for h in history} == {"admin"}
    assert api.get("/registered-models/get", name=name)["registered_model"]["aliases"] == [{"alias": "champion", "version": "2"}]


def test_an_alias_answers_with_an_etag_that_changes_with_every_move(api, server):
    name, _, _ = api.version_with_files({"a": b"1", "b/c": b"22"})
    api.post("/registered-models/alias", name=name, alias="live", version="1")
    answer = server.request("GET", f"{DEPLOY}/{name}/aliases/live")
    body, etag = answer.json(), answer.headers["ETag"]
    assert body["version"] == 1 and body["generation"] == 1 and body["size"] == 3 and body["files"] == 2 and "previous" not in body
    assert etag == f'"g1-{body["manifest_digest"]}"'
    again = server.request("GET", f"{DEPLOY}/{name}/aliases/live", headers={"If-None-Match": etag})
    assert again.status_code == 304 and again.content == b"" and again.headers["ETag"] == etag
    api.version_with_files({"a": b"2"}, name)
    api.post("/registered-models/alias", name=name, alias="live", version="2")
    moved = server.request("GET", f"{DEPLOY}/{name}/aliases/live", headers={"If-None-Match": etag})
    assert moved.status_code == 200 and moved.json()["generation"] == 2 and moved.json()["previous"] == {"version": 1}


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V22", "", "a b", "a/b", "x" * 256])
def test_names_that_no_alias_may_have(api, alias):
    name, _, _ = api.version_with_files({"a": b"1"})
    api.refused("POST", "/registered-models/alias", {"name": name, "alias": alias, "version": "1"})


def test_an_alias_needs_a_version_that_exists(api):
    name, _, _ = api.version_with_files({"a": b"1"})
    api.refused("POST", "/registered-models/alias", {"name": name, "alias": "a", "version": "2"}, 404, "RESOURCE_DOES_NOT_EXIST")
    api.post("/registered-models/alias", name=name, alias="a", version="1")
    api.delete("/model-versions/delete", name=name, version="1")
    api.refused("GET", f"/registered-models/alias?name={name}&alias=a")
    assert "aliases" not in api.get("/registered-models/get", name=name)["registered_model"]


def test_tags_come_and_go_silently(api):
    name, version, _ = api.version_with_files({"a": b"1"})
    api.post("/registered-models/set-tag", name=name, key="t", value="1")
    api.post("/model-versions/set-tag", name=name, version=version, key="t", value="2")
    assert api.get("/registered-models/get", name=name)["registered_model"]["tags"] == [{"key": "t", "value": "1"}]
    assert api.get("/model-versions/get", name=name, version=version)["model_version"]["tags"] == [{"key": "t", "value": "2"}]
    for _ in range(2):
        api.delete("/registered-models/delete-tag", name=name, key="t")
        api.delete("/model-versions/delete-tag", name=name, version=version, key="t")
    assert "tags" not in api.get("/model-versions/get", name=name, version=version)["model_version"]


def test_stages_are_read_in_any_case_and_archived_together(api):
    name, _, _ = api.version_with_files({"a": b"1"})
    api.version_with_files({"a": b"2"}, name)
    got = api.post("/model-versions/transition-stage", name=name, version="1", stage="pRODUCTION")["model_version"]
    assert got["current_stage"] == "Production"
    api.post("/model-versions/transition-stage", name=name, version="2", stage="Production", archive_existing_versions=True)
    assert api.get("/model-versions/get", name=name, version="1")["model_version"]["current_stage"] == "Archived"
    latest = api.post("/registered-models/get-latest-versions", name=name, stages=["production"])["model_versions"]
    assert [v["version"] for v in latest] == ["2"]
    api.refused("POST", "/model-versions/transition-stage", {"name": name, "version": "1", "stage": "Live"})
    api.refused("POST", "/model-versions/transition-stage", {"name": name, "version": "1", "stage": "None", "archive_existing_versions": True})


def test_a_model_is_renamed_with_its_versions_and_deleted_with_them(api):
    name, _, _ = api.version_with_files({"a": b"1"})
    other = api.model()
    api.refused("POST", "/registered-models/rename", {"name": name, "new_name": other}, code="RESOURCE_ALREADY_EXISTS")
    api.post("/registered-models/rename", name=name, new_name=name + " new")
    assert api.get("/model-versions/get", name=name + " new", version="1")["model_version"]["name"] == name + " new"
    api.delete("/registered-models/delete", name=name + " new")
    api.refused("GET", f"/model-versions/get?name={name} new&version=1", None, 404, "RESOURCE_DOES_NOT_EXIST")


def test_a_description_left_out_is_taken_away(api):
    name = api.model(description="first")
    assert api.patch("/registered-models/update", name=name, description="second")["registered_model"]["description"] == "second"
    assert not api.patch("/registered-models/update", name=name)["registered_model"].get("description")


@pytest.mark.parametrize("source", ["ftp://x/y", "http://evil.example/x", "file:///etc/passwd", "/etc/passwd", "mlflow-artifacts:/../x",
                                    "mlflow-artifacts:/0/%2e%2e/%2e%2e/x", "mlflow-artifacts://host/x", "mlflow-artifacts:/0/other/artifacts"])
def test_a_version_may_not_point_outside_of_its_run(api, source):
    name = api.model()
    api.refused("POST", "/model-versions/create", {"name": name, "source": source, "run_id": api.run()})


def test_a_manifest_names_every_file_by_its_digest(api, server):
    files = {"MLmodel": b"flavors: {}\n", "data/weights.bin": bytes(range(256)) * 400, "z empty": b"", "data/ü.txt": b"u"}
    name, version, run = api.version_with_files(files)
    answer = server.request("GET", f"{DEPLOY}/{name}/versions/{version}/manifest")
    manifest = answer.json()
    about = server.call("GET", f"{DEPLOY}/{name}/versions/{version}")
    assert about["manifest_digest"] == "sha256:" + hashlib.sha256(answer.content).hexdigest()
    assert about["run_id"] == run and about["files"] == 4 and about["size"] == sum(map(len, files.values())) and about["created_by"] == "admin"
    expected = [{"path": p, "sha256": hashlib.sha256(files[p]).hexdigest(), "size": len(files[p])} for p in sorted(files, key=str.encode)]
    assert manifest == {"schema": "cairn.manifest/1", "model": name, "version": int(version), "files": expected}
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert answer.content == canonical


def test_blobs_come_whole_in_ranges_and_by_etag(api, server):
    data = bytes(range(256)) * 1000
    name, version, _ = api.version_with_files({"w": data})
    digest = hashlib.sha256(data).hexdigest()
    path = f"{DEPLOY}/{name}/versions/{version}/blobs/{digest}"
    whole = server.request("GET", path)
    assert whole.status_code == 200 and whole.content == data
    assert whole.headers["ETag"] == f'"sha256:{digest}"' and whole.headers["Accept-Ranges"] == "bytes" and "immutable" in whole.headers["Cache-Control"]
    assert whole.headers["Repr-Digest"].startswith("sha-256=:")

    def part(what, **headers):
        return server.request("GET", path, headers={"Range": what, **headers})

    for what, expected in (("bytes=0-0", data[:1]), ("bytes=100-199", data[100:200]), ("bytes=255990-", data[255990:]), ("bytes=-10", data[-10:]),
                           ("bytes=255999-999999999", data[-1:])):
        got = part(what)
        assert got.status_code == 206 and got.content == expected, what
        assert got.headers["Content-Range"].endswith(f"/{len(data)}")
    assert part("bytes=256000-").status_code == 416 and part("bytes=256000-").headers["Content-Range"] == f"bytes */{len(data)}"
    assert part("bytes=10-5").status_code == 200 and part("lines=1-2").status_code == 200
    assert part("bytes=5-9", **{"If-Range": whole.headers["ETag"]}).status_code == 206
    assert part("bytes=5-9", **{"If-Range": '"other"'}).content == data
    head = server.request("HEAD", path)
    assert head.status_code == 200 and head.headers["Content-Length"] == str(len(data)) and head.content == b""


def test_a_blob_that_the_manifest_does_not_name_is_not_given(api, server):
    name, version, _ = api.version_with_files({"a": b"mine"})
    api.version_with_files({"a": b"another's"})
    for digest in (hashlib.sha256(b"another's").hexdigest(), "0" * 64):
        assert server.request("GET", f"{DEPLOY}/{name}/versions/{version}/blobs/{digest}").status_code == 404
    assert server.request("GET", f"{DEPLOY}/{name}/versions/{version}/blobs/xyz").status_code in (400, 404)


def test_searches_filter_order_and_page(api):
    names = [api.model(f"search {c}") for c in "cab"]
    found = api.get("/registered-models/search", filter="name LIKE 'search %'", order_by="name DESC")["registered_models"]
    assert [m["name"] for m in found] == sorted(names, reverse=True)
    page = api.get("/registered-models/search", filter="name ILIKE 'SEARCH %'", max_results=2)
    assert [m["name"] for m in page["registered_models"]] == ["search a", "search b"]
    rest = api.get("/registered-models/search", filter="name ILIKE 'SEARCH %'", max_results=2, page_token=page["next_page_token"])
    assert [m["name"] for m in rest["registered_models"]] == ["search c"] and "next_page_token" not in rest
    for query in ("filter=name+=", "filter=colour+=+'x'", "max_results=0", "max_results=1001", "order_by=colour", "page_token=%3F%3F"):
        api.refused("GET", "/registered-models/search?" + query)


def test_changes_others_will_want_to_hear_of_are_in_the_outbox(fresh_api, fresh_server):
    name, version, _ = fresh_api.version_with_files({"a": b"1"}, fresh_api.model())
    fresh_api.post("/registered-models/alias", name=name, alias="champion", version=version)
    fresh_api.post("/model-versions/set-tag", name=name, version=version, key="t", value="1")
    events = fresh_server.query("SELECT entity || ' ' || action FROM cairn.outbox ORDER BY event_id").split("\n")
    assert events == ["REGISTERED_MODEL CREATED", "MODEL_VERSION CREATED", "MODEL_VERSION_ALIAS CREATED", "MODEL_VERSION_TAG SET"]
