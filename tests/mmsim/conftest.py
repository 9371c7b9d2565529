import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from simctl import Sim  # noqa: E402
from wiresetup import Setup  # noqa: E402


@pytest.fixture(scope="module")
def sim():
    with Sim() as s:
        yield s


@pytest.fixture(scope="module")
def setup(sim):
    return Setup(sim)
