"""Webhooks against a real receiver: what is sent, to whom, and what happens when it is not taken."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import queue
import re
import socket
import threading
import time
from datetime import datetime, timezone

import pytest

from support.api import Api
from support.server import Server, StartError

CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
VERSION = {"entity": "MODEL_VERSION", "action": "CREATED"}
LOOPBACK = ("--outgoing-allow", "127.0.0.0/8")
SOON_S = 20  # most of what is waited for comes within a second


class Receiver:
    """Answers POSTs on loopback by what `answers` says, 200 when that is empty, and keeps them."""

    def __init__(self, port=0):
        self.got = queue.Queue()
        self.answers = []  # (status, headers) or a function of the handler
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = outer.answers.pop(0) if outer.answers else (200, {})
                outer.got.put((self.path, dict(self.headers), body))
                if callable(answer):
                    return answer(self)
                self.send_response(answer[0])
                for name, value in answer[1].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"seen")

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self, timeout_s=SOON_S):
        """(headers, body as JSON, body) of the next delivery."""
        _, headers, body = self.got.get(timeout=timeout_s)
        return headers, json.loads(body), body

    def nothing(self, for_s=2.5):
        with pytest.raises(queue.Empty):
            self.got.get(timeout=for_s)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def hooks():
    with Server(*LOOPBACK) as server:
        yield Api(server)


@pytest.fixture
def receiver(hooks):
    it = Receiver()
    yield it
    for webhook in hooks.get("/webhooks").get("webhooks", []):
        hooks.delete(f"/webhooks/{webhook['webhook_id']}")
    it.close()


def make(api, url, *events, **more):
    events = [dict(zip(("entity", "action"), e.split("."))) for e in events] or [CREATED]
    return api.post("/webhooks", name="hook", url=url, events=events, **more)["webhook"]


def signature(secret, headers, body):
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def waiting(api):
    return int(api.server.query("SELECT count(*) FROM cairn.webhook_delivery WHERE given_up_unix_ms IS NULL"))


def given_up(api, webhook):
    """(attempts, status, error) of what was given up, oldest first."""
    rows = api.server.query("SELECT json_agg(json_build_array(attempts, last_status, last_error) ORDER BY delivery_id) FROM cairn.webhook_delivery d "
                            f"JOIN cairn.webhook w USING (webhook_id) WHERE w.uuid = '{webhook['webhook_id']}' AND given_up_unix_ms IS NOT NULL")
    return json.loads(rows or "[]")


def eventually(what, timeout_s=SOON_S):
    until = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)
    return what()


# ---- what is sent ----


def test_a_change_arrives_signed_within_a_second_or_two(hooks, receiver):
    make(hooks, receiver.url, secret="quiet otter ü")
    before = time.time()
    hooks.model("signed", description="d", tags=[{"key": "team", "value": "grapes"}])
    headers, said, body = receiver.next(3)
    assert said["entity"] == "registered_model" and said["action"] == "created" and set(said) == {"entity", "action", "timestamp", "data"}
    assert said["data"] == {"name": "signed", "tags": {"team": "grapes"}, "description": "d"}
    at = datetime.fromisoformat(said["timestamp"])
    assert at.utcoffset().total_seconds() == 0 and abs((datetime.now(timezone.utc) - at).total_seconds()) < 10
    assert headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", headers["X-MLflow-Delivery-Id"])
    assert before - 2 < int(headers["X-MLflow-Timestamp"]) <= time.time() + 1
    assert headers["X-MLflow-Signature"] == signature("quiet otter ü", headers, body)


def test_without_a_secret_nothing_is_signed(hooks, receiver):
    make(hooks, receiver.url)
    hooks.model()
    assert "X-MLflow-Signature" not in receiver.next()[0]


ALL = ["REGISTERED_MODEL.CREATED", "MODEL_VERSION.CREATED", "MODEL_VERSION_TAG.SET", "MODEL_VERSION_TAG.DELETED", "MODEL_VERSION_ALIAS.CREATED",
       "MODEL_VERSION_ALIAS.DELETED", "PROMPT.CREATED", "PROMPT_VERSION.CREATED", "PROMPT_TAG.SET", "PROMPT_TAG.DELETED", "PROMPT_VERSION_TAG.SET",
       "PROMPT_VERSION_TAG.DELETED", "PROMPT_ALIAS.CREATED", "PROMPT_ALIAS.DELETED"]


def story(api, name, tags, source):
    """Everything that can happen to a registered model and its version."""
    api.post("/registered-models/create", name=name, tags=tags)
    api.post("/registered-models/set-tag", name=name, key="a", value="b")
    api.delete("/registered-models/delete-tag", name=name, key="a")
    api.post("/model-versions/create", name=name, source=source, tags=[*tags, {"key": "mlflow.prompt.text", "value": "Hi {{you}}"}])
    api.post("/model-versions/set-tag", name=name, version="1", key="k", value="v")
    api.delete("/model-versions/delete-tag", name=name, version="1", key="k")
    api.post("/registered-models/alias", name=name, alias="champion", version="1")
    api.delete("/registered-models/alias", name=name, alias="champion")


def told(receiver, n):
    events = [receiver.next()[1] for _ in range(n)]
    return [(f"{e['entity']}.{e['action']}", e["data"]) for e in events]


def test_every_event_of_a_model_says_what_the_protocol_says(hooks, receiver):
    make(hooks, receiver.url, *ALL)
    story(hooks, "all of it", [], "s3://bucket/x")
    assert told(receiver, 6) == [
        ("registered_model.created", {"name": "all of it", "tags": {}, "description": ""}),
        ("model_version.created", {"name": "all of it", "version": "1", "source": "s3://bucket/x", "run_id": None,
                                   "tags": {"mlflow.prompt.text": "Hi {{you}}"}, "description": None}),
        ("model_version_tag.set", {"name": "all of it", "version": "1", "key": "k", "value": "v"}),
        ("model_version_tag.deleted", {"name": "all of it", "version": "1", "key": "k"}),
        ("model_version_alias.created", {"name": "all of it", "alias": "champion", "version": "1"}),
        ("model_version_alias.deleted", {"name": "all of it", "alias": "champion"}),
    ]
    receiver.nothing(1.5)


def test_every_event_of_a_prompt_says_what_the_protocol_says(hooks, receiver):
    make(hooks, receiver.url, *ALL)
    story(hooks, "a_prompt", [{"key": "mlflow.prompt.is_prompt", "value": "True"}, {"key": "_mlflow_prompt_type", "value": "text"}, {"key": "x", "value": "y"}],
          "prompt-template")
    assert told(receiver, 8) == [
        ("prompt.created", {"name": "a_prompt", "tags": {"x": "y"}, "description": ""}),
        ("prompt_tag.set", {"name": "a_prompt", "key": "a", "value": "b"}),
        ("prompt_tag.deleted", {"name": "a_prompt", "key": "a"}),
        ("prompt_version.created", {"name": "a_prompt", "version": "1", "template": "Hi {{you}}", "tags": {"x": "y"}, "description": None}),
        ("prompt_version_tag.set", {"name": "a_prompt", "version": "1", "key": "k", "value": "v"}),
        ("prompt_version_tag.deleted", {"name": "a_prompt", "version": "1", "key": "k"}),
        ("prompt_alias.created", {"name": "a_prompt", "alias": "champion", "version": "1"}),
        ("prompt_alias.deleted", {"name": "a_prompt", "alias": "champion"}),
    ]


def test_each_hears_only_what_it_asked_for_and_only_from_then_on(hooks, receiver):
    hooks.model("before")
    make(hooks, receiver.url + "/models")
    make(hooks, receiver.url + "/aliases", "MODEL_VERSION_ALIAS.CREATED")
    name = hooks.model("after")
    hooks.post("/model-versions/create", name=name, source="s3://bucket/x")
    hooks.post("/registered-models/alias", name=name, alias="champion", version="1")
    got = sorted((path, json.loads(body)["data"]["name"]) for path, _, body in (receiver.got.get(timeout=SOON_S) for _ in range(2)))
    assert got == [("/hook/aliases", "after"), ("/hook/models", "after")]
    receiver.nothing(1.5)


def test_what_nobody_wants_does_not_pile_up(hooks, receiver):
    hooks.model()
    eventually(lambda: hooks.server.query("SELECT count(*) FROM cairn.outbox") == "0")
    assert waiting(hooks) == 0


def test_a_change_that_is_refused_is_told_to_nobody(hooks, receiver):
    name = hooks.model()
    make(hooks, receiver.url, *ALL)
    hooks.refused("POST", "/registered-models/create", {"name": name}, code="RESOURCE_ALREADY_EXISTS")
    hooks.refused("POST", "/registered-models/alias", {"name": name, "alias": "champion", "version": "9"}, 404, "RESOURCE_DOES_NOT_EXIST")
    receiver.nothing()


# ---- what is not taken ----


def test_a_receiver_that_fails_is_tried_again_with_the_same_id(hooks, receiver):
    receiver.answers = [(500, {}), (429, {}), (200, {})]
    make(hooks, receiver.url, secret="s")
    hooks.model("again")
    got = [receiver.next() for _ in range(3)]
    assert len({h["X-MLflow-Delivery-Id"] for h, _, _ in got}) == 1
    assert len({body for _, _, body in got}) == 1
    assert int(got[2][0]["X-MLflow-Timestamp"]) > int(got[0][0]["X-MLflow-Timestamp"])
    for headers, _, body in got:
        assert headers["X-MLflow-Signature"] == signature("s", headers, body)
    eventually(lambda: waiting(hooks) == 0)
    receiver.nothing(1.5)


def test_a_receiver_may_ask_for_more_time(hooks, receiver):
    receiver.answers = [(503, {"Retry-After": "4"})]
    make(hooks, receiver.url)
    hooks.model()
    receiver.next()
    began = time.monotonic()
    receiver.next()
    assert time.monotonic() - began > 3.5


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_an_answer_that_says_no_is_the_last(hooks, receiver, status):
    receiver.answers = [(status, {})]
    webhook = make(hooks, receiver.url)
    hooks.model()
    receiver.next()
    assert eventually(lambda: given_up(hooks, webhook)) == [[1, status, f"it answered {status}: seen"]]
    receiver.nothing()


def test_a_redirect_is_not_followed(hooks, receiver):
    inner = Receiver()
    with contextlib.closing(inner):
        receiver.answers = [(status, {"Location": inner.url}) for status in (302, 307)]
        webhook = make(hooks, receiver.url)
        for n in (1, 2):
            hooks.model()
            receiver.next()
            eventually(lambda: len(given_up(hooks, webhook)) == n)
        assert [row[2] for row in given_up(hooks, webhook)] == ["it answered 302, and redirects are not followed",
                                                               "it answered 307, and redirects are not followed"]
        inner.nothing(1)


def test_a_receiver_that_is_away_gets_everything_when_it_is_back(hooks, receiver):
    away = Receiver()
    url, port = away.url, away.port
    away.close()
    make(hooks, url)
    names = {hooks.model(f"while away {n}") for n in range(3)}
    eventually(lambda: hooks.server.query("SELECT min(attempts) FROM cairn.webhook_delivery WHERE last_error IS NOT NULL") == "1")
    back = Receiver(port)
    with contextlib.closing(back):
        assert {back.next()[1]["data"]["name"] for _ in names} == names


def test_a_slow_receiver_is_in_nobodys_way(hooks, receiver):
    slow = Receiver()
    let_go = threading.Event()

    def hang(handler):
        let_go.wait(60)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with contextlib.closing(slow):
        slow.answers = [hang]
        make(hooks, slow.url)
        make(hooks, receiver.url)
        began = time.monotonic()
        names = [hooks.model() for _ in range(3)]
        assert time.monotonic() - began < 2
        assert [receiver.next()[1]["data"]["name"] for _ in names] == names
        assert slow.next()[1]["data"]["name"] == names[0] and slow.got.empty()
        let_go.set()
        assert [slow.next()[1]["data"]["name"] for _ in names[1:]] == names[1:]


def test_many_events_arrive_each_once_and_in_order(hooks, receiver):
    make(hooks, receiver.url)
    names = [hooks.model(f"many {n:03}") for n in range(100)]
    assert [receiver.next()[1]["data"]["name"] for _ in names] == names
    receiver.nothing(1)


def test_disabling_and_deleting_end_what_was_waiting(hooks, receiver):
    for end in (lambda w: hooks.patch(f"/webhooks/{w['webhook_id']}", status="DISABLED"), lambda w: hooks.delete(f"/webhooks/{w['webhook_id']}")):
        receiver.answers = [(503, {"Retry-After": "2"})]
        webhook = make(hooks, receiver.url)
        hooks.model()
        receiver.next()
        end(webhook)
        hooks.model()
        eventually(lambda: waiting(hooks) == 0)
        receiver.nothing(3.5)


def test_what_was_not_told_is_told_after_a_restart():
    with Server(*LOOPBACK) as server:
        api = Api(server)
        closed = Receiver()
        url, port = closed.url, closed.port
        closed.close()
        make(api, url, secret="kept")
        name = api.model()
        eventually(lambda: api.server.query("SELECT count(*) FROM cairn.webhook_delivery WHERE attempts > 0") == "1")
        server.kill()
        server.start()
        back = Receiver(port)
        with contextlib.closing(back):
            headers, said, body = back.next(30)
            assert said["data"]["name"] == name and headers["X-MLflow-Signature"] == signature("kept", headers, body)


def test_a_hanging_receiver_does_not_keep_the_server_from_stopping():
    with Server(*LOOPBACK) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        api = Api(server)
        make(api, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        api.model()
        connection, _ = silent.accept()
        with connection:
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 9
        server.start()
        assert server.query("SELECT attempts FROM cairn.webhook_delivery") in ("0", "1")


# ---- where to ----


def test_addresses_that_are_not_public_are_refused_by_default(api):
    for url in ("https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[::1]/",
                "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://127.1/", "https://2130706433/", "https://0x7f.1/", "https://0.0.0.0/",
                "https://100.64.0.1/", "https://192.168.1.1:8443/x", "https://[64:ff9b::7f00:1]/"):
        assert "must not resolve to a non-public IP address" in api.refused("POST", "/webhooks", {"name": "h", "url": url, "events": [CREATED]}), url
    for url in ("http://127.0.0.1/", "http://8.8.8.8/", "ftp://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/", "hook"):
        assert "Invalid webhook URL scheme" in api.refused("POST", "/webhooks", {"name": "h", "url": url, "events": [CREATED]}), url
    for url in ("https://", "https:///x", "https://a b/"):
        assert "Invalid webhook URL" in api.refused("POST", "/webhooks", {"name": "h", "url": url, "events": [CREATED]}), url
    assert "Webhook URL cannot be empty or just whitespace" in api.refused("POST", "/webhooks", {"name": "h", "url": "  ", "events": [CREATED]})


def test_only_what_is_listed_is_reached(hooks):
    assert make(hooks, "http://127.0.0.1:9/")["url"] == "http://127.0.0.1:9/"
    assert make(hooks, "https://8.8.8.8/")["url"] == "https://8.8.8.8/"
    for url in ("https://10.0.0.1/", "https://[::1]/", "http://8.8.8.8/"):
        hooks.refused("POST", "/webhooks", {"name": "h", "url": url, "events": [CREATED]})
    for webhook in hooks.get("/webhooks")["webhooks"]:
        hooks.delete(f"/webhooks/{webhook['webhook_id']}")


def test_an_address_that_is_no_longer_listed_gets_no_connection():
    with Server(*LOOPBACK) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        api = Api(server)
        webhook = make(api, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert server.stop() == 0
        server.settings = []
        server.start()
        api.model()
        [[attempts, status, error]] = eventually(lambda: given_up(api, webhook))
        assert (attempts, status) == (1, None) and "127.0.0.1 is not public" in error
        tried = api.post(f"/webhooks/{webhook['webhook_id']}/test")["result"]
        assert tried["success"] is False and "127.0.0.1 is not public" in tried["error_message"] and "response_status" not in tried
        silent.settimeout(0.5)
        with pytest.raises(TimeoutError):
            silent.accept()


def test_a_wrong_network_is_a_wrong_setting():
    with pytest.raises(StartError) as refused:
        Server("--outgoing-allow", "127.0.0.1/8")
    assert refused.value.code == 2 and "outgoing-allow" in str(refused.value)


# ---- secrets ----


def test_a_secret_is_sealed_and_never_told(hooks, receiver):
    webhook = make(hooks, receiver.url, secret="brisk-heron-over-fjord")
    path = f"/webhooks/{webhook['webhook_id']}"
    answers = [webhook, hooks.get(path), hooks.get("/webhooks"), hooks.patch(path, name="other"), hooks.post(path + "/test")]
    assert "heron" not in json.dumps(answers) and '"secret"' not in json.dumps(answers)
    row = hooks.server.query(f"SELECT encode(secret, 'escape') || secret_key_id FROM cairn.webhook WHERE uuid = '{webhook['webhook_id']}'")
    assert "heron" not in row and row.strip()
    assert "heron" not in hooks.server.log()
    key = hooks.server.data / "secret-key"
    assert key.stat().st_mode & 0o777 == 0o600 and re.fullmatch("[0-9a-f]{64}\n", key.read_text())
    receiver.next()
    hooks.patch(path, secret="another")
    hooks.model()
    headers, _, body = receiver.next()
    assert headers["X-MLflow-Signature"] == signature("another", headers, body)
    hooks.patch(path, secret="")
    hooks.model()
    assert "X-MLflow-Signature" not in receiver.next()[0]
    hooks.delete(path)
    assert hooks.server.query(f"SELECT secret IS NULL FROM cairn.webhook WHERE uuid = '{webhook['webhook_id']}'") == "t"


def test_a_secret_of_another_key_is_not_guessed(tmp_path):
    key = tmp_path / "key"
    with Server(*LOOPBACK) as server, contextlib.closing(Receiver()) as receiver:
        api = Api(server)
        webhook = make(api, receiver.url, secret="s")
        assert server.stop() == 0
        key.write_text("00" * 32 + "\n")
        key.chmod(0o600)
        server.settings = [*LOOPBACK, "--secret-key-file", str(key)]
        server.start()
        tried = api.post(f"/webhooks/{webhook['webhook_id']}/test")["result"]
        assert tried["success"] is False and "--secret-key-file" in tried["error_message"]
        api.model()
        receiver.nothing()
        api.patch(f"/webhooks/{webhook['webhook_id']}", secret="new")
        assert api.post(f"/webhooks/{webhook['webhook_id']}/test")["result"]["success"] is True


@pytest.mark.parametrize("text, mode, sentence", [("00" * 31, 0o600, "64 hex digits"), ("00" * 33, 0o600, "64 hex digits"), ("", 0o600, "64 hex digits"),
                                                  ("00" * 32, 0o644, "chmod 600"), (None, 0, "cannot be read")])
def test_a_wrong_key_file_is_said(tmp_path, text, mode, sentence):
    key = tmp_path / "key"
    if text is not None:
        key.write_text(text)
        key.chmod(mode)
    with pytest.raises(StartError) as refused:
        Server("--secret-key-file", str(key))
    assert sentence in str(refused.value)


# ---- the routes ----


def test_a_webhook_is_what_was_asked_for(hooks, receiver):
    made = make(hooks, receiver.url, "MODEL_VERSION.CREATED", "REGISTERED_MODEL.CREATED", "MODEL_VERSION.CREATED", description="d")
    assert made == {"webhook_id": made["webhook_id"], "name": "hook", "description": "d", "url": receiver.url, "events": [VERSION, CREATED],
                    "status": "ACTIVE", "creation_timestamp": made["creation_timestamp"], "last_updated_timestamp": made["creation_timestamp"]}
    path = f"/webhooks/{made['webhook_id']}"
    assert hooks.get(path)["webhook"] == made
    assert hooks.server.call("GET", f"/ajax-api/2.0/mlflow{path}")["webhook"] == made
    changed = hooks.patch(path, name="n2", events=[CREATED], status="DISABLED", description="")["webhook"]
    assert (changed["name"], changed["events"], changed["status"], changed["url"]) == ("n2", [CREATED], "DISABLED", receiver.url)
    assert "description" not in changed and changed["last_updated_timestamp"] >= made["last_updated_timestamp"]
    assert hooks.patch(path, name="", url="", events=[])["webhook"]["name"] == "n2"
    assert hooks.patch(path, status=1, events=[{"entity": 2, "action": "1"}])["webhook"]["events"] == [VERSION]
    assert hooks.delete(path) == {}
    for method, more in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        message = hooks.refused(method, path, more, 404, "RESOURCE_DOES_NOT_EXIST")
        assert message == f"Webhook with ID {made['webhook_id']} not found."
    hooks.refused("POST", path + "/test", {}, 404, "RESOURCE_DOES_NOT_EXIST")


def test_pages_are_walked_from_the_newest(hooks, receiver):
    made = [make(hooks, receiver.url)["webhook_id"] for _ in range(5)][::-1]
    seen, token, pages = [], None, 0
    while True:
        page = hooks.get("/webhooks", max_results=2, **({"page_token": token} if token else {}))
        seen += [w["webhook_id"] for w in page["webhooks"]]
        pages += 1
        token = page.get("next_page_token")
        if not token:
            break
        hooks.delete(f"/webhooks/{page['webhooks'][0]['webhook_id']}")  # moves nothing
    assert seen == made and pages == 3
    for wrong in (1001, -1):
        assert hooks.refused("GET", "/webhooks", params={"max_results": wrong}) == "max_results must be between 1 and 1000."
    hooks.refused("GET", "/webhooks", params={"page_token": "nonsense"})


@pytest.mark.parametrize("change, sentence", [
    ({"name": ""}, "Missing value for required parameter 'name'"),
    ({"url": ""}, "Missing value for required parameter 'url'"),
    ({"events": []}, "Missing value for required parameter 'events'"),
    ({"events": None}, "Missing value for required parameter 'events'"),
    ({"events": [{"entity": "MODEL_VERSION"}]}, "action"),
    ({"events": [{"entity": "NOBODY", "action": "CREATED"}]}, "entity"),
    ({"events": [{"entity": 0, "action": 1}]}, "entity"),
    ({"events": [{"entity": "MODEL_VERSION", "action": "SET"}]}, "Invalid action 'SET' for entity 'MODEL_VERSION'. Valid actions are: CREATED"),
    ({"events": ["MODEL_VERSION.CREATED"]}, "events"),
    ({"status": "SLEEPING"}, "status"),
    ({"name": "-x"}, "is invalid"), ({"name": "x."}, "is invalid"), ({"name": "a b"}, "is invalid"), ({"name": "ü"}, "is invalid"),
    ({"name": "x" * 64}, "is invalid"),
    ({"description": "x" * 5001}, "description"),
    ({"secret": "x" * 1001}, "secret"),
    ({"url": "https://8.8.8.8/" + "x" * 2000}, "url"),
])
def test_what_is_wrong_is_said(hooks, change, sentence):
    body = {"name": "x" * 63, "url": "https://8.8.8.8/", "events": [CREATED], **change}
    assert sentence in hooks.refused("POST", "/webhooks", body)


def test_a_webhook_is_tried_out_by_an_example(hooks, receiver):
    webhook = make(hooks, receiver.url, "MODEL_VERSION.CREATED", secret="s")
    path = f"/webhooks/{webhook['webhook_id']}/test"
    assert hooks.post(path)["result"] == {"success": True, "response_status": 200, "response_body": "seen"}
    headers, said, body = receiver.next()
    assert said["data"] == {"name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678",
                            "tags": {"example_key": "example_value"}, "description": "An example model version"}
    assert headers["X-MLflow-Signature"] == signature("s", headers, body)
    assert hooks.post(path, event={"entity": "PROMPT", "action": "CREATED"})["result"]["success"] is True
    assert receiver.next()[1]["entity"] == "prompt"
    receiver.answers = [(418, {}), (307, {"Location": receiver.url})]
    assert hooks.post(path)["result"] == {"success": False, "response_status": 418, "response_body": "seen"}
    redirected = hooks.post(path)["result"]
    assert redirected["success"] is False and redirected["response_status"] == 307 and "redirects" in redirected["error_message"]
    hooks.refused("POST", path, {"event": {"entity": "PROMPT", "action": "UPDATED"}})


def test_webhooks_need_somebody_who_signed_in(hooks):
    answer = hooks.server.request("GET", "/api/2.0/mlflow/webhooks", auth=("nobody", "nothing"))
    assert answer.status_code == 401
