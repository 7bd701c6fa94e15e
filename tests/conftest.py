"""For all pytest suites: the servers, and their logs beside a failed test."""

import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from support import reached  # noqa: E402
from support.server import Server  # noqa: E402

if "CAIRN_REACHED" in os.environ:
    reached.note()


def pytest_sessionfinish():
    if "CAIRN_REACHED" in os.environ:
        reached.write(os.environ["CAIRN_REACHED"])


@pytest.fixture(scope="session")
def server():
    """One server for all tests that leave it whole."""
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def untouched():
    """The data folder of a server that was started once and stopped."""
    with Server() as running:
        assert running.stop() == 0
        yield running.data


@pytest.fixture
def fresh_server(untouched):
    """A server for this test alone, to be stopped, killed and looked into. A copy: initdb takes a second."""
    with Server(start=False) as running:
        subprocess.run(["cp", "-a", str(untouched), str(running.data)], check=True)
        yield running.start()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    for server in Server.live:
        server.mark()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for server in Server.live:
        for name, text in server.logs_since_mark():
            if text:
                report.sections.append((f"log of {name}, {server.data}", text[-40000:]))
