"""What a test draws stays its own: the style, and the figures."""

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

mpl.use("agg")


@pytest.fixture(autouse=True)
def _own_style():
    with mpl.rc_context():
        yield
    plt.close("all")
