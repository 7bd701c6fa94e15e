"""The table of routes and openapi/openapi.yaml say the same."""

import pathlib
import re
import subprocess

import pytest
import yaml

from support.server import ROOT, cairnd

METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def rows():
    """(method, path, operation, needs) of each row that cairnd prints; paths as OpenAPI writes them."""
    done = subprocess.run([str(cairnd()), "routes"], capture_output=True, text=True)
    assert done.returncode == 0, f"cairnd routes: {done.stderr}"
    out = []
    for line in done.stdout.splitlines():
        method, path, operation, needs = line.split()
        out.append((method, re.sub(r"\{(\w+)\.\.\.\}", r"{\1}", path), operation, needs))
    return out


@pytest.fixture(scope="module")
def table():
    return rows()


@pytest.fixture(scope="module")
def contract():
    return yaml.safe_load(pathlib.Path(ROOT, "openapi/openapi.yaml").read_text())


def operations(contract):
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield method.upper(), path, operation


def test_every_route_is_in_the_contract_and_the_other_way_round(table, contract):
    server = {(method, path): operation for method, path, operation, _ in table}
    written = {(method, path): operation["operationId"] for method, path, operation in operations(contract)}
    assert sorted(server.items() - written.items()) == []
    assert sorted(written.items() - server.items()) == []


def test_operation_ids_are_unique(table):
    names = [operation for _, _, operation, _ in table]
    assert sorted({n for n in names if names.count(n) > 1}) == []


def test_every_row_says_what_it_needs(table):
    assert {needs for _, _, _, needs in table} <= {"PUBLIC", "SIGNED_IN", "READ", "EDIT", "MANAGE", "ADMIN"}


def test_public_routes_are_few_and_known(table):
    public = {operation for _, _, operation, needs in table if needs == "PUBLIC"}
    assert public == {"health", "version", "login", "web"}


def test_the_contract_names_the_parameters_of_its_paths(contract):
    assert contract["openapi"].startswith("3.1")
    for method, path, operation in operations(contract):
        wanted = set(re.findall(r"\{(\w+)\}", path))
        given = operation.get("parameters", []) + contract["paths"][path].get("parameters", [])
        resolved = [contract["components"]["parameters"][p["$ref"].rsplit("/", 1)[1]] if "$ref" in p else p for p in given]
        assert wanted == {p["name"] for p in resolved if p["in"] == "path"}, f"{method} {path}"


def test_every_reference_in_the_contract_leads_somewhere(contract):
    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "$ref":
                    target = contract
                    for part in value.removeprefix("#/").split("/"):
                        target = target[part]
                else:
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(contract)


def test_every_route_but_the_public_ones_wants_a_sign_in(server, table):
    import requests

    for method, path, operation, needs in table:
        if needs == "PUBLIC":
            continue
        path = re.sub(r"\{\w+\}", "1", path)
        with requests.Session() as s:
            s.trust_env = False
            answer = s.request(method, server.url + path, json={} if method != "GET" else None, timeout=30)
        assert answer.status_code == 401, f"{operation}: {answer.status_code}"
