"""Decoding takes less than two and a half times the message, the message itself included."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MEASURE = """
import resource, sys
from pathlib import Path
from workbench import otlp

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

otlp.Traces.from_otlp(Path(sys.argv[1]).read_bytes()[:0])  # load what is loaded once
before = peak()
data = Path(sys.argv[1]).read_bytes()
traces = otlp.Traces.from_otlp(data)
print(len(traces), (peak() - before) / len(data))
"""
WRITE = """
import sys
sys.path.insert(0, sys.argv[2])
from otlp_data import traces
with open(sys.argv[1], "wb") as file:
    file.writelines(traces(100_000))
"""


@pytest.mark.slow
def test_the_peak_is_below_two_and_a_half_messages(tmp_path):
    path = tmp_path / "traces.pb"
    subprocess.run([sys.executable, "-c", WRITE, path, BENCHMARKS], check=True)
    said = subprocess.check_output([sys.executable, "-c", MEASURE, path], text=True)
    spans, ratio = said.split()
    assert int(spans) == 100_000
    assert float(ratio) < 2.5
