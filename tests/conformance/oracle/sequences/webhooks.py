"""Webhooks, with a receiver of their own that both servers deliver to."""

import http.server
import json
import queue
import re
import threading
import time

from ._common import AWKWARD, BIG, WRONG, name, wrong_types

CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
EVENTS = [CREATED, {"entity": "MODEL_VERSION", "action": "CREATED"}, {"entity": "MODEL_VERSION_TAG", "action": "SET"},
          {"entity": "MODEL_VERSION_TAG", "action": "DELETED"}, {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"},
          {"entity": "MODEL_VERSION_ALIAS", "action": "DELETED"}, {"entity": "PROMPT", "action": "CREATED"},
          {"entity": "PROMPT_VERSION", "action": "CREATED"}, {"entity": "PROMPT_TAG", "action": "SET"}, {"entity": "PROMPT_TAG", "action": "DELETED"},
          {"entity": "PROMPT_VERSION_TAG", "action": "SET"}, {"entity": "PROMPT_VERSION_TAG", "action": "DELETED"},
          {"entity": "PROMPT_ALIAS", "action": "CREATED"}, {"entity": "PROMPT_ALIAS", "action": "DELETED"}]
ENTITIES = sorted({e["entity"] for e in EVENTS})
ACTIONS = ["CREATED", "UPDATED", "DELETED", "SET"]
SOON_S = 15
SIGNED = ("x-mlflow-delivery-id", "x-mlflow-timestamp", "x-mlflow-signature", "content-type")


class _Receiver:
    """Answers as the path says: /204 with that status, /echo with what came, without what differs each time."""

    def __init__(self):
        outer = self
        self.got = {True: queue.Queue(), False: queue.Queue()}  # by: is it from MLflow

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                timed = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(\+00:00|Z)", body.pop("timestamp", "")) is not None
                came = {"headers": {h: self.headers[h].split(",")[0] if "signature" in h else self.headers[h] if h == "content-type" else ""
                                    for h in SIGNED if h in self.headers}, "timed": timed, "body": body}
                outer.got["python" in self.headers.get("User-Agent", "").lower()].put(came)
                status = int(self.path[1:]) if self.path[1:].isdigit() else 200
                text = json.dumps(came) if self.path == "/echo" else "" if status == 204 else "é, seen"
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/200")
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def empty(self):
        for side in self.got.values():
            while not side.empty():
                side.get()

    def both(self):
        """What came from both; None of one from which nothing came in time."""
        until = time.monotonic() + SOON_S
        for theirs in (True, False):
            try:
                yield self.got[theirs].get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                yield None


def _hook(p, url="https://example.com/hook", note="", **more):
    body = {"name": name("hook").replace(" ", "-"), "url": url, "events": [CREATED]} | more
    return p.post("webhooks", body, note=note)


def _new(p, *args, **more):
    return _hook(p, *args, **more).id("webhook.webhook_id")


def pages(p):
    for _ in range(3):
        _hook(p, status="DISABLED")
        time.sleep(0.002)  # the order is that of their times
    for most in (1, 2, 1000, 0, -1, 1001, *BIG):
        p.get("webhooks", max_results=most, note="one page")
    for page in ("x", "", "e30=", "é"):
        p.get("webhooks", page_token=page, note="page token")
    page = p.get("webhooks", max_results=1).page()
    for _ in range(2):
        page = p.get("webhooks", max_results=1, page_token=page).page()


def trial(p):
    made = []
    with _Receiver() as receiver:
        for path in ("/200", "/204", "/302", "/400", "/404", "/410", "/echo"):
            it = _new(p, receiver.url(path))
            made.append(it)
            p.post(f"webhooks/{it}/test", note=path)
        for secret in ("", "s" * 40):
            it = _new(p, receiver.url("/echo"), secret=secret, events=EVENTS)
            made.append(it)
            for event in EVENTS:
                p.post(f"webhooks/{it}/test", {"event": event}, note=f"{event['entity']} {event['action']}")
        for bad in ({"entity": "PROMPT", "action": "UPDATED"}, {"entity": "x", "action": "CREATED"}, {"entity": "PROMPT"}, {}, None, [], "x", 5):
            p.post(f"webhooks/{it}/test", {"event": bad}, note="event")
        p.patch(f"webhooks/{it}", {"status": "DISABLED"})
        p.post(f"webhooks/{it}/test", note="disabled")
        for it in made:  # nobody answers there any more
            p.delete(f"webhooks/{it}")


def deliveries(p):
    """What is sent when it happens, not when it is tried."""
    with _Receiver() as receiver:
        it = _new(p, receiver.url("/200"), events=EVENTS, secret="s" * 20)
        called, prompt = name("model"), name("prompt")
        mark = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
        steps = [lambda of=of, tags=tags: p.post("registered-models/create", {"name": of, "tags": [{"key": "a", "value": "é"}, *tags], "description": "d"}) for of, tags in ((called, []), (prompt, mark))]
        for of, tags in ((called, []), (prompt, mark + [{"key": "mlflow.prompt.text", "value": "Hi {{ you }}"}])):
            at = {"name": of, "version": "1"}
            steps += [lambda of=of, tags=tags: p.post("model-versions/create", {"name": of, "source": "prompt-template" if of == prompt else "s3://b/x", "tags": tags, "description": "v"}),
                      lambda at=at: p.post("model-versions/set-tag", at | {"key": "k", "value": "v"}),
                      lambda at=at: p.delete("model-versions/delete-tag", at | {"key": "k"}),
                      lambda at=at: p.post("registered-models/alias", at | {"alias": "best"}),
                      lambda of=of: p.delete("registered-models/alias", {"name": of, "alias": "best"})]
        steps += [lambda: p.post("registered-models/set-tag", {"name": prompt, "key": "k", "value": "v"}),
                  lambda: p.delete("registered-models/delete-tag", {"name": prompt, "key": "k"})]
        for number, step in enumerate(steps):
            receiver.empty()
            step()
            p.compare(f"delivery {number}", *receiver.both())
        p.delete(f"webhooks/{it}")


def creation(p):
    _hook(p, description="what for", secret="s" * 32, status="DISABLED", events=EVENTS)
    wrong_types(lambda b, note: p.post("webhooks", b, note=note),
                lambda: {"name": name("h").replace(" ", "-"), "url": "https://example.com/x", "events": [CREATED], "description": "d", "secret": "s", "status": "ACTIVE"})
    for text in AWKWARD + ["a", "a" * 63, "a" * 64, "a.b_c-d", "-a", "a-", ".a", "A9"]:
        _hook(p, name=text)
    for url in ("https://example.com", "https://example.com:8443/a?b=c#d", "https://user:pass@example.com/", "ftp://example.com", "example.com", "https://", "https:///x", "https://[::1", " ", "/x",
                "javascript:alert(1)", "https://exa mple.com/", "https://example.com/" + "x" * 480, "HTTPS://example.com"):
        _hook(p, url=url, note="address")
    for entity in ENTITIES + ["BUDGET_POLICY", "", "x", "registered_model", "ENTITY_UNSPECIFIED", 0, 1, 99, None]:
        for action in ACTIONS + ["EXCEEDED"] if entity in ENTITIES else ["CREATED"]:
            _hook(p, events=[{"entity": entity, "action": action}], note="events")
    for action in ("", "x", "created", "ACTION_UNSPECIFIED", 0, 1, 99, None):
        _hook(p, events=[{"entity": "PROMPT", "action": action}], note="events")
    for events in ([], [{}], [{"entity": "PROMPT"}], [CREATED, CREATED], [None], ["x"], {}, "x"):
        _hook(p, events=events, note="events, or one of them twice")
    for status in ("ACTIVE", "DISABLED", "STATUS_UNSPECIFIED", "active", "x", 0, 1, 2, 3):
        _hook(p, status=status, note="status")
    for n in (1000, 1001, 5000):
        _hook(p, description="d" * n, note=f"description {n}")
    taken = name("same").replace(" ", "-")
    _hook(p, name=taken)
    _hook(p, name=taken, note="the same name")


def changes(p):
    it = _new(p, description="d", secret="s", events=EVENTS[:2])
    at = f"webhooks/{it}"
    p.get(at)
    for body in ({}, {"name": "other"}, {"description": "e"}, {"description": ""}, {"url": "https://example.org/y"}, {"events": EVENTS[2:4]}, {"events": []}, {"secret": "t"}, {"secret": ""}, {"status": "DISABLED"},
                 {"status": "ACTIVE"}, {"name": ""}, {"name": "-bad"}, {"url": ""}, {"url": "ftp://x"}, {"events": [{"entity": "PROMPT", "action": "UPDATED"}]}, {"status": "x"}, {"status": "STATUS_UNSPECIFIED"}):
        p.patch(at, body, note=json.dumps(body))
        p.get(at)
    for field in ("name", "url", "events", "description", "secret", "status"):
        for bad in WRONG:
            it = _new(p)
            p.patch(f"webhooks/{it}", {field: bad}, note=f"type of {field}")
    p.delete(at)
    for send in (p.get, p.delete, p.patch):
        send(at, note="deleted")
    p.post(at + "/test", note="deleted")
    for bad in ("x", "0" * 32, "00000000-0000-4000-8000-000000000000", "%27", "a%20b", "%C3%A9"):
        for send in (p.get, p.delete, p.patch):
            send(f"webhooks/{bad}", note="unknown")
        p.post(f"webhooks/{bad}/test", note="unknown")
