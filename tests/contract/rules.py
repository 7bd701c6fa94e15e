"""What the contract says in words and JSON Schema cannot: schemathesis loads this beside the document.

valid_data_acceptance   its positive_data_acceptance; a 400 must be one of RULES, each a rule that needs the server's
                        data or a grammar
invalid_data_rejection  its negative_data_rejection; but what the leniencies of proto3 JSON make valid may be taken
"""

import atexit
import base64
import collections
import itertools
import json
import math
import os
import pathlib
import re
import struct
import urllib.parse

import jsonschema_rs
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.specs.openapi import _auth_retry
from schemathesis.specs.openapi import checks as openapi_checks

DOCUMENT = json.loads(pathlib.Path(os.environ["CONTRACT_DOCUMENT"]).read_text())
LIVE = json.loads(os.environ["CONTRACT_LIVE"])
DOOMED = json.loads(os.environ["CONTRACT_DOOMED"])
METHODS = ("get", "put", "post", "delete", "patch")

# Why a request that fits its schema may be 400: (operations, the sentence, the rule).
RULES = [
    (".*", r"is (there )?already|already exists|there is already", "a name, an alias or a file's place is taken"),
    (".*", r"must be in (the )?'?(active|deleted)'? (state|lifecycle)|Current state is deleted|is deleted|non-active", "what is deleted takes no change"),
    (".*", r"does not exist|not found|no such", "what the body names is not there"),
    (".*", r"Invalid model name", "no version is of a name that no model may have"),
    (".*", r"Names may (only contain|be treated)", "a key's characters, and that it is no other path"),
    ("search.*", r"filter|[Ii]nvalid (clause|attribute|comparator|entity|identifier)|expected|order_by|order by", "the grammar of filters and orders"),
    (".*", r"not valid JSON.*(NUL|u0000|too big|overflow)|a NUL or bytes", "no NUL, no number beyond 64 bits, not even where it is ignored"),
    ("log.*|.*Run|.*Tag", r"Invalid value .* for parameter 'run_(id|uuid)'", "a run's id has letters, digits, _ and -"),
    (".*", r"page.?token", "a token is of the page before"),
    (".*[aA]rtifact.*|listProxied.*", r"[Ii]nvalid path|path|is a folder", "a path is relative and no way out, and a file is no folder"),
    ("getLatestVersions.*|transition.*", r"Invalid Model Version stage|stage", "the stages' names, in any case of letters"),
    ("getMetricHistoryBulkInterval", r"start step|start_step|end_step|step", "both steps or none, in order"),
    (".*", r"'version' must be an integer|Experiment ID must be", "numbers of 32 and 64 bits"),
    ("createExperiment", r"[Aa]rtifact.location", "where artifacts may lie"),
    ("createModelVersion", r"source|run_id|model_id|Invalid", "a source's place, inside the run or model named beside it"),
    ("createRun", r"run_name|mlflow\.runName", "the name and its tag are one"),
    ("logModel", r"model_json|Malformed|JSON", "the text is an object with a model's members"),
    ("logMetric|logBatch", r"Both dataset_name", "a metric names its data set wholly or not at all"),
    ("logMetrics", r"batch", "the form of a batch of columns is told in words"),
    ("logBatch", r"[Dd]uplicate|at most|more than|limit", "no param twice, at most 1,000 entries in all"),
    ("log.*|createRun|setTag", r"[Cc]hanging param|another value|was already logged", "a param keeps its value"),
    ("logOutputs|logInputs", r"twice|[Dd]uplicate", "no model twice"),
    (".*Webhook.*", r"Invalid action|Invalid event|[Uu]rl|URL|address|event|name", "which events there are, and where they may be sent"),
    ("createUser|updateUser|setMyPassword", r"password", "a good password"),
    ("updateUser|deleteUser", r"last administrator|your own", "somebody must stay administrator"),
    ("createToken", r"500|token", "500 tokens, not made by a token"),
    ("setRegisteredModelAlias", r"alias", "an alias's characters"),
    ("metric(Series|SeriesOfMany|Groups)", r"series", "at most 1,000 series"),
    ("metricSeries.*", r"x_key|x=metric", "a metric as x has a name, nothing else has"),
    ("metric(Series.*|Groups)", r"from must not|'(from|to)'.*64 bits", "a range in its order, of whole numbers unless x is a metric"),
    ("metricSeries.*", r"cursor", "a cursor is of the answer before"),
]


