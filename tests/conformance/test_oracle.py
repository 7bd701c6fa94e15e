"""A real MLflow server and cairnd, asked the same: what differs stands in oracle/differences.py, or is a fault."""

import os
import pathlib
import random
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "oracle"))

import compare  # noqa: E402
import generated  # noqa: E402
import sequences  # noqa: E402
from pair import Pair  # noqa: E402

mlflow_version = pytest.importorskip("mlflow.version").VERSION
pytestmark = [pytest.mark.since(3), pytest.mark.skipif(not mlflow_version.startswith("3.17."), reason="MLflow 3.17 is the reference")]

SECONDS = 600 if os.environ.get("CAIRN_LONG") else 45
# the test command asks the same every time; --long asks something new
SEED = int(os.environ.get("CAIRN_SEED", time.time_ns() & 0xFFFFFF if os.environ.get("CAIRN_LONG") else 2026))


@pytest.fixture(scope="module")
def pair():
    with compare.both() as (theirs, ours):
        yield Pair(theirs, ours, None)


def expect_the_same(pair, what, ask):
    report = compare.Report(show=20)
    pair.on_exchange, pair.sequence = report.exchange, what
    ask()
    print(report.summary())
    assert report.requests > 0
    assert not report.wrong, f"{len(report.wrong)} answers differ (see above); the first: {report.wrong[0]}"


@pytest.mark.parametrize("name", sequences.load())
def test_sequence(pair, name):
    expect_the_same(pair, name, lambda: sequences.load()[name](pair))


def test_generated_searches(pair):
    print(f"seed {SEED}: CAIRN_SEED={SEED} asks the same again")
    expect_the_same(pair, "generated", lambda: generated.searches(pair, random.Random(SEED), time.monotonic() + SECONDS))
