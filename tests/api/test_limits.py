"""Bad input to every operation: what openapi.yaml limits at its limit and one past it, the edges of numbers, text that is none.

Whatever comes, the answer is one that the document describes, below 500, and the sanitized server goes on and ends clean.
"""

import copy
import itertools
import json
from urllib.parse import quote

import pytest
from test_openapi import LEARNT, OPERATIONS, STORY, Request, Teller, beginning, body_of, check_answer, is_endless, is_offered, properties_of

from support.api import MLFLOW
from support.server import Server

INT64 = 1 << 63
# the JSON of numbers that Python does not write
ODD_NUMBERS = ["1e308", "1e309", "-1e309", "5e-324", "-0", "1.5", str(INT64 - 1), str(-INT64), str(INT64), str(-INT64 - 1), "1" + "0" * 400, '"1e400"', '"NaN"']
ODD_TEXTS = ["\x01\x1f\x7f\x85", "'\"`\\/%_;--", "../..", "%2e%2e%2f", "\u202e\ufeff\U0010ffff", "a" * 100_000, " ", "\u0000"]
NOT_UTF8 = [b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80"]
SEARCHES = [
    ("POST", "/runs/search", {"experiment_ids": ["0"]}, "order_by", ["start_time ASC"]),
    ("POST", "/experiments/search", {"max_results": 1}, "order_by", ["name ASC"]),
    ("GET", "/registered-models/search", {}, "order_by", ["name DESC"]),
    ("GET", "/model-versions/search", {}, "order_by", ["version_number ASC"]),
    ("POST", "/logged-models/search", {"experiment_ids": ["0"]}, "order_by", [{"field_name": "creation_time"}]),
]


# ---- the values of a body ----


def leaves(schema, value, at=()):
    """(path, schema, value) of each text and number of an example, as deep as it goes."""
    if isinstance(value, dict):
        properties, _ = properties_of(schema)
        for name, inner in value.items():
            yield from leaves(properties.get(name, {}), inner, (*at, name))
    elif isinstance(value, list):
        for i, inner in enumerate(value[:1]):
            yield from leaves(schema.get("items", {}), inner, (*at, i))
    else:
        yield at, schema, value


def kind_of(schema):
    """"string", "object" …; "" for what may be several."""
    if "properties" in schema or "allOf" in schema:
        return "object"
    kind = schema.get("type", "")
    return next(k for k in kind if k != "null") if isinstance(kind, list) else kind


def absent(schema, value, at=()):
    """(path, schema, None) of each text that an example does not have, whatever holds it."""
    kind = kind_of(schema)
    if kind == "object" and len(at) < 8:
        for name, inner in properties_of(schema)[0].items():
            yield from absent(inner, value.get(name) if isinstance(value, dict) else None, (*at, name))
    elif kind == "array":
        yield from absent(schema.get("items", {}), value[0] if value else None, (*at, 0))
    elif kind == "string" and value is None:
        yield at, schema, None


def least(schema):
    """The least that a schema takes: what is required, short."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = kind_of(schema)
    if kind == "object":
        properties, required = properties_of(schema)
        return {name: least(properties[name]) for name in required}
    return {"string": "0", "integer": 1, "number": 1, "boolean": True, "array": []}.get(kind)


def put_at(schema, body, at, value):
    """The body with this value there; what is missing on the way is made."""
    if not at:
        return value
    step, inner = at[0], schema.get("items", {}) if at[0] == 0 else properties_of(schema)[0].get(at[0], {})
    body = copy.copy(least(schema) if body is None else body)
    if step == 0:
        return [put_at(inner, body[0] if body else None, at[1:], value), *body[1:]]
    return body | {step: put_at(inner, body.get(step), at[1:], value)}


class Sender:
    """Sends what the requests library would not."""

    def __init__(self, teller, request):
        self.teller, self.request = teller, request
        self.path, self.query = request.path, {}
        for (where, name), value in request.parameters.items():
            value = teller.real(value)
            if where == "path":
                self.path = self.path.replace("{%s}" % name, quote(str(value), safe="/" if name == "path" else ""))
            elif where == "query":
                self.query[name] = value

    def send(self, path=None, query=None, data=None, params=None):
        method, headers = self.request.method.upper(), {k: self.teller.real(v) for (where, k), v in self.request.parameters.items() if where == "header"}
        if data is not None:
            headers["Content-Type"] = self.request.content_type
        path = (path or self.path) + ("?" + query if query else "")
        endless = is_endless(self.request.operation)
        answer = self.teller.server.request(method, path, data=data, headers=headers, stream=endless, params=self.query if params is None and not query else params)
        answer = beginning(answer) if endless else answer
        where = f"{self.request.operation_id}: {method} {path[:200]} {str(data)[:300]}"
        assert answer.status_code < 500 or not is_offered(self.request.operation), f"{where}: {answer.status_code} {answer.text[:500]}"
        if answer.status_code not in (405, 414, 431):  # those answer for no operation
            check_answer(self.request, answer)
        return answer

    def body(self, at, text):
        """The JSON of the body with this text as a value."""
        schema = body_of(self.request.operation)[1]["schema"]
        return json.dumps(put_at(schema, self.teller.real(self.request.body), at, "@@")).replace('"@@"', text).encode()


# ---- what is sent ----


def send_lengths(sender, at, schema):
    limit = schema["maxLength"]
    text = ("q7" * (limit // 2 + 1))[:limit]
    fits = sender.send(data=sender.body(at, json.dumps(text)))
    assert "maximum length" not in fits.text, f"{sender.request.operation_id} {at}: {limit} characters are within the limit: {fits.text[:300]}"
    answer = sender.send(data=sender.body(at, json.dumps(text + "q")))
    assert answer.status_code in (400, 413), f"{sender.request.operation_id} {at}: {limit + 1} characters: {answer.status_code} {answer.text[:300]}"


def send_body(sender):
    request = sender.request
    schema = body_of(request.operation)[1]["schema"]
    for at, inner, value in (*leaves(schema, request.body), *absent(schema, request.body)):
        if "maxLength" in inner:
            send_lengths(sender, at, inner)
        if value is None or isinstance(value, str):
            for text in ODD_TEXTS:
                answer = sender.send(data=sender.body(at, json.dumps(text)))
                assert "\0" not in text or answer.status_code == 400, answer.text[:300]
        else:
            for number in ODD_NUMBERS:
                sender.send(data=sender.body(at, number))
    for bad, (at, _, _) in zip(NOT_UTF8, itertools.cycle(leaves(schema, request.body))):
        answer = sender.send(data=sender.body(at, '"a@@b"').replace(b"@@", bad))
        assert answer.status_code == 400, f"{request.operation_id}: {bad} in a body: {answer.status_code}"


def send_query(sender):
    request = sender.request
    for parameter in request.operation.get("parameters", []):
        if parameter["in"] != "query":
            continue
        name, limit = parameter["name"], parameter["schema"].get("maxLength")
        if limit is not None and limit < 10_000:
            answer = sender.send(params={**sender.query, name: "q" * (limit + 1)})
            assert answer.status_code in (400, 404), f"{request.operation_id} {name}: {limit + 1} characters: {answer.status_code}"
        values = ODD_NUMBERS if parameter["schema"].get("type") == "integer" else ODD_TEXTS
        for value in values:
            sender.send(params={**sender.query, name: value.strip('"')[:10_000]})
        for bad in ("%ff", "%c3%28", "%ed%a0%80", "%00"):
            others = "".join(f"&{k}={quote(str(v))}" for k, v in sender.query.items() if k != name)
            answer = sender.send(query=f"{name}=a{bad}b{others}")
            assert answer.status_code == 400, f"{request.operation_id}: {bad} in a query: {answer.status_code}"


def send_path(sender):
    request = sender.request
    for parameter in request.operation.get("parameters", []):
        if parameter["in"] != "path":
            continue
        path = {("path", p["name"]): request.parameters["path", p["name"]] for p in request.operation["parameters"] if p["in"] == "path"}
        for text in [quote(t[:5000], safe="") for t in ODD_TEXTS + ODD_NUMBERS] + ["%ff", "%c3%28", "%ed%a0%80", "%00"]:
            filled = request.path
            for (_, name), value in path.items():
                filled = filled.replace("{%s}" % name, text if name == parameter["name"] else quote(str(value), safe="/"))
            sender.send(path=filled)


def test_odd_values_are_answered_as_described():
    with Server() as server:
        teller = Teller(server)
        for name in STORY:
            request = Request(name)
            if name in LEARNT:
                written, find = LEARNT[name]
                teller.ids[written] = find(teller.send(request).json())
            if name == "setMyPassword" or not is_offered(request.operation):  # a wrong one there counts as a guess
                continue
            sender = Sender(teller, request)
            send_query(sender)
            send_path(sender)
            if isinstance(request.body, dict):
                send_body(sender)
            teller.send(request)
        assert server.request("GET", "/health").text.strip() == "OK"


# ---- searches ----


def search(server, method, path, body, **more):
    body = {**body, **more}
    return server.request(method, MLFLOW + path, **({"params": body} if method == "GET" else {"body": body}))


@pytest.mark.parametrize("method, path, body, _, order", SEARCHES, ids=[s[1] for s in SEARCHES])
def test_a_filter_beyond_all_bounds_is_refused_at_once(server, method, path, body, _, order):
    term, brackets = "tags.a = 'b'", "(" * 500 + "tags.a = 'b'" + ")" * 500
    filters = [" AND ".join([term] * 10_000), " OR ".join([term] * 10_000), brackets, "(" * 500, "NOT " * 10_000 + term,
               "tags.a IN (" + ",".join(["'b'"] * 10_000) + ")", "tags.`" + "a" * 100_000 + "` = 'b'", "tags.a LIKE '" + "%a" * 5000 + "'"]
    for text in filters if method == "POST" else [f[:5000] for f in filters]:
        answer = search(server, method, path, body, filter=text)
        assert answer.status_code in (200, 400), f"{text[:60]}…: {answer.status_code} {answer.text[:300]}"


def test_a_token_is_good_for_its_own_search_alone(server):
    for i in range(3):
        server.call("POST", f"{MLFLOW}/runs/create", {"experiment_id": "0"})
        server.call("POST", f"{MLFLOW}/experiments/create", {"name": f"limits {i}"})
        server.call("POST", f"{MLFLOW}/logged-models", {"experiment_id": "0"})
        server.call("POST", f"{MLFLOW}/registered-models/create", {"name": f"limits {i}"})
        server.call("POST", f"{MLFLOW}/model-versions/create", {"name": f"limits {i}", "source": "s3://elsewhere/model"})
    tokens = {}
    for method, path, body, _, _ in SEARCHES:
        answer = search(server, method, path, body, max_results=1)
        assert answer.status_code == 200, answer.text
        tokens[path] = answer.json()["next_page_token"]
    for method, path, body, order, by in SEARCHES:
        assert search(server, method, path, body, max_results=1, page_token=tokens[path]).status_code == 200
        for other, token in tokens.items():
            wrong = {"page_token": token} if other != path else {"page_token": token, "filter": "tags.a = 'b'"}
            assert search(server, method, path, body, max_results=1, **wrong).status_code == 400, f"a token of {other} at {path}"
        assert search(server, method, path, body, max_results=1, page_token=tokens[path], **{order: by}).status_code == 400, path
        for broken in ("x", "%%%", tokens[path][:-1], tokens[path] + "A", "A" * 10_000):
            assert search(server, method, path, body, max_results=1, page_token=broken).status_code == 400, f"{path}: {broken[:80]}"


# ---- names and queries ----


@pytest.mark.parametrize("name", ["a/b", "CELLAR\\ada", "50%", "o'hara \"x\"", "größe", "a?b#c"])
def test_a_user_of_any_name_can_be_changed_and_removed(server, name):
    server.call("POST", "/api/v1/users", {"username": name, "password": "slow-heron-over-reeds"})
    path = "/api/v1/users/" + quote(name, safe="")
    assert server.call("PATCH", path, {"disabled": True})["user"]["username"] == name
    server.call("DELETE", path)


@pytest.mark.parametrize("n", [100, 150, 300, 1000])
def test_a_query_of_many_arguments_is_answered(server, n):
    query = "&".join(f"run_id={i:x}" for i in range(n))
    answer = server.request("GET", f"/api/v1/metrics/series?key=loss&{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["series"] == []
