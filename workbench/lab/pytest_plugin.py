"""The harness as a pytest plugin: loaded in every pytest run, awake only where nbval runs notebooks.

This module is an entry point (``pytest11``), so it is imported wherever workbench is installed. It looks
whether ``--nbval`` or ``--nbval-lax`` was given, and only then imports and registers
`workbench.lab._harness`. ``-p no:workbench`` leaves it out.
"""

import pytest

__all__ = ["pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Register the harness if this run tests notebooks."""
    if _runs_notebooks(config):
        from workbench.lab import _harness  # noqa: PLC0415  # Jupyter is imported only where notebooks run

        _harness.register(config)


def _runs_notebooks(config: pytest.Config) -> bool:
    """Say whether nbval is installed, not blocked, and asked to run notebooks."""
    return bool(config.getoption("nbval", default=False) or config.getoption("nbval_lax", default=False))