# ---- valid data ----

# contract.py gives the document these formats: what has a grammar is drawn from it
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=12)
COMPARISON = st.builds("tags.`{}` {} '{}'".format, WORD, st.sampled_from(["=", "!=", "LIKE", "ILIKE"]), st.text("ab %_ü", max_size=6))
schemathesis.openapi.format("cairn-filter", st.lists(COMPARISON, max_size=4).map(" AND ".join))
schemathesis.openapi.format("cairn-path", st.lists(WORD, min_size=1, max_size=4).map("/".join))


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def columns(moments):
    """A batch of points, [(step, time, value)] of one key after the other, in base64: drawn text has no NUL."""
    names = [f"key {i}".encode() for i in range(len(moments))]
    groups = b"".join(b"\1" + varint(2 * step) + varint(2 * time) + b"\1" + varint(i) + struct.pack("<d", value) for i, (step, time, value) in enumerate(moments))
    batch = b"CMB\1\0" + varint(len(moments)) + varint(len(names)) + b"".join(varint(len(n)) + n for n in names) + groups
    return "base64:" + base64.b64encode(batch).decode()


MOMENT = st.tuples(st.integers(0, (1 << 62) - 1), st.integers(0, (1 << 62) - 1), st.floats())
schemathesis.openapi.format("cairn-columns", st.lists(MOMENT, max_size=20).map(columns))


@schemathesis.serializer("application/x-cairn-metrics")
def columns_serializer(ctx, value):
    """What columns() made; else a character a byte, as the document's examples are."""
    text = str(value)
    if text.startswith("base64:"):
        return base64.b64decode(text.removeprefix("base64:"))
    return text.encode("latin-1", "replace")



def is_valid_case(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def operation_of(case):
    return case.operation.definition.raw["operationId"].removesuffix("Ajax")


ACCEPTED = collections.Counter()  # valid requests that were answered 2xx or 3xx, by operation
atexit.register(lambda: pathlib.Path(os.environ["CONTRACT_ACCEPTED"]).write_text(json.dumps(ACCEPTED)))


@schemathesis.check
def valid_data_acceptance(ctx, response, case):
    operation_id = operation_of(case)
    if is_valid_case(case) and response.status_code < 400:
        ACCEPTED[operation_id] += 1
    if is_valid_case(case) and response.status_code == 400:
        message = json.loads(response.content).get("message", "")
        if any(re.fullmatch(who, operation_id) and re.search(sentence, message) for who, sentence, _ in RULES):
            return None
    return openapi_checks.positive_data_acceptance(ctx, response, case)


@schemathesis.hook
def map_case(context, case):
    """Two thirds of the valid requests are about what is there; all are that need several such things at once, or a thing that goes with it."""
    if not is_valid_case(case):
        return case
    turn, operation_id = next(TURNS), operation_of(case)
    ends = operation_id in DOOMED["operations"]
    always = ends or operation_id == "createModelVersion"
    live = DOOMED | DOOMED["of"].get(operation_id, {}) if ends else LIVE | SPECIAL.get(operation_id, {"name": ["cellar"]} if KEPT.fullmatch(operation_id) else {})
    for holder in (case.path_parameters, case.query, case.body):
        if (always or turn % 3) and isinstance(holder, dict):
            for name in holder.keys() & live.keys():
                if isinstance(holder[name], str):
                    holder[name] = live[name][turn % len(live[name])]
    return case


TURNS = itertools.count()
# operations on models and versions that leave them there
KEPT = re.compile("(get|set|update|transition|resolve|alias|version|createModel).*(Model|Alias|Version|Blob|Manifest|History|Stage).*"
                  "|delete(RegisteredModel|ModelVersion)Tag")
SPECIAL = {"deleteTag": {"key": ["grape"]}, "deleteExperimentTag": {"key": ["grape"]}}


# ---- invalid data ----


def resolve(schema):
    while "$ref" in schema:
        target = DOCUMENT
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def properties_of(schema):
    properties, required = dict(schema.get("properties", {})), set(schema.get("required", []))
    for part in schema.get("allOf", []):
        more, needed = properties_of(resolve(part))
        properties.update(more)
        required |= needed
    return properties, required


def canonical_text(text, schema):
    """A text where a number or a name is meant."""
    numbers = [part.get("type") for part in (schema, *schema.get("anyOf", []))]
    try:
        if "integer" in numbers:
            return int(text) if re.fullmatch(r"-?\d+", text, re.A) else text
        number = float(text) if "number" in numbers and not text[:1].isspace() else math.nan
        return number if math.isfinite(number) else text
    except ValueError:
        return text


def canonical(value, schema):
    """The value as the contract writes it, whatever proto3 JSON lets a client write for it."""
    schema = resolve(schema)
    if isinstance(value, list):
        return [canonical(item, schema.get("items", {})) for item in value]
    if isinstance(value, dict):
        properties, required = properties_of(schema)
        if not value.get("run_id") and value.get("run_uuid"):
            value = {**value, "run_id": value["run_uuid"]}
        value = {k: v for k, v in value.items() if v not in (None, "") or k in required or k not in properties}
        return {k: canonical(v, properties[k]) if k in properties else v for k, v in value.items()}
    if isinstance(value, str):
        value = canonical_text(value, schema)
    names = schema.get("enum", [])
    if isinstance(value, str) and re.fullmatch(r"\d", value) and names:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= len(names) and value not in names:
        return names[value - 1]
    return value


def is_valid(value, schema):
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).is_valid(value)


