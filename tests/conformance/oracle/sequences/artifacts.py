import urllib.parse

from ._common import AWKWARD, deleted_run, experiment, logged_model, model, run, version

ROOT = "/api/2.0/mlflow-artifacts/artifacts"


def _put(p, path, data, note=""):
    return p.request("PUT", f"{ROOT}/{path}", raw=data, headers={"Content-Type": "application/octet-stream"}, note=note)


def files(p):
    ex = experiment(p)
    one = run(p, ex)
    base = f"{ex}/{one}/artifacts"
    for path, data in (("a.txt", b"hello"), ("dir/b.json", b"{}"), ("dir/deep/c.bin", bytes(range(256)) * 300), ("empty", b""), ("MLmodel", b"x: 1"), ("m.pkl", b"\x80"), ("p.png", b"\x89PNG"),
                       ("t.html", b"<b>"), ("s.svg", b"<svg/>"), ("n.csv", b"a,b"), ("y.yaml", b"a: 1"), ("conda.yaml", b"a"), ("requirements.txt", b"x"), ("py.py", b"1"), ("no_extension", b"1"), ("x.parquet", b"1")):
        _put(p, f"{base}/{path}", data)
        p.request("GET", f"{ROOT}/{base}/{path}")
        p.get("/get-artifact", run_id=one, path=path)
    for path in ("", "dir", "dir/", "dir/deep", "a.txt", "never", "/", ".", "..", "../x", "/etc", "dir/../dir", "%2e%2e", "dir//deep", "a\\b", "dir#x", "é"):
        p.get("artifacts/list", run_id=one, path=path)
        p.get(ROOT, path=f"{base}/{path}" if path else base)
        p.request("GET", f"{ROOT}/{base}/{urllib.parse.quote(path)}")
        p.get("/get-artifact", run_id=one, path=path)
    p.get("artifacts/list", run_id=one)
    p.get("artifacts/list", run_uuid=one)
    p.get("artifacts/list")
    p.get("artifacts/list", run_id="0" * 32)
    p.get("artifacts/list", run_id=deleted_run(p))
    p.get("/get-artifact", path="a.txt")
    p.get("/get-artifact", run_id=one)
    p.get("/get-artifact", run_id="0" * 32, path="a.txt")
    p.get("/get-artifact", run_uuid=one, path="a.txt")
    _put(p, f"{base}/a.txt", b"changed")
    p.request("GET", f"{ROOT}/{base}/a.txt")
    p.request("DELETE", f"{ROOT}/{base}/a.txt")
    p.request("GET", f"{ROOT}/{base}/a.txt")
    p.request("DELETE", f"{ROOT}/{base}/a.txt", note="again")
    p.request("DELETE", f"{ROOT}/{base}/dir")
    p.get("artifacts/list", run_id=one)
    p.get("artifacts/list", run_id=one, path="dir")
    p.get(ROOT, path="never/never")


def awkward_paths(p):
    ex = experiment(p)
    one = run(p, ex)
    for text in AWKWARD:
        path = f"{ex}/{one}/artifacts/x{urllib.parse.quote(text)}x/f.txt" if text not in ("/a", "a/", "..", ".", "../x", "a/../b") else f"{ex}/{one}/artifacts/{urllib.parse.quote(text)}/f.txt"
        _put(p, path, b"data")
        p.request("GET", f"{ROOT}/{path}")
    p.get("artifacts/list", run_id=one)
    for path in ("..", "../x", "%2e%2e/x", "%252e%252e/x", "a/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/x", "/etc/passwd", "%2Fetc%2Fpasswd", "a%5Cb", "C:%5Cx", "a%00b", "a%23b", "a%3Fb", "", "%", "%zz", "a%0Ab"):
        _put(p, path, b"data")
        p.request("GET", f"{ROOT}/{path}")
        p.request("DELETE", f"{ROOT}/{path}") if path not in ("", "..", "%2e%2e/x", "../x") else None
    for n in (200, 255, 256):
        _put(p, f"{ex}/{one}/artifacts/{'n' * n}", b"data", note=f"{n}")
    _put(p, f"{ex}/{one}/artifacts/" + "d/" * 100 + "f", b"data", note="deep")


