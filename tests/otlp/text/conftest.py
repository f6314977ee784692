"""The recorded checkout's logs."""

from pathlib import Path

import pytest

from workbench import otlp

RECORDING = Path(__file__).parents[3] / "datasets" / "checkout" / "logs.otlp.zst"


@pytest.fixture(scope="session")
def checkout():
    return otlp.read(RECORDING)
