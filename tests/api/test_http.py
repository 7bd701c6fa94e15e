"""What every request gets, whatever it asks for."""

import base64
import json
import socket

import pytest

from support.api import MLFLOW, head_of, raw
from support.server import Server


def basic(server):
    return base64.b64encode(f"{server.user}:{server.password}".encode()).decode()


def request_text(server, line, *headers, body=b""):
    lines = [line, "Host: 127.0.0.1", f"Authorization: Basic {basic(server)}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def test_health_and_version_need_no_sign_in(server):
    for path, text in (("/health", "OK"), ("/version", None)):
        answer = server.request("GET", path, auth=("nobody", "nothing"))
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert text is None or answer.text.strip() == text
    major, minor = (int(x) for x in answer.text.split(".")[:2])
    assert (2, 0) < (major, minor) < (3, 4)  # from 3.4 on clients would send spans another way


@pytest.mark.parametrize("method,path", [
    ("GET", "/api/2.0/mlflow/no/such/route"), ("POST", "/api/2.0/mlflow/no/such/route"), ("POST", "/api/3.0/mlflow/traces"),
    ("POST", "/v1/traces"), ("PATCH", "/api/9.9/x"), ("GET", "/api/v1/nothing"), ("DELETE", "/api/2.0/mlflow/traces/1"),
])
def test_an_unknown_route_is_404_in_plain_text(server, method, path):
    answer = server.request(method, path, {} if method != "GET" else None)
    assert answer.status_code == 404, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_an_unknown_path_outside_of_the_api_is_the_web_ui(server):
    answer = server.request("GET", "/experiments/1/runs", auth=("nobody", "nothing"))
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert "default-src" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("method,path,allowed", [
    ("GET", MLFLOW + "/runs/create", {"POST"}), ("DELETE", MLFLOW + "/runs/get", {"GET", "HEAD"}),
    ("PUT", "/api/v1/tokens", {"GET", "HEAD", "POST"}), ("POST", "/health", {"GET", "HEAD"}),
    ("GET", MLFLOW + "/registered-models/delete", {"DELETE"}),
])
def test_a_known_path_with_another_method_is_405_with_allow(server, method, path, allowed):
    answer = server.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) - {"OPTIONS"} == allowed
    assert answer.json()["error_code"]


def test_head_answers_as_get_without_a_body(server):
    got = raw(server, request_text(server, "HEAD /api/v1/me HTTP/1.1", "Connection: close"))
    status, headers, body = head_of(got)
    assert status == 200 and body == b""
    assert headers["content-type"] == "application/json" and int(headers["content-length"]) > 10


