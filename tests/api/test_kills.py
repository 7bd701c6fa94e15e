"""The checker of tests/faults, a few kills long: what was acknowledged is there, once, whatever was killed and when."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "faults"))

import checker  # noqa: E402
from support.api import LONG  # noqa: E402


@pytest.mark.parametrize("how", [["--kills", "5"], ["--kills", "3", "--embedded"]], ids=["two servers on one PostgreSQL", "embedded"])
def test_kills_lose_nothing_and_double_nothing(how):
    if LONG:
        how = [*how, "--kills", "50"]
    assert checker.run(checker.words(how))
