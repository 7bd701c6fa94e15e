"""
One request to two servers, and what differs in the answers.

Ids that the servers made are named by tokens: Answer.id("run.info.run_id") gives one, to be put into any later path,
query or body; each server is sent its own id for it. In answers, ids are compared by a mapping that must stay one to one,
times by the request during which they were set, page tokens by being there.
"""

import http.client
import json
import re
import time
import urllib.parse
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

TIMEOUT_S = 30
API = "/api/2.0/mlflow/"

TIMES = {"creation_time", "last_update_time", "creation_timestamp", "last_updated_timestamp", "creation_timestamp_ms",
         "last_updated_timestamp_ms", "start_time", "end_time", "timestamp", "utc_time_created"}
IDS = {"run_id", "run_uuid", "experiment_id", "model_id", "source_run_id", "webhook_id"}
UNORDERED = {"tags": "key", "params": "key", "aliases": "alias", "metrics": "key", "dataset_inputs": None,
             "model_inputs": None, "model_outputs": None, "events": None, "latest_versions": "current_stage", "model_versions": "current_stage"}
HEADERS = ("content-type", "content-disposition", "x-content-type-options")
MADE_NAME = re.compile(r"[a-z]+-[a-z]+-\d+$")
ID_IN_TEXT = re.compile(r"\bm-[0-9a-f]{32}\b|\b[0-9a-f]{32}\b")
FOLDER = re.compile(r"^mlflow-artifacts:/+(\d+)")


@dataclass
class Reply:
    """What one server said. status 0: nothing, within the time."""

    status: int
    headers: dict = field(default_factory=dict)
    raw: bytes = b""
    began_ms: int = 0
    ended_ms: int = 0

    @property
    def json(self):
        if not hasattr(self, "_json"):
            try:
                self._json = json.loads(self.raw)
            except ValueError:
                self._json = None
        return self._json

    @property
    def code(self):
        return self.json.get("error_code") if isinstance(self.json, dict) else None

    @property
    def message(self):
        return self.json.get("message", "") if isinstance(self.json, dict) else self.raw[:300].decode(errors="replace")

    def __str__(self):
        text = json.dumps(self.json, ensure_ascii=False) if self.json is not None else self.raw[:800].decode(errors="replace")
        return f"{self.status} {text[:800]}"


class Side:
    """One server: its connection, and its value of every token."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.connection = None
        self.began, self.ended = [], []

    def send(self, method, path, body, headers):
        began = time.time()
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                raw = answer.read()
                reply = Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, raw)
                break
            except TimeoutError:
                self.close()
                reply = Reply(0, raw=b"no answer")
                break
            except (http.client.HTTPException, OSError) as e:
                self.close()
                reply = Reply(0, raw=repr(e).encode())
        reply.began_ms, reply.ended_ms = int(began * 1000), int(time.time() * 1000)
        self.began.append(reply.began_ms)
        self.ended.append(reply.ended_ms)
        return reply

    def requests_at(self, unix_ms):
        """The numbers of the requests during which it was this time: -1 before the first, None between two."""
        first, last = bisect_left(self.ended, unix_ms), bisect_right(self.began, unix_ms)
        return range(first, last) if first < last else range(-1, 0) if last == 0 else None

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


@dataclass
class Exchange:
    sequence: str
    method: str
    path: str
    body: object
    theirs: Reply
    ours: Reply
    note: str = ""
    apart: bool = False  # it is about a run or model of which one server has taken a change that the other refused
    differences: list = field(default_factory=list)

    @property
    def operation(self):
        return f"{self.method} {self.path.split('?')[0]}"

    def __str__(self):
        body = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
        body = body if len(body) < 400 else f"{body[:200]} … {body[-150:]}"
        text = f"[{self.sequence}] {self.note + ': ' if self.note else ''}{self.method} {self.path}  {body}\n"
        return text + f"  mlflow {self.theirs}\n  cairn  {self.ours}\n" + "".join(f"  - {d}\n" for d in self.differences)


class Answer:
    def __init__(self, pair, exchange):
        self.pair, self.exchange = pair, exchange

    @property
    def both_ok(self):
        return self.exchange.theirs.status == 200 and self.exchange.ours.status == 200

    def id(self, path):
        """A token for what stands at run.info.run_id in both answers."""
        name = self.pair.token(dig(self.exchange.theirs.json, path), dig(self.exchange.ours.json, path))
        if path.endswith(("run_id", "model_id", "webhook_id")):
            self.pair.own.add(name)
        return name

    def page(self):
        """The next page's token, or None when either has none."""
        theirs, ours = (dig(r.json, "next_page_token") for r in (self.exchange.theirs, self.exchange.ours))
        return self.pair.token(theirs, ours) if theirs and ours else None

    def ours(self, path):
        return dig(self.exchange.ours.json, path)


