"""What all tests share: a Hypothesis profile without clocks, and pytest's own fixture for testing plugins."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

settings.register_profile(
    "workbench", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("workbench")
