"""Webhooks, as the MLflow client makes them, and a receiver that checks what arrives the way its users do."""

import base64
import hashlib
import hmac
import http.server
import json
import queue
import threading

import pytest

from support.server import Server

pytestmark = pytest.mark.since(3)
SECRET = "seven-grey-geese-by-the-weir"


@pytest.fixture(scope="module")
def hooked(mlflow):
    """A client of a server that may send to loopback."""
    with Server("--auth", "off", "--outgoing-allow", "127.0.0.0/8") as server:
        yield mlflow.MlflowClient(tracking_uri=server.url, registry_uri=server.url)


@pytest.fixture
def receiver():
    got = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.put((self.headers, body))
            self.send_response(200 if self.path == "/hook" else 404)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"seen")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.url = got, f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def verified(receiver):
    """The next delivery, its signature checked."""
    headers, body = receiver.got.get(timeout=20)
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert hmac.compare_digest(headers["X-MLflow-Signature"], expected)
    return json.loads(body)


def test_a_webhook_hears_of_a_new_version_and_its_alias(hooked, receiver):
    webhook = hooked.create_webhook(
        name="deploys", url=receiver.url, secret=SECRET, description="for the deployer",
        events=["registered_model.created", "model_version.created", "model_version_tag.set", "model_version_alias.created", "model_version_alias.deleted"])
    try:
        assert webhook.status == "ACTIVE" and webhook.secret is None and webhook.description == "for the deployer"
        hooked.create_registered_model("wine", tags={"team": "cellar"}, description="red")
        version = hooked.create_model_version("wine", "s3://models/wine", description="first")
        hooked.set_model_version_tag("wine", version.version, "reviewed", "yes")
        hooked.set_registered_model_alias("wine", "champion", version.version)
        hooked.delete_registered_model_alias("wine", "champion")
        said = [verified(receiver) for _ in range(5)]
    finally:
        hooked.delete_webhook(webhook.webhook_id)
    assert [(s["entity"], s["action"]) for s in said] == [
        ("registered_model", "created"), ("model_version", "created"), ("model_version_tag", "set"), ("model_version_alias", "created"),
        ("model_version_alias", "deleted")]
    assert said[0]["data"] == {"name": "wine", "tags": {"team": "cellar"}, "description": "red"}
    assert said[1]["data"] == {"name": "wine", "version": "1", "source": "s3://models/wine", "run_id": None, "tags": {}, "description": "first"}
    assert said[3]["data"] == {"name": "wine", "alias": "champion", "version": "1"}


def test_what_arrives_has_the_shape_that_the_client_describes(hooked, receiver):
    from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
    from mlflow.webhooks.types import get_example_payload_for_event

    for event in (WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED), WebhookEvent(WebhookEntity.PROMPT_VERSION, WebhookAction.CREATED)):
        webhook = hooked.create_webhook(name="shape", url=receiver.url, events=[event], secret=SECRET)
        result = hooked.test_webhook(webhook.webhook_id)
        hooked.delete_webhook(webhook.webhook_id)
        assert result.success and result.response_status == 200 and result.response_body == "seen"
        said = verified(receiver)
        assert said["data"] == get_example_payload_for_event(event) and said["entity"] == event.entity.value


def test_prompts_are_told_as_prompts(mlflow, hooked, receiver):
    webhook = hooked.create_webhook(name="prompts", url=receiver.url, secret=SECRET, events=["prompt.created", "prompt_version.created", "prompt_alias.created"])
    try:
        hooked.register_prompt(name="greeting", template="Hello {{name}}!", commit_message="first")
        hooked.set_prompt_alias("greeting", "production", 1)
        said = [verified(receiver) for _ in range(3)]
    finally:
        hooked.delete_webhook(webhook.webhook_id)
    assert [s["entity"] for s in said] == ["prompt", "prompt_version", "prompt_alias"]
    assert said[1]["data"]["template"] == "Hello {{name}}!" and said[1]["data"]["description"] == "first"
    assert said[2]["data"] == {"name": "greeting", "alias": "production", "version": "1"}


def test_webhooks_are_listed_changed_and_deleted(hooked, receiver):
    made = [hooked.create_webhook(name=f"hook{n}", url=receiver.url, events=["registered_model.created"]).webhook_id for n in range(3)]
    first = hooked.list_webhooks(max_results=2)
    assert [w.webhook_id for w in first] == made[:0:-1]
    rest = hooked.list_webhooks(max_results=2, page_token=first.token)
    assert [w.webhook_id for w in rest] == made[:1] and not rest.token
    changed = hooked.update_webhook(made[0], name="renamed", status="DISABLED", events=["model_version.created"])
    assert (changed.name, str(changed.status), [str(e) for e in changed.events]) == ("renamed", "DISABLED", ["model_version.created"])
    assert hooked.get_webhook(made[0]).name == "renamed"
    for webhook_id in made:
        hooked.delete_webhook(webhook_id)
    assert list(hooked.list_webhooks()) == []


def test_refusals_are_what_the_client_expects(mlflow, hooked, receiver):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="not found") as missing:
        hooked.get_webhook("nowhere")
    assert missing.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    for name, url in (("bad name", receiver.url), ("x", "http://8.8.8.8/"), ("x", "https://10.0.0.1/")):
        with pytest.raises(MlflowException) as wrong:
            hooked.create_webhook(name=name, url=url, events=["registered_model.created"])
        assert wrong.value.error_code == "INVALID_PARAMETER_VALUE"
    webhook = hooked.create_webhook(name="x", url=receiver.url + "/elsewhere", events=["registered_model.created"])
    result = hooked.test_webhook(webhook.webhook_id)
    assert result.success is False and result.response_status == 404 and result.response_body == "seen" and not result.error_message
    hooked.delete_webhook(webhook.webhook_id)
