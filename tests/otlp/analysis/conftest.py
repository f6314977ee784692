"""The recording whose faults are known."""

from pathlib import Path

import pytest

from workbench import otlp

CHECKOUT = Path(__file__).parents[3] / "datasets" / "checkout"


@pytest.fixture(scope="session")
def recording():
    return otlp.read(CHECKOUT / "traces.otlp.zst")


@pytest.fixture(scope="session")
def checkout():
    return CHECKOUT