def query_is_taken(operation, url):
    """The first of repeated values counts, and an empty one is none."""
    sent = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query, keep_blank_values=True)
    for parameter in map(resolve, operation.get("parameters", [])):
        if parameter["in"] != "query":
            continue
        values, schema = sent.get(parameter["name"], [""]), resolve(parameter["schema"])
        value = values if schema.get("type") == "array" else canonical(values[0], schema)
        if schema.get("type") == "boolean":
            value = {"true": True, "false": False}.get(values[0].lower(), value)
        if parameter.get("required") if values == [""] or value == "" else not is_valid(value, schema):
            return False
    return True


def is_taken_leniently(case, url):
    """Is the contract's own what stands there, once written as the contract does?"""
    if case.meta is None or not case.meta.generation.mode.is_negative:
        return False
    operation = case.operation.definition.raw
    wrong = {location.name for location, part in case.meta.components.items() if part.mode.is_negative}
    content = resolve(operation.get("requestBody", {})).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if not wrong <= {"BODY", "QUERY"}:
        return False
    if "QUERY" in wrong and not query_is_taken(operation, url):
        return False
    return "BODY" not in wrong or schema is not None and isinstance(case.body, dict) and is_valid(canonical(case.body, schema), schema)


@schemathesis.check
def invalid_data_rejection(ctx, response, case):
    if is_taken_leniently(case, response.request.url):
        return None
    return openapi_checks.negative_data_rejection(ctx, response, case)


# ---- who asks ----


class FreshNames(dict):
    """Wrong credentials under a name that is new each time: a name guessed often is answered by 429."""

    counter = itertools.count()

    def get(self, key, default=None):
        if key == "_basic_auth":
            name = f"nobody-{next(self.counter)}"
            return "Basic " + base64.b64encode(f"{name}:wrong".encode()).decode()
        return super().get(key, default)


_auth_retry.INVALID_AUTH_HEADERS = FreshNames(_auth_retry.INVALID_AUTH_HEADERS)


USER, PASSWORD = os.environ["CONTRACT_USER"], os.environ["CONTRACT_PASSWORD"]
ADMIN = os.environ["CONTRACT_ADMIN"], os.environ["CONTRACT_ADMIN_PASSWORD"]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Those who ask stay who they are, with the passwords that they have."""
    operation_id, valid = operation_of(case), is_valid_case(case)
    if operation_id in ("updateUser", "deleteUser") and case.path_parameters.get("username") in (ADMIN[0], USER):
        case.path_parameters["username"] = "ada"
    if operation_id == "setMyPassword":
        url = f"{os.environ['CONTRACT_URL']}/api/v1/users/{USER}"
        requests.patch(url, json={"password": PASSWORD}, auth=ADMIN, timeout=30).raise_for_status()
        kwargs["auth"] = USER, PASSWORD
        case.body = {"current_password": PASSWORD, "password": PASSWORD[::-1]} if valid else case.body
    if valid and operation_id == "login":
        case.body = {"username": USER, "password": PASSWORD}
