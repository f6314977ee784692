"""What all tests share: a Hypothesis profile without clocks, pytest's fixture for plugins, one Chromium."""

import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

settings.register_profile(
    "workbench",
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES", "60")),  # fewer where a second Python looks
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("workbench")


@pytest.fixture(scope="session")
def chromium():
    """Run Chromium; without one skip, but fail where a browser is promised (CI=true)."""
    from lab.laboratory_driver import browsing, find_chromium

    program = find_chromium()
    if program is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("no Chromium or Chrome found: apt-get install chromium")
    with browsing(program) as browser:
        yield browser
