"""openapi/openapi.yaml is what the server does: the same routes, and every example is sent and its answer looked at.

The examples are one story. STORY is its order; the ids that the server makes take the place of those in the file.
"""

import copy
import json
import re
import subprocess
from urllib.parse import quote

import jsonschema
import openapi_spec_validator
import pytest
import requests
import yaml

from support.server import ROOT, Server, cairnd

METHODS = ("get", "put", "post", "delete", "patch")
RUN = "4f6c1d0b8a2e49c7b35d7e90a1f2c3d4"
MODEL = "m-9b1e7c52d8f04a6e8c3b5a7d1f20e4c6"
WEBHOOK = "0b7a0f7e-5a0e-4d3c-9a57-2f1f7d0c6a11"
URL = "http://127.0.0.1:5000"

STORY = """
health version status serverInfo web
createUser listUsers me login setMyPassword logout updateUser deleteUser
createToken listTokens revokeToken
createExperiment getExperiment getExperimentByName searchExperiments searchExperimentsByQuery
setExperimentTag deleteExperimentTag deleteExperiment restoreExperiment experimentOverview
createRun runOrigin restoreRun logMetric logBatch logMetrics logParam setTag deleteTag logModel
createLoggedModel logInputs logOutputs searchDatasets updateRun getRun searchRuns
getMetricHistory getMetricHistoryBulk getMetricHistoryBulkInterval metricSeries
metricSeriesOfMany metricGroups metricSummaries runMetrics watchMetrics
createMultipartUpload completeMultipartUpload abortMultipartUpload presignArtifact presignUpload presignDownload
uploadArtifact putProxiedArtifact listProxiedArtifacts getProxiedArtifact listArtifacts getArtifact
logLoggedModelParams setLoggedModelTags deleteLoggedModelTag finalizeLoggedModel getLoggedModel searchLoggedModels
listLoggedModelArtifacts getLoggedModelArtifact deleteLoggedModel
createRegisteredModel updateRegisteredModel setRegisteredModelTag deleteRegisteredModelTag
createModelVersion updateModelVersion setModelVersionTag deleteModelVersionTag transitionModelVersionStage
setRegisteredModelAlias getModelVersionByAlias getModelVersion getLatestVersions getLatestVersionsByQuery
getModelVersionDownloadUri getModelVersionArtifact searchModelVersions getRegisteredModel searchRegisteredModels
resolveAlias resolveVersion versionManifest versionBlob
deleteRegisteredModelAlias aliasHistory deleteModelVersion renameRegisteredModel deleteRegisteredModel
deleteProxiedArtifact updateExperiment deleteRun removeRun
createWebhook getWebhook listWebhooks testWebhook updateWebhook deleteWebhook
""".split()

# Where an answer tells the id that the examples write otherwise.
LEARNT = {
    "createRun": (RUN, lambda answer: answer["run"]["info"]["run_id"]),
    "createWebhook": (WEBHOOK, lambda answer: answer["webhook"]["webhook_id"]),
    "createLoggedModel": (MODEL, lambda answer: answer["model"]["info"]["model_id"]),
}
# Optional by the schema, yet needed beside the other values of the example.
NEEDED_HERE = {"createModelVersion": {"run_id"}, "login": {"Origin"}, "setLoggedModelTags": {"tags"}}
# MLflow has them for its own pages alone, under their prefix.
PAGES_ONLY = {"searchDatasets", "uploadArtifact"}
# Sent by someone else than the administrator.
CALLERS = {"setMyPassword": ("ada", "quiet-otter-under-larch")}


# ---- the document ----


def resolved(document):
    """Without any $ref."""

    def walk(node):
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            target = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return walk(target)
        return {key: walk(value) for key, value in node.items()}

    return walk(document)


RAW = yaml.safe_load((ROOT / "openapi/openapi.yaml").read_text())
DOCUMENT = resolved(RAW)
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in METHODS
}