def test_a_connection_is_kept_for_many_requests(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as s:
        file = s.makefile("rb")
        for i in range(50):
            body = json.dumps({"max_results": 1}).encode()
            s.sendall(request_text(server, f"POST {MLFLOW}/experiments/search HTTP/1.1", "Content-Type: application/json", body=body))
            status = int(file.readline().split()[1])
            length = 0
            while (line := file.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                assert name.lower() != b"connection" or value.strip().lower() != b"close"
                length = int(value) if name.lower() == b"content-length" else length
            assert status == 200 and json.loads(file.read(length))["experiments"]


def test_pipelined_requests_are_answered_in_order(server):
    paths = ["/version", "/health", "/version", "/api/v1/me", "/health"]
    data = b"".join(request_text(server, f"GET {p} HTTP/1.1", *(["Connection: close"] if i == 4 else [])) for i, p in enumerate(paths))
    got = raw(server, data)
    assert got.count(b"HTTP/1.1 200") == 5
    assert got.index(b'"username"') > got.rindex(b"3.") or got.count(b"OK") >= 2


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1", ""])
def test_a_foreign_host_name_is_refused(server, host):
    got = raw(server, f"GET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {basic(server)}\r\n\r\n".encode())
    status, _, body = head_of(got)
    assert status in (400, 403)
    assert b"user" not in body.replace(b"username", b"") or status != 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:123", "[::1]:5000", "127.9.9.9"])
def test_loopback_names_are_served(server, host):
    got = raw(server, f"GET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Basic {basic(server)}\r\n\r\n".encode())
    assert head_of(got)[0] == 200


@pytest.mark.parametrize("what,data", [
    ("no host", b"GET /health HTTP/1.1\r\n\r\n"),
    ("two hosts", b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
    ("two lengths", b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}"),
    ("length and chunks", b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("blank before the colon", b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length : 3\r\n\r\n{} "),
    ("absolute target", b"GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("unknown coding", b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("folded header", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n 2\r\n\r\n"),
])
def test_a_request_that_two_servers_could_read_differently_is_refused(server, what, data):
    got = raw(server, data + b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 4"), got[:200]
    assert got.count(b"HTTP/1.1 ") == 1, "a hidden second request was answered"


def test_a_body_longer_than_its_route_takes_is_413(server, api):
    answer = server.request("POST", MLFLOW + "/runs/create", data=b'{"experiment_id":"' + b"1" * 5_000_000 + b'"}',
                            headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["error_code"]
    assert server.request("GET", "/health").text.strip() == "OK"


def test_a_length_beyond_all_bounds_is_refused_at_once(server):
    data = request_text(server, f"POST {MLFLOW}/runs/create HTTP/1.1", "Content-Type: application/json", "Content-Length: 18446744073709551615")
    assert head_of(raw(server, data))[0] in (400, 413)
    data = request_text(server, f"POST {MLFLOW}/runs/create HTTP/1.1", "Content-Type: application/json", "Content-Length: 999999999999")
    assert head_of(raw(server, data))[0] == 413


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "nul", "{'a':1}", '{"a":1,}', '{"a":1} x', '{"a":"\\ud800"}', '{"a":"\x01"}', "\xff", "{" * 5000,
                                  '{"experiment_id":"0","experiment_id":"1"}'])
def test_malformed_json_is_refused_with_a_sentence(server, body):
    for path in ("/runs/create", "/runs/log-batch", "/runs/log-metric"):
        answer = server.request("POST", MLFLOW + path, data=body.encode("latin-1"), headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, (path, answer.text)
        assert answer.json()["error_code"] in ("BAD_REQUEST", "INVALID_PARAMETER_VALUE") and answer.json()["message"]


def test_json_must_be_declared_as_json(server):
    body = b'{"name":"not json"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = server.request("POST", MLFLOW + "/experiments/create", data=body, headers={"Content-Type": kind})
        assert answer.status_code in (400, 415) and answer.json()["error_code"]
    answer = server.request("POST", MLFLOW + "/experiments/create", data=body, headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path,body", [
    ("/experiments/create", {"name": 5}), ("/experiments/create", {"name": None}), ("/experiments/create", {}),
    ("/experiments/create", {"name": "x", "tags": "y"}), ("/experiments/create", {"name": "x", "tags": [5]}),
    ("/experiments/search", {"max_results": "many"}), ("/experiments/search", {"max_results": 1.5}),
    ("/experiments/search", {"max_results": 10, "view_type": "SOME"}),
    ("/runs/create", {"experiment_id": ["0"]}), ("/runs/create", {"experiment_id": "0", "start_time": "soon"}),
    ("/runs/create", {"experiment_id": ""}), ("/runs/create", {}), ("/runs/create", {"experiment_id": "abc"}),
    ("/runs/search", {"experiment_ids": "0"}), ("/runs/search", {"experiment_ids": ["0"], "max_results": 50001}),
    ("/runs/search", {"experiment_ids": ["0"], "filter": "metrics.a >"}), ("/runs/search", {"experiment_ids": ["0"], "order_by": ["a b c"]}),
    ("/runs/search", {"experiment_ids": ["0"], "page_token": "???"}),
    ("/registered-models/create", {"name": ""}), ("/registered-models/create", {"name": "a/b"}),
])
def test_wrong_types_and_values_are_400(api, path, body):
    api.refused("POST", path, body)


def test_the_missing_parameter_is_named(api):
    assert "Missing value for required parameter 'name'" in api.refused("POST", "/experiments/create", {})
    assert "Missing value for required parameter 'run_id'" in api.refused("GET", "/runs/get")


def test_numbers_may_come_as_text_and_text_escaped(api):
    run = api.run(start_time="1700000000123")
    assert api.get_run(run)["info"]["start_time"] == 1700000000123
    api.post("/runs/log-metric", run_id=run, key="m", value="1.5", timestamp="1", step="2")
    api.post("/runs/log-metric", run_uuid=run, key="n", value="NaN", timestamp=1)
    assert api.history(run, "m") == [{"key": "m", "value": 1.5, "timestamp": 1, "step": 2}]


def test_an_upload_in_chunks_is_taken(server, api):
    experiment = api.experiment()
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/r/artifacts/c.bin"
    answer = server.request("PUT", path, data=iter([b"a" * 10, b"b" * 100_000, b""]))
    assert answer.status_code == 200
    answer = server.request("PUT", path.replace("c.bin", "empty"), data=iter([]))
    assert answer.status_code == 200
    assert server.request("GET", path).content == b"a" * 10 + b"b" * 100_000
    assert server.request("GET", path.replace("c.bin", "empty")).content == b""


def test_every_answer_has_an_id_and_is_not_sniffed(server):
    a, b = server.request("GET", "/api/v1/me"), server.request("GET", "/api/v1/me")
    assert a.headers["X-Request-Id"] != b.headers["X-Request-Id"]
    assert a.headers["X-Content-Type-Options"] == "nosniff"


def own_address():
    """One of this machine's that is not loopback's; None when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        return s.getsockname()[0]


def test_one_address_cannot_take_all_connections():
    address = own_address()
    if address is None or address.startswith("127."):
        pytest.skip("this machine has no address but loopback's")
    with Server("--connections-per-address", "4", listen="0.0.0.0:0") as server:
        held = [socket.create_connection((address, server.port), timeout=20) for _ in range(4)]
        for s in held:  # each is a connection of the server's by now
            s.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert s.recv(4096).startswith(b"HTTP/1.1 200")
        with socket.create_connection((address, server.port), timeout=20) as more:
            assert more.recv(1) == b""
        for s in held:
            s.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert s.recv(4096).startswith(b"HTTP/1.1 200")
            s.close()
        local = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(8)]
        for s in local:
            s.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert s.recv(4096).startswith(b"HTTP/1.1 200")
            s.close()
        assert f"address={address}" in server.log()


@pytest.mark.parametrize("where", ["line", "header"])
def test_a_request_of_any_length_is_answered(server, where):
    """libmicrohttpd has 16 KiB for a request and the head of its answer: just below that there was none."""
    for n in range(15000, 16600, 40):
        line, header = ("x" * n, "") if where == "line" else ("x", "X: " + "x" * n + "\r\n")
        answer = raw(server, f"GET /api/2.0/mlflow/runs/get?run_id={line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}Connection: close\r\n\r\n".encode())
        assert head_of(answer)[0] in (401, 414, 431), (n, answer[:100])
