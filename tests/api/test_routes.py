"""Who may call what, by the table of routes itself. (test_openapi.py compares the table with openapi.yaml.)"""

import re
import subprocess

import pytest
import requests

from support.server import cairnd


@pytest.fixture(scope="module")
def table():
    """(method, path, operation, needs) of each row that cairnd prints."""
    done = subprocess.run([str(cairnd()), "routes"], capture_output=True, text=True)
    assert done.returncode == 0, f"cairnd routes: {done.stderr}"
    return [tuple(line.split()[:4]) for line in done.stdout.splitlines()]


def test_the_table_has_rows_and_each_its_own_name(table):
    assert len(table) > 100
    names = [operation for _, _, operation, _ in table]
    assert sorted({n for n in names if names.count(n) > 1}) == []


def test_every_row_says_what_it_needs(table):
    assert {needs for _, _, _, needs in table} == {"PUBLIC", "SIGNED_IN", "READ", "EDIT", "MANAGE", "ADMIN"}


def test_public_routes_are_few_and_known(table):
    public = {operation for _, _, operation, needs in table if needs == "PUBLIC"}
    assert public == {"health", "version", "login", "web"}


def test_every_route_but_the_public_ones_wants_a_sign_in(server, table):
    with requests.Session() as s:
        s.trust_env = False
        for method, path, operation, needs in table:
            if needs == "PUBLIC":
                continue
            path = re.sub(r"\{\w+(\.\.\.)?\}", "1", path)
            answer = s.request(method, server.url + path, json={} if method in ("POST", "PUT", "PATCH") else None, timeout=30)
            assert answer.status_code == 401, f"{operation}: {answer.status_code}"


def test_every_administrators_route_refuses_others(server, table):
    server.call("POST", "/api/v1/users", {"username": "grace", "password": "forty-two green bottles"})
    for method, path, operation, needs in table:
        if needs == "ADMIN":
            path = re.sub(r"\{\w+\}", "admin", path)
            answer = server.request(method, path, {} if method in ("POST", "PATCH") else None, auth=("grace", "forty-two green bottles"))
            assert answer.status_code == 403, f"{operation}: {answer.status_code}"
    server.call("DELETE", "/api/v1/users/grace")