def dig(value, path):
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


class Pair:
    """Both servers. on_exchange is told of every request, with its differences."""

    def __init__(self, theirs, ours, on_exchange):
        self.sides = (Side(theirs), Side(ours))
        self.on_exchange = on_exchange
        self.tokens = {}
        self.own, self.apart = set(), set()  # tokens of runs, logged models and webhooks; those that are no longer the same thing
        self.forth, self.back = {}, {}
        self.sequence = ""
        self.count = 0

    # ---- tokens ----

    def token(self, theirs, ours):
        name = f"⟦{len(self.tokens)}⟧"
        self.tokens[name] = (str(theirs), str(ours))
        return name

    def _fill(self, value, side):
        if isinstance(value, str):
            return re.sub(r"⟦\d+⟧", lambda m: self.tokens[m.group()][side], value)
        if isinstance(value, list):
            return [self._fill(v, side) for v in value]
        if isinstance(value, dict):
            return {self._fill(k, side): self._fill(v, side) for k, v in value.items()}
        return value

    # ---- requests ----

    def get(self, path, /, note="", **query):
        return self.request("GET", path, query=query, note=note)

    def post(self, path, /, body=None, note=""):
        return self.request("POST", path, {} if body is None else body, note=note)

    def patch(self, path, /, body=None, note=""):
        return self.request("PATCH", path, {} if body is None else body, note=note)

    def delete(self, path, /, body=None, note=""):
        return self.request("DELETE", path, {} if body is None else body, note=note)

    def request(self, method, path, body=None, query=None, raw=None, headers=None, note=""):
        """path is below /api/2.0/mlflow/ unless it begins with a slash, and already percent-encoded."""
        whole = path if path.startswith("/") else API + path
        replies = []
        for number, side in enumerate(self.sides):
            target = self._fill(whole, number)
            if query:
                pairs = [(k, v) for k, vs in query.items() for v in (vs if isinstance(vs, list) else [vs])]
                target += "?" + urllib.parse.urlencode([(k, self._fill(str(v), number)) for k, v in pairs])
            sent = dict(headers or {})
            data = self._fill(raw, number).encode() if isinstance(raw, str) else raw
            if data is None and body is not None:
                data = json.dumps(self._fill(body, number)).encode("utf-8", "surrogatepass")
                sent.setdefault("Content-Type", "application/json")
            replies.append(side.send(method, target, data, sent))
        shown = path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        exchange = Exchange(self.sequence, method, shown, body if raw is None else repr(raw[:200]), *replies, note)
        named = self.own.intersection(re.findall(r"⟦\d+⟧", json.dumps([whole, query, body, str(raw)], ensure_ascii=False)))
        exchange.apart = bool(named & self.apart)
        self._compare(exchange)
        if exchange.differences and method != "GET" and replies[0].status != replies[1].status:
            self.apart |= named
        self.count += 1
        self.on_exchange(exchange)
        return Answer(self, exchange)

    def compare(self, what, theirs, ours):
        """Two values that came another way than as an answer."""
        replies = [Reply(200, {}, json.dumps(value).encode()) for value in (theirs, ours)]
        exchange = Exchange(self.sequence, "", what, None, *replies)
        self._compare(exchange)
        self.count += 1
        self.on_exchange(exchange)

    # ---- comparison ----

    def _compare(self, x):
        theirs, ours = x.theirs, x.ours
        self.latest = x.path.startswith("registered-models/get-latest-versions")
        if theirs.status != ours.status:
            x.differences.append(f"status: {theirs.status} there, {ours.status} here")
            return
        if theirs.status >= 400:
            if theirs.code != ours.code:
                x.differences.append(f"error_code: {theirs.code} there, {ours.code} here")
            return
        for name in HEADERS:
            a, b = (r.headers.get(name, "").replace("; charset=utf-8", "") for r in (theirs, ours))
            if a != b:
                x.differences.append(f"header {name}: {a!r} there, {b!r} here")
        if theirs.json is None or ours.json is None:
            if theirs.raw != ours.raw:
                x.differences.append("body: the bytes differ")
            return
        self._values(x.differences, "", None, theirs.json, ours.json)

    def _values(self, out, at, key, a, b):
        if isinstance(a, dict) and isinstance(b, dict):
            for name in sorted(a.keys() | b.keys(), key=lambda n: (n not in IDS, n)):  # ids first: others hold them
                here = f"{at}.{name}" if at else name
                if name not in b:
                    out.append(f"{here}: {json.dumps(a[name])[:200]} there, absent here")
                elif name not in a:
                    out.append(f"{here}: absent there, {json.dumps(b[name])[:200]} here")
                else:
                    self._values(out, here, name, a[name], b[name])
        elif isinstance(a, list) and isinstance(b, list):
            self._lists(out, at, key, a, b)
        elif not self._same(key, a, b):
            out.append(f"{at}: {shown(a)} there, {shown(b)} here")

    def _lists(self, out, at, key, a, b):
        if len(a) != len(b):
            out.append(f"{at}: {len(a)} elements there, {len(b)} here")
            return
        if key in UNORDERED and at not in ("metrics", "model_versions") or self.latest:  # histories and searches are in order
            a = sorted(a, key=lambda v: order_key(v, UNORDERED.get(key), self.forth))
            b = sorted(b, key=lambda v: order_key(v, UNORDERED.get(key), {}))
        for i, (x, y) in enumerate(zip(a, b)):
            self._values(out, f"{at}[{i}]", key, x, y)

    def _same(self, key, a, b):
        if type(a) is not type(b):
            return key == "value" and isinstance(a, float) and a != a and b == "NaN"  # a bare NaN is no JSON
        if key == "next_page_token":
            return bool(a) == bool(b)
        if key in TIMES and isinstance(a, int):
            return a == b or self._same_moment(a, b)
        if not isinstance(a, str):
            return a == b or a != a and b != b
        if a == b and key not in IDS:
            return True
        if key in IDS:
            return self._same_id(key, a, b)
        if MADE_NAME.match(a) and MADE_NAME.match(b):
            return True
        return self._same_text(a, b)

    def _same_moment(self, a, b):
        here, there = (side.requests_at(t) for side, t in zip(self.sides, (a, b)))
        return here is not None and there is not None and here.start < there.stop and there.start < here.stop

    def _same_id(self, key, a, b):
        kind = "experiment" if key == "experiment_id" else "id"
        if len(a) != len(b) and kind == "id":
            return False
        known = self.forth.setdefault((kind, a), b) == b and self.back.setdefault((kind, b), a) == a
        return known

    def _same_text(self, a, b):
        if a[:1] in "[{" and b[:1] in "[{" and a != b:
            try:
                out = []
                self._values(out, "", None, json.loads(a), json.loads(b))
                return not out
            except ValueError:
                pass
        a = ID_IN_TEXT.sub(lambda m: self.forth.get(("id", m.group()), m.group()), a)
        m = FOLDER.match(a)
        if m:
            a = a.replace(m.group(1), self.forth.get(("experiment", m.group(1)), m.group(1)), 1)
        return a == b


def shown(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 300 else f"{text[:200]}… ({len(text)} characters)"


def order_key(value, name, ids):
    if isinstance(value, dict) and name:
        return json.dumps([value.get(name), value.get("step"), value.get("dataset_name"), value.get("value")])
    return ID_IN_TEXT.sub(lambda m: ids.get(("id", m.group()), m.group()), json.dumps(value, sort_keys=True))
