"""The environment of kernels is pinned, and only theirs."""

import os

from workbench.lab import kernel_environment
from workbench.lab._environment import PINNED, REMOVED


def test_what_changes_outputs_is_pinned_and_the_rest_inherited(monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("MY_OWN", "kept")
    environment = kernel_environment()
    assert environment.items() >= PINNED.items()
    assert environment["MY_OWN"] == "kept"


def test_what_would_change_python_from_outside_is_removed(monkeypatch):
    for name in REMOVED:
        monkeypatch.setenv(name, "1")
    assert REMOVED.isdisjoint(kernel_environment())


def test_this_process_keeps_its_environment():
    before = dict(os.environ)
    kernel_environment()["TZ"] = "elsewhere"
    assert dict(os.environ) == before
