"""Notebooks under pytest-xdist: the cells of a notebook share a kernel, so they stay on one worker.

``loadscope`` and ``loadfile`` do this by themselves. ``load``, the default of ``-n 2``, ``worksteal`` and
``loadgroup`` spread the tests of a file; here they spread all other tests as before, and take a notebook as
one piece.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling, LoadScopeScheduling  # type: ignore[import-untyped]

__all__ = ["scheduler"]


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Return the scheduler that keeps notebooks whole, or None where xdist's own does."""
    mode = config.getoption("dist")
    if mode in {"load", "worksteal"}:
        return _WholeNotebooks(config, log)
    return _WholeNotebooksAndGroups(config, log) if mode == "loadgroup" else None


class _WholeNotebooks(LoadScopeScheduling):  # type: ignore[misc]
    """One test at a time, but all of a notebook."""

    def _split_scope(self, nodeid: str) -> str:
        return _notebook(nodeid) or nodeid


class _WholeNotebooksAndGroups(LoadGroupScheduling):  # type: ignore[misc]
    """One group at a time, and all of a notebook."""

    def _split_scope(self, nodeid: str) -> str:
        return _notebook(nodeid) or super()._split_scope(nodeid)


def _notebook(nodeid: str) -> str | None:
    file = nodeid.partition("::")[0]
    return file if file.endswith(".ipynb") else None
