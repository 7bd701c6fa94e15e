"""The real MLflow client, in one process (importing it is slow), against one cairnd.

The same tests run under each client of requirements-*.txt; @pytest.mark.since(3) is what the clients before it do not have.
"""

import importlib.metadata
import os
import pathlib
import tempfile

import pytest

from support.server import Server

os.environ["MPLBACKEND"] = "Agg"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
os.environ["NO_PROXY"] = "127.0.0.1,localhost"
os.environ["GIT_PYTHON_REFRESH"] = "quiet"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "2"  # a 5xx shall fail soon
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
os.environ["TQDM_DISABLE"] = "1"


GENERATION = int(importlib.metadata.version("mlflow").split(".")[0])


def pytest_configure(config):
    config.addinivalue_line("markers", "since(generation): clients before it have no such function")


def pytest_collection_modifyitems(config, items):
    """What a client does not have is no test of it, not a skipped one."""
    later = [i for i in items if any(m.args[0] > GENERATION for m in i.iter_markers("since"))]
    config.hook.pytest_deselected(items=later)
    items[:] = [i for i in items if i not in later]


@pytest.fixture(scope="session")
def generation():
    """The client's major version."""
    return GENERATION


@pytest.fixture(scope="session")
def server():
    """One server, and the client pointed at it by the environment alone, as a user does it."""
    with tempfile.TemporaryDirectory() as work, Server() as running:
        os.chdir(work)  # nothing may be written beside the tests
        os.environ["MLFLOW_TRACKING_URI"] = running.url
        os.environ["MLFLOW_TRACKING_USERNAME"] = running.user
        os.environ["MLFLOW_TRACKING_PASSWORD"] = running.password
        yield running
        assert not pathlib.Path(work, "mlruns").exists(), "the client wrote to a folder instead of the server"
        os.chdir("/")


@pytest.fixture(scope="session")
def mlflow(server):
    import mlflow as package

    return package


@pytest.fixture(scope="session")
def client(mlflow):
    return mlflow.MlflowClient()


@pytest.fixture
def experiment(request, mlflow):
    """An experiment of this test, made the current one."""
    mlflow.end_run()
    yield mlflow.set_experiment(request.node.name)
    mlflow.end_run()
