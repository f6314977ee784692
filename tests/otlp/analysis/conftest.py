"""The recording whose faults are known; and every test draws in matplotlib's own style."""

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from workbench import otlp

CHECKOUT = Path(__file__).parents[3] / "datasets" / "checkout"


@pytest.fixture(scope="session")
def checkout():
    return CHECKOUT


@pytest.fixture(scope="session")
def recording():
    return otlp.read(CHECKOUT / "traces.otlp.zst")


@pytest.fixture(autouse=True)
def _own_style():
    with mpl.rc_context():
        yield
    plt.close("all")
