"""Files of runs: paths, listings, large ones, and clients that disappear."""

import hashlib
import os
import socket
import time
import urllib.parse

import pytest

from support.api import ARTIFACTS, head_of, raw
from support.server import is_sanitized
from test_http import request_text

MB = 1 << 20


@pytest.fixture
def root(api):
    experiment = api.experiment()
    return f"{experiment}/{api.run(experiment)}/artifacts"


def blobs(server):
    return [p for p in (server.data / "blobs").rglob("*") if p.is_file() and p.name != "identity"]


def test_files_are_listed_one_level_at_a_time(api, root):
    for path, data in (("a.txt", b"1"), ("d/b.txt", b"22"), ("d/e/c.txt", b"333")):
        api.put(f"{root}/{path}", data)
    run = root.split("/")[1]

    def files(path=""):
        got = api.get("/artifacts/list", run_id=run, **({"path": path} if path else {}))
        return [(f["path"], f["is_dir"], int(f["file_size"]) if "file_size" in f else None) for f in got.get("files", [])]

    assert files() == [("a.txt", False, 1), ("d", True, None)]
    assert files("d") == [("d/b.txt", False, 2), ("d/e", True, None)]
    assert files("a.txt") == [] and files("none") == []
    got = api.server.call("GET", ARTIFACTS, params={"path": root + "/d"})["files"]
    assert [f["path"] for f in got] == ["b.txt", "e"]


def test_a_download_says_what_it_is(api, server, root):
    for name, kind in (("model.pkl", "application/octet-stream"), ("MLmodel", "text/plain"), ("a.json", "application/json"), ("p.png", "image/png")):
        api.put(f"{root}/{name}", b"x")
        answer = server.request("GET", f"{ARTIFACTS}/{root}/{name}")
        assert answer.headers["Content-Type"].startswith(kind) and answer.headers["X-Content-Type-Options"] == "nosniff"
        assert name in answer.headers["Content-Disposition"] and answer.headers["Content-Disposition"].startswith("attachment")


def test_html_is_never_shown_as_a_page_of_ours(api, server, root):
    api.put(f"{root}/evil.html", b"<script>alert(1)</script>")
    for path in (f"{ARTIFACTS}/{root}/evil.html", f"/get-artifact?run_id={root.split('/')[1]}&path=evil.html"):
        answer = server.request("GET", path)
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment") and answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_second_upload_replaces_the_first(api, server, root):
    api.put(f"{root}/a", b"one")
    api.put(f"{root}/a", b"two")
    assert server.request("GET", f"{ARTIFACTS}/{root}/a").content == b"two"


def test_deleting_is_recursive_and_idempotent(api, server, root):
    api.put(f"{root}/d/a", b"1")
    api.put(f"{root}/d/e/b", b"2")
    api.put(f"{root}/dx", b"3")
    for _ in range(2):
        assert server.request("DELETE", f"{ARTIFACTS}/{root}/d").json() == {}
    assert server.request("GET", f"{ARTIFACTS}/{root}/d/a").status_code == 404
    assert server.request("GET", f"{ARTIFACTS}/{root}/dx").content == b"3"


@pytest.mark.parametrize("path", ["../../x", "a/../../../x", "%2e%2e/x", "a/%2e%2e/x", "%252e%252e/x", "..%2fx", "a%5c..%5cx", "a\\b", "%2f..%2f..%2fx",
                                  "a%00b", "a%23b", "C:%5cx", "a%0ab", "%ff", "%"])
def test_paths_that_lead_elsewhere_are_refused(server, root, path):
    for method, body in (("PUT", b"evil"), ("GET", b""), ("DELETE", b"")):
        got = raw(server, request_text(server, f"{method} {ARTIFACTS}/{root}/{path} HTTP/1.1", "Connection: close", body=body))
        status, _, text = head_of(got)
        assert status in ((400,) if method == "PUT" else (400, 404)), (method, status, text)
    got = raw(server, request_text(server, f"GET /get-artifact?run_id={root.split('/')[1]}&path={path} HTTP/1.1", "Connection: close"))
    assert head_of(got)[0] in (400, 404)
    got = raw(server, request_text(server, f"GET /api/2.0/mlflow/artifacts/list?run_id={root.split('/')[1]}&path={path} HTTP/1.1", "Connection: close"))
    assert head_of(got)[0] in (200, 400)
    assert b"passwd" not in got