def closed(schema):
    """A schema that takes no member which it does not name: an answer has nothing that is not described."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: value if key in ("examples", "enum", "const") else closed(value) for key, value in schema.items()}
    if "allOf" in schema:
        out["allOf"] = [{k: v for k, v in part.items() if k != "unevaluatedProperties"} for part in out["allOf"]]
        out["unevaluatedProperties"] = False
    elif "properties" in schema and isinstance(schema.get("type"), str):
        out["unevaluatedProperties"] = False
    return out


def check(value, schema, what):
    errors = [f"{e.json_path}: {e.message}" for e in jsonschema.Draft202012Validator(schema).iter_errors(value)]
    assert not errors, f"{what}\n" + "\n".join(errors) + f"\n{json.dumps(value)[:2000]}"


def properties_of(schema):
    """(properties, required) of an object, those of its parts included."""
    properties, required = dict(schema.get("properties", {})), set(schema.get("required", []))
    for part in schema.get("allOf", []):
        more, needed = properties_of(part)
        properties.update(more)
        required |= needed
    return properties, required


def body_of(operation):
    """(content type, media type object) of the body; (None, {}) when there is none."""
    return next(iter(operation.get("requestBody", {}).get("content", {}).items()), (None, {}))


def examples_of(holder):
    """The examples of a parameter or a body; [] when there are none."""
    if "examples" in holder:
        return [example["value"] for example in holder["examples"].values()]
    return [holder["example"]] if "example" in holder else []


# ---- requests ----


class Request:
    """An example, before the ids are put in."""

    def __init__(self, operation_id, pick=0):
        self.operation_id = operation_id
        self.method, self.path, self.operation = OPERATIONS[operation_id]
        self.parameters = {}
        for parameter in self.operation.get("parameters", []):
            values = examples_of(parameter)
            if values:
                self.parameters[parameter["in"], parameter["name"]] = values[min(pick, len(values) - 1)]
        self.content_type, media = body_of(self.operation)
        bodies = examples_of(media)
        self.body = copy.deepcopy(bodies[min(pick, len(bodies) - 1)]) if bodies else None

    def without(self, where, name):
        """The same without one value."""
        other = copy.deepcopy(self)
        if where == "body":
            other.body.pop(name, None)
        else:
            other.parameters.pop((where, name), None)
        return other

    def having(self, where, name, value):
        """The same with another value."""
        other = copy.deepcopy(self)
        if where == "body":
            other.body[name] = value
        else:
            other.parameters[where, name] = value
        return other

    def values(self):
        """(where, name, schema, required) of everything that it may carry in its query and body."""
        for parameter in self.operation.get("parameters", []):
            if parameter["in"] == "query":
                yield "query", parameter["name"], parameter["schema"], parameter.get("required", False)
        if isinstance(self.body, dict):
            properties, required = properties_of(body_of(self.operation)[1]["schema"])
            for name, schema in properties.items():
                yield "body", name, schema, name in required

    def only_required(self):
        """The same without what is optional."""
        other, needed = self, NEEDED_HERE.get(self.operation_id.removesuffix("Ajax"), ())
        for where, name, _, required in self.values():
            if not required and name not in needed:
                other = other.without(where, name)
        return other


def picks(operation_id):
    """How many requests the examples of an operation make."""
    _, _, operation = OPERATIONS[operation_id]
    holders = [*operation.get("parameters", []), body_of(operation)[1]]
    return max([len(examples_of(holder)) for holder in holders] + [1])


def as_query(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


class Teller:
    """Sends the story to a server of its own."""

    def __init__(self, server):
        self.server = server
        self.ids = {URL: server.url}

    def real(self, value):
        """With the ids that the server gave."""
        text = json.dumps(value)
        for written, given in self.ids.items():
            text = text.replace(written, given)
        return json.loads(text)

    def send(self, request):
        parameters = {key: self.real(value) for key, value in request.parameters.items()}
        path, more = request.path, {"headers": {}, "params": {}}
        for (where, name), value in parameters.items():
            if where == "path":
                path = path.replace("{%s}" % name, quote(str(value), safe="/" if name == "path" else ""))
            elif where == "query":
                more["params"][name] = as_query(value)
            else:
                more["headers"][name] = value
        if isinstance(request.body, dict):
            more["json"] = self.real(request.body)
        elif request.body is not None:
            more["data"] = request.body.encode()
            more["headers"]["Content-Type"] = request.content_type
        if request.operation_id in CALLERS:
            more["auth"] = CALLERS[request.operation_id]
        if is_endless(request.operation):
            return beginning(self.server.request(request.method.upper(), path, stream=True, **more))
        return self.server.request(request.method.upper(), path, **more)


def is_endless(operation):
    return "text/event-stream" in operation["responses"].get("200", {}).get("content", {})


def beginning(answer):
    """Of an answer that stays open its first event, and no more."""
    lines = []
    if answer.status_code == 200:
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            lines.append(line)
            if line == "":
                break
        answer._content = "\n".join(lines).encode()
    answer.content, answer.close()
    return answer


def check_answer(request, answer):
    """The answer is one that the document describes."""
    what = f"{request.operation_id}: {answer.request.method} {answer.request.url}: {answer.status_code}"
    described = request.operation["responses"].get(str(answer.status_code))
    assert described is not None, f"{what} is not described: {answer.text[:1000]}"
    for name, header in described.get("headers", {}).items():
        value = answer.headers.get(name)
        assert value is not None or not header.get("required"), f"{what}: there is no {name}"
        if value is not None:
            check(int(value) if header["schema"].get("type") == "integer" else value, header["schema"], f"{what}: {name}")
    content = described.get("content", {})
    content_type = answer.headers.get("Content-Type", "").split(";")[0]
    if not content:
        assert answer.content == b"", what
        return
    media = content.get(content_type) or content.get("*/*")
    assert media is not None, f"{what}: {content_type} is not described"
    if content_type == "application/json" and "application/json" in content:
        check(answer.json(), closed(media["schema"]), what)
    elif content_type.startswith("text/") and content_type in content:
        check(answer.text, media["schema"], what)


def check_refused(request, answer, name):
    assert answer.status_code == 400, f"{request.operation_id}, {name}: {answer.status_code} {answer.text[:1000]}"
    check_answer(request, answer)


def wrong_values(schema, example):
    """Values that break a limit of the schema, each by one."""
    if "enum" in schema:
        yield "no such value"
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maxLength" in schema:
        yield "q7" * (schema["maxLength"] // 2) + "q7"
    if schema.get("type") == "array" and "maxItems" in schema and example:
        yield [copy.deepcopy(example[0]) for _ in range(schema["maxItems"] + 1)]


def is_offered(operation):
    return any(status.startswith("2") for status in operation["responses"])


# ---- the tests ----


def test_the_document_is_valid():
    openapi_spec_validator.validate(RAW)


def test_no_flow_mapping_was_cut_by_a_comma():
    def walk(node, at):
        if isinstance(node, dict):
            for key, value in node.items():
                assert isinstance(key, str) and value is not None, f"{at}/{key}"
                walk(value, f"{at}/{key}")
        elif isinstance(node, list):
            for i, item in enumerate(node):
                walk(item, f"{at}/{i}")

    walk(RAW, "")


def test_every_route_is_described_and_nothing_else_is():
    listed = subprocess.run([str(cairnd()), "routes"], capture_output=True, text=True, check=True, timeout=60).stdout
    routes = set()
    for line in listed.splitlines():
        method, path, operation_id, needs, _, limit = line.split("\t")
        routes.add((method, path.replace("...}", "}"), operation_id, needs, int(limit)))
    described = {
        (method.upper(), path, operation_id, operation["x-needs"], operation.get("x-body-limit", 0))
        for operation_id, (method, path, operation) in OPERATIONS.items()
    }
    assert described == routes


def test_only_public_operations_need_no_sign_in():
    for operation_id, (_, _, operation) in OPERATIONS.items():
        assert (operation.get("security") == []) == (operation["x-needs"] == "PUBLIC"), operation_id


def test_the_second_prefix_has_the_same_operations():
    under = {operation_id for operation_id, (_, path, _) in OPERATIONS.items() if path.startswith("/ajax-api/")}
    twins = under - PAGES_ONLY
    assert twins and PAGES_ONLY < under
    for operation_id in twins:
        method, path, operation = OPERATIONS[operation_id]
        expected = OPERATIONS[operation_id.removesuffix("Ajax")]
        assert operation_id.endswith("Ajax")
        assert (method, path.replace("/ajax-api/", "/api/", 1)) == expected[:2]
        assert operation | {"operationId": expected[2]["operationId"]} == expected[2]


def test_the_story_has_every_operation_once():
    assert sorted(STORY) == sorted(o for o in OPERATIONS if not o.endswith("Ajax"))


def test_examples_fit_their_schemas():
    for operation_id, (_, _, operation) in OPERATIONS.items():
        for parameter in operation.get("parameters", []):
            for example in examples_of(parameter):
                check(example, parameter["schema"], f"{operation_id}: {parameter['name']}")
        _, media = body_of(operation)
        for example in examples_of(media):
            check(example, closed(media["schema"]), f"{operation_id}: body")
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for example in schema.get("examples", []):
            check(example, closed(schema), name)


def test_required_values_have_examples():
    for operation_id in OPERATIONS:
        request = Request(operation_id)
        for parameter in request.operation.get("parameters", []):
            if parameter.get("required"):
                assert (parameter["in"], parameter["name"]) in request.parameters, operation_id
        if "requestBody" in request.operation:
            assert request.body is not None, operation_id


@pytest.mark.parametrize("prefix", ["api", "ajax-api", "api, only what is required"])
def test_every_example_is_answered_as_described(prefix):
    with Server() as server:
        teller = Teller(server)
        for name in STORY:
            operation_id = name + "Ajax" if prefix == "ajax-api" and name + "Ajax" in OPERATIONS else name
            for pick in range(picks(operation_id)):
                request = Request(operation_id, pick)
                if "only" in prefix:
                    request = request.only_required()
                answer = teller.send(request)
                check_answer(request, answer)
                expected = 200 if is_offered(request.operation) else 501
                assert answer.status_code == expected, f"{operation_id}: {answer.status_code} {answer.text[:1000]}"
            if name in LEARNT:
                written, find = LEARNT[name]
                teller.ids[written] = find(answer.json())


def test_missing_and_wrong_values_are_refused():
    with Server() as server:
        teller = Teller(server)
        for name in STORY:
            request = Request(name)
            if is_offered(request.operation):
                for where, field, schema, required in request.values():
                    if required:
                        answer = teller.send(request.without(where, field))
                        check_refused(request, answer, f"without {field}")
                        message = answer.json()["message"]
                        assert f"Missing value for required parameter '{field}'" in message or message == f"Request must specify {field}."
                    example = request.body.get(field) if where == "body" else request.parameters.get((where, field))
                    for value in wrong_values(schema, example):
                        answer = teller.send(request.having(where, field, value))
                        check_refused(request, answer, f"{field} {str(value)[:100]}")
            for pick in range(picks(name)):
                answer = teller.send(Request(name, pick))
                assert answer.status_code in (200, 501), f"{name}: {answer.status_code} {answer.text[:1000]}"
            if name in LEARNT:
                written, find = LEARNT[name]
                teller.ids[written] = find(answer.json())


def test_nobody_gets_a_401_everywhere_but_at_what_is_public(server):
    with requests.Session() as session:
        session.trust_env = False
        for operation_id, (method, path, operation) in OPERATIONS.items():
            if operation["x-needs"] == "PUBLIC":
                continue
            path = re.sub(r"\{\w+\}", "1", path)
            answer = session.request(method, server.url + path, timeout=30)
            assert answer.status_code == 401, f"{operation_id}: {answer.status_code} {answer.text[:500]}"
            assert "WWW-Authenticate" in answer.headers
            check_answer(Request(operation_id), answer)


def test_only_an_administrator_manages_users(server):
    user = {"username": "openapi-guest", "password": "slow-heron-over-reeds"}
    server.call("POST", "/api/v1/users", user)
    try:
        for operation_id, (method, path, operation) in OPERATIONS.items():
            if operation["x-needs"] != "ADMIN":
                continue
            path = path.replace("{username}", user["username"])
            answer = server.request(method, path, auth=tuple(user.values()))
            assert answer.status_code == 403, f"{operation_id}: {answer.status_code} {answer.text[:500]}"
            check_answer(Request(operation_id), answer)
    finally:
        server.call("DELETE", f"/api/v1/users/{user['username']}")


def test_ranges_and_etags_of_files_are_answered_as_described(server):
    path = "/api/2.0/mlflow-artifacts/artifacts/0/openapi/notes.txt"
    server.call("PUT", path, data=b"0123456789")
    request = Request("getProxiedArtifact")
    whole = server.request("GET", path)
    for headers, status, body in [
        ({"Range": "bytes=2-4"}, 206, b"234"),
        ({"Range": "bytes=8-"}, 206, b"89"),
        ({"Range": "bytes=-3"}, 206, b"789"),
        ({"Range": "bytes=2-4", "If-Range": '"another"'}, 200, b"0123456789"),
        ({"If-None-Match": whole.headers["ETag"]}, 304, b""),
        ({"Range": "bytes=10-"}, 416, None),
    ]:
        answer = server.request("GET", path, headers=headers)
        assert answer.status_code == status, headers
        assert body is None or answer.content == body
        check_answer(request, answer)
    server.call("DELETE", path)
    gone = server.request("GET", path)
    assert gone.status_code == 404
    check_answer(request, gone)