def over_each_other(p):
    ex = experiment(p)
    one = run(p, ex)
    base = f"{ex}/{one}/artifacts"
    _put(p, f"{base}/f", b"1")
    _put(p, f"{base}/f/g", b"1", note="a file where a folder would be")
    _put(p, f"{base}/d/g", b"1")
    _put(p, f"{base}/d", b"1", note="a folder where a file would be")
    p.request("GET", f"{ROOT}/{base}/d", note="a folder")
    p.get("artifacts/list", run_id=one)


def of_models(p):
    ex = experiment(p)
    logged = logged_model(p, ex)
    for path in ("MLmodel", "model.pkl", "data/x.json"):
        _put(p, f"{ex}/models/{logged}/artifacts/{path}", b"data " + path.encode())
    for path in (None, "", "data", "never", "MLmodel", "..", "/x"):
        p.get(f"logged-models/{logged}/artifacts/directories", **({} if path is None else {"artifact_directory_path": path}))
    for path in ("MLmodel", "model.pkl", "data/x.json", "never", "data", "..", ""):
        p.get(f"/ajax-api/2.0/mlflow/logged-models/{logged}/artifacts/files", artifact_file_path=path)
    p.get(f"/ajax-api/2.0/mlflow/logged-models/{logged}/artifacts/files")
    it = model(p)
    p.post("model-versions/create", {"name": it, "source": f"models:/{logged}", "model_id": logged})
    p.get("model-versions/get", name=it, version="1")
    p.get("model-versions/get-download-uri", name=it, version="1")
    for path in ("MLmodel", "data/x.json", "never", "..", "data"):
        p.get("/model-versions/get-artifact", name=it, version="1", path=path)
    p.get("/model-versions/get-artifact", name=it, version="9", path="MLmodel")
    p.get("/model-versions/get-artifact", name=it, path="MLmodel")
    p.get("/model-versions/get-artifact", version="1", path="MLmodel")


def uploads_in_parts(p):
    ex = experiment(p)
    one = run(p, ex)
    base = f"{ex}/{one}/artifacts"
    p.post(f"/api/2.0/mlflow-artifacts/mpu/create/{base}", {"path": "/tmp/f", "num_parts": 2})
    p.post(f"/api/2.0/mlflow-artifacts/mpu/complete/{base}", {"path": "/tmp/f", "upload_id": "x", "parts": []})
    p.post(f"/api/2.0/mlflow-artifacts/mpu/abort/{base}", {"path": "/tmp/f", "upload_id": "x"})
    p.get(f"/api/2.0/mlflow-artifacts/presigned/{base}/f")
    path = "/ajax-api/2.0/mlflow/upload-artifact"
    for query in ({"run_uuid": one, "path": "up.txt"}, {"run_uuid": one}, {"path": "x"}, {"run_uuid": one, "path": "../x"}, {"run_uuid": "0" * 32, "path": "x"}, {"run_uuid": one, "path": "a/b/c.txt"}):
        p.request("POST", path, query=query, raw=b"data", headers={"Content-Type": "text/plain"})
    p.request("POST", path, query={"run_uuid": one, "path": "none"}, raw=b"", headers={"Content-Type": "text/plain"})
    p.request("POST", path, query={"run_uuid": one, "path": "big"}, raw=b"x" * (10 << 20), headers={"Content-Type": "text/plain"})
    p.request("POST", path, query={"run_uuid": one, "path": "bigger"}, raw=b"x" * ((10 << 20) + 1), headers={"Content-Type": "text/plain"})
    p.get("artifacts/list", run_id=one)
    p.post("artifacts/presigned-upload-url", {"run_id": one, "path": "x"})
    p.post("artifacts/presigned-download-url", {"run_id": one, "path": "x"})