@pytest.mark.parametrize("path", ["/etc/passwd", "%2fetc%2fpasswd", "%252fetc%252fpasswd", "C:%5cwindows"])
def test_an_absolute_path_is_refused(server, path):
    for method, body in (("PUT", b"evil"), ("GET", b""), ("DELETE", b"")):
        got = raw(server, request_text(server, f"{method} {ARTIFACTS}/{path} HTTP/1.1", "Connection: close", body=body))
        assert head_of(got)[0] == 400, got


def test_one_file_has_one_name(api, server, root):
    got = raw(server, request_text(server, f"PUT {ARTIFACTS}/{root}/./d//a HTTP/1.1", "Connection: close", body=b"1"))
    assert head_of(got)[0] in (200, 400)
    api.put(f"{root}/d/a", b"2")
    assert server.request("GET", f"{ARTIFACTS}/{root}/d/a").content == b"2"
    assert [f["path"] for f in server.call("GET", ARTIFACTS, params={"path": root + "/d"})["files"]] == ["a"]


@pytest.mark.parametrize("sent, kept", [("loss%step%17%timestamp%1795240092609", "loss%step%17%timestamp%1795240092609"), ("a%46b", "aFb"), ("a%2520b", "a b"),
                                        ("%99.png", "\ufffd.png"), ("50%", "50%"), ("%c3%a9", "é")])
def test_percent_signs_in_a_name_are_decoded_as_clients_decode_them(server, root, sent, kept):
    path = f"{ARTIFACTS}/{root}/{urllib.parse.quote(sent)}"
    assert server.request("PUT", path, data=b"1").status_code == 200
    assert server.request("GET", path).content == b"1"
    assert kept in [f["path"] for f in server.call("GET", ARTIFACTS, params={"path": root})["files"]]
    assert server.request("GET", f"{ARTIFACTS}/{root}/{urllib.parse.quote(kept)}").content == b"1"


def test_names_with_blanks_and_other_scripts_are_kept(api, server, root):
    for name in ("mit leer.txt", "файл.txt", "100%.txt", "a+b&c=d?.txt", "日本/語.bin", "..hidden", "a:b"):
        path = f"{ARTIFACTS}/{root}/{urllib.parse.quote(name)}"
        answer = server.request("PUT", path, data=name.encode())
        assert answer.status_code == 200, (name, answer.text)
        assert server.request("GET", path).content == name.encode()


def test_what_is_missing_is_404_and_a_folder_400(api, server, root):
    api.put(f"{root}/d/a", b"1")
    assert server.request("GET", f"{ARTIFACTS}/{root}/none").status_code == 404
    assert server.request("GET", f"{ARTIFACTS}/{root}/d").status_code == 400


def test_uploads_in_parts_are_declined_as_clients_understand(server, root):
    answer = server.request("POST", f"/api/2.0/mlflow-artifacts/mpu/create/{root}", {"path": "a", "num_parts": 2})
    assert answer.status_code == 501 and answer.json()["error_code"] == "NOT_IMPLEMENTED"
    assert answer.json()["message"].startswith("Multipart upload is not supported for the current artifact repository")


