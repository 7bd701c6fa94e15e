import json

from ._common import experiment, look, name, run

JSON = {"Content-Type": "application/json"}


def _raw(p, data, path="experiments/create", method="POST", headers=JSON, note=""):
    return p.request(method, path, raw=data, headers=headers, note=note)


def bodies(p):
    for data in (b"", b"{}", b"[]", b"null", b"5", b'"x"', b"{", b'{"name": }', b"\xff", b'{"name": "\xff"}', b'{"name": "\\ud800 %d"}' % 1, b'{"name": "a\\u0000b"}', b"  {}  ", b"{}{}",
                 b'{"name": "x", "name": "y"}', b"[" * 10000, b'{"a":' * 5000, b"\xef\xbb\xbf{}", b"true", b'"{}"', b'"{"', b'{"name": "a\nb"}'):
        _raw(p, data)
        _raw(p, data, "registered-models/get-latest-versions")
    _raw(p, json.dumps(json.dumps({"name": name("double")})).encode(), note="encoded twice")
    _raw(p, json.dumps({"name": name("unknown"), "zzz": 1, "tags": [{"key": "a", "value": "b", "zzz": []}]}).encode(), note="unknown fields")
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        _raw(p, json.dumps({"name": name(encoding)}).encode(encoding), note=encoding)


def content_types(p):
    for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=latin1", "text/plain", "application/x-www-form-urlencoded", "", "application/jsonx",
                 "application/merge-patch+json", "multipart/form-data"):
        _raw(p, json.dumps({"name": name("typed")}).encode(), headers={"Content-Type": kind}, note=kind)
        called = name("m")
        p.post("registered-models/create", {"name": called})
        _raw(p, json.dumps({"name": called, "description": "x"}).encode(), "registered-models/update", "PATCH", {"Content-Type": kind}, note=kind)
        _raw(p, json.dumps({"name": called}).encode(), "registered-models/delete", "DELETE", {"Content-Type": kind}, note=kind)
    _raw(p, json.dumps({"name": name("typed")}).encode(), headers={}, note="no type")


def spelling(p):
    it = experiment(p)
    p.post("runs/create", {"experimentId": it, "runName": "camel", "startTime": "7", "userId": "u"})
    p.post("runs/create", {"experiment_id": it, "experimentId": it}, note="both spellings")
    p.post("runs/search", {"experimentIds": [it], "maxResults": 5, "runViewType": "ALL", "orderBy": ["start_time"]})
    one = run(p, it)
    p.post("runs/log-metric", {"runId": one, "key": "m", "value": "1.5", "timestamp": "5", "step": "2"})
    p.post("runs/logMetric", {"run_id": one})
    look(p, one)
    p.get("runs/get", runId=one)
    p.get("runs/get", run_id=[one, "x"], note="twice")
    p.get("runs/get", run_id=["x", one], note="twice")
    p.get("runs/get", run_id=one, zzz="1")
    p.request("GET", "runs/get", {"run_id": one}, note="a body")
    p.request("GET", "experiments/get", {"experiment_id": it}, note="a body")
    p.request("GET", "runs/get", {"run_id": one}, query={"zzz": "1"}, note="a body and a query")


def routes(p):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
        p.request(method, "runs/create", {} if method != "HEAD" else None)
        p.request(method, "runs/get", {} if method != "HEAD" else None)
    for path in ("/api/2.0/mlflow/never", "/api/2.0/mlflow/runs", "/api/2.0/mlflow/runs/", "/api/2.0/mlflow/runs/create/", "/api/1.0/mlflow/runs/create", "/api/2.0/preview/mlflow/runs/create", "/api/2.0/mlflow//runs/create",
                 "/api/3.0/mlflow/traces/x", "/api/3.0/mlflow/never", "/v1/traces"):
        p.request("POST", path, {})
        p.request("GET", path)
    for prefix in ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"):
        p.request("GET", prefix + "experiments/get?experiment_id=0")
        p.request("POST", prefix + "experiments/search", {"max_results": 3, "filter": "name = 'Default'"})
    p.request("GET", "/health")
    p.request("GET", "/api/3.0/mlflow/server-info")
