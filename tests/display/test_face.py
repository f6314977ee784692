"""The face of the room: complete, lazy, and light."""

import subprocess
import sys

import pytest

import workbench.display as room
from workbench.errors import WorkbenchError

PROGRAM = """
import sys
import workbench.display as room
assert "numpy" not in sys.modules
room.table(["a"], [[1]])
assert "numpy" not in sys.modules
room.heatmap([[1]], x_edges=[0, 1], y_edges=[0, 1], x_label="x", y_label="y")
assert "networkx" not in sys.modules
room.graph([("a", "b")])
for heavy in ("pandas", "pyarrow", "numba", "torch", "matplotlib", "IPython"):
    assert heavy not in sys.modules, heavy
"""


def test_every_public_name_is_there():
    for name in room.__all__:
        assert getattr(room, name) is not None
    assert set(room.__all__) <= set(dir(room))
    assert list(room.__all__) == sorted(room.__all__)


def test_modules_are_imported_only_when_needed():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)


def test_errors_are_ours_and_value_errors():
    assert issubclass(room.DisplayError, WorkbenchError)
    assert issubclass(room.DisplayError, ValueError)
    with pytest.raises(ValueError, match="ragged"):
        room.heatmap([[1, 2], [3]], x_edges=[0, 1], y_edges=[0, 1], x_label="x", y_label="y")