def send_file(server, path, size):
    """PUT of `size` bytes from a piece that is repeated; the digest."""
    piece, digest = os.urandom(MB), hashlib.sha256()
    s = socket.create_connection(("127.0.0.1", server.port), 60)
    s.sendall(request_text(server, f"PUT {path} HTTP/1.1", f"Content-Length: {size}"))
    peak = 0
    for _ in range(size // MB):
        s.sendall(piece)
        digest.update(piece)
        peak = max(peak, server.rss_bytes())
    status = int(s.makefile("rb").readline().split()[1])
    s.close()
    assert status == 200
    return digest.hexdigest(), peak


def test_large_files_pass_with_bounded_memory(fresh_server, fresh_api):
    size = 64 * MB
    fresh_api.put("0/warm/artifacts/x", os.urandom(2 * MB))
    before = fresh_server.rss_bytes()
    digest, peak = send_file(fresh_server, f"{ARTIFACTS}/0/r/artifacts/big.bin", size)
    got = hashlib.sha256()
    with fresh_server.request("GET", f"{ARTIFACTS}/0/r/artifacts/big.bin", stream=True) as answer:
        assert answer.headers["Content-Length"] == str(size)
        for piece in answer.iter_content(MB):
            got.update(piece)
            peak = max(peak, fresh_server.rss_bytes())
    assert got.hexdigest() == digest
    bound = (24 if is_sanitized() else 8) * MB
    assert peak - before < bound, f"memory rose by {(peak - before) / MB:.1f} MB for a file of 64 MB"


def test_a_client_that_disappears_leaves_nothing(fresh_server, fresh_api):
    for how in ("close", "reset"):
        s = socket.create_connection(("127.0.0.1", fresh_server.port), 10)
        s.sendall(request_text(fresh_server, f"PUT {ARTIFACTS}/0/r/artifacts/{how} HTTP/1.1", f"Content-Length: {10 * MB}") + os.urandom(3 * MB))
        if how == "reset":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        time.sleep(0.2)
        s.close()
    until = time.monotonic() + 60  # a client that only stops is given up after 30 s
    while blobs(fresh_server) and time.monotonic() < until:
        time.sleep(0.1)
    assert blobs(fresh_server) == []
    for how in ("close", "reset"):
        assert fresh_server.request("GET", f"{ARTIFACTS}/0/r/artifacts/{how}").status_code == 404
    assert fresh_server.query("SELECT count(*) FROM cairn.artifact") == "0"


def test_a_chunked_upload_cut_short_leaves_nothing(fresh_server):
    s = socket.create_connection(("127.0.0.1", fresh_server.port), 10)
    s.sendall(request_text(fresh_server, f"PUT {ARTIFACTS}/0/r/artifacts/cut HTTP/1.1", "Transfer-Encoding: chunked") + b"10000\r\n" + b"x" * 65536 + b"\r\n")
    time.sleep(0.2)
    s.close()
    time.sleep(0.5)
    assert fresh_server.request("GET", f"{ARTIFACTS}/0/r/artifacts/cut").status_code == 404


def test_a_download_given_up_does_not_hold_the_server(fresh_server, fresh_api):
    fresh_api.put("0/r/artifacts/big", os.urandom(20 * MB))
    for _ in range(40):
        s = socket.create_connection(("127.0.0.1", fresh_server.port), 10)
        s.sendall(request_text(fresh_server, f"GET {ARTIFACTS}/0/r/artifacts/big HTTP/1.1"))
        s.recv(1000)
        s.close()
    assert len(fresh_server.request("GET", f"{ARTIFACTS}/0/r/artifacts/big").content) == 20 * MB


def test_many_small_uploads_at_once_all_arrive(api, server, root):
    from concurrent.futures import ThreadPoolExecutor

    import requests

    auth = (server.user, server.password)

    def put(i):
        for _ in range(30):
            answer = requests.put(f"{server.url}{ARTIFACTS}/{root}/many/{i:03}", data=str(i).encode(), auth=auth, timeout=60)
            if answer.status_code not in (429, 503):
                return answer.status_code
            time.sleep(0.2)
        return answer.status_code

    with ThreadPoolExecutor(24) as pool:
        assert set(pool.map(put, range(120))) == {200}
    assert len(server.call("GET", ARTIFACTS, params={"path": root + "/many"})["files"]) == 120
