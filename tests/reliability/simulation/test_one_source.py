"""Each transition is written once: change its source, and both worlds change."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import workbench

PROGRAM = """
import json
from workbench.clock import VirtualClock
from workbench.reliability.errors import RateLimitedError
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.simulation.decisions import decisions

clock = VirtualClock()
limiter = RateLimiter.gcra(rate_hz=1.0, burst=2, clock=clock)
limited = limiter(lambda: None)
live, at_s = [], []
for _ in range(12):
    at_s.append(clock.now())
    try:
        limited()
        live.append(True)
    except RateLimitedError:
        live.append(False)
    clock.advance(0.25)
print(json.dumps({"live": live, "compiled": decisions(limiter, at_s).tolist()}))
"""


def decide(root, cache):
    """Return what both worlds of the package under a folder decide."""
    environment = {"PYTHONPATH": str(root), "NUMBA_CACHE_DIR": str(cache), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, cwd=root
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_change_of_a_transition_changes_both_worlds(tmp_path):
    package = Path(workbench.__file__).parent
    copy = tmp_path / "workbench"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = decide(tmp_path, tmp_path / "before")
    assert before["live"] == before["compiled"]

    source = copy / "reliability" / "machines" / "gcra.py"
    text = source.read_text()
    assert text.count("following = expected + cost\n") == 1
    source.write_text(text.replace("following = expected + cost\n", "following = expected + 2.0 * cost\n"))
    after = decide(tmp_path, tmp_path / "after")
    assert after["live"] == after["compiled"]
    assert after["live"] != before["live"]
