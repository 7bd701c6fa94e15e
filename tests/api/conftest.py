"""The protocol over the servers of tests/conftest.py."""

import pytest

from support.api import Api


@pytest.fixture
def api(server):
    return Api(server)


@pytest.fixture
def fresh_api(fresh_server):
    return Api(fresh_server)
