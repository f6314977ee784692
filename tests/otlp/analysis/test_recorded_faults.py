"""What the tour does, on recordings that it has never seen: other windows, another culprit, no fault."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from workbench import otlp

CHECKOUT = Path(__file__).parents[3] / "datasets" / "checkout"
TRUTH = re.compile(
    r"^\| (slow|failing) \| (\w+) \| [\d.]+ \| [\d.]+ \| (\S+Z) \| (\S+Z) \|$", re.MULTILINE
)  # kind, service, from and to of the README's ground truth
EDGE_S = 2.0


def truth(folder):
    """Return the fault windows that the recorder wrote down: kind, service, start, end."""
    rows = TRUTH.findall((folder / "README.md").read_text())
    return [(kind, service, pd.Timestamp(start), pd.Timestamp(end)) for kind, service, start, end in rows]


def assert_found(folder):
    faults = otlp.find_faults(otlp.read(folder / "traces.otlp.zst")).windows.to_pylist()
    expected = truth(folder)
    assert [(row["kind"], row["service"]) for row in faults] == [row[:2] for row in expected]
    for row, (_, _, start, end) in zip(faults, expected, strict=True):
        assert abs((row["start"] - start).total_seconds()) < EDGE_S
        assert abs((row["end"] - end).total_seconds()) < EDGE_S


def test_the_committed_recording_gives_up_its_faults():
    assert len(truth(CHECKOUT)) == 2
    assert_found(CHECKOUT)


def record(folder, *arguments):
    command = [sys.executable, CHECKOUT / "record.py", "--out", folder, "--rate", "8", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


@pytest.mark.slow
def test_another_culprit_at_other_times_is_found(tmp_path):
    windows = ["--slow", "22:31", "--failing", "7:15"]
    folder = record(
        tmp_path / "inventory", "--seconds", "38", "--culprit", "inventory", "--seed", "3", *windows
    )
    assert [row[:2] for row in truth(folder)] == [("failing", "inventory"), ("slow", "inventory")]
    assert_found(folder)


@pytest.mark.slow
def test_a_recording_without_faults_has_none(tmp_path):
    folder = record(tmp_path / "none", "--seconds", "25", "--culprit", "none", "--seed", "5")
    assert truth(folder) == []
    assert_found(folder)
