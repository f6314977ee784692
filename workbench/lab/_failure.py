"""How a cell can fail by itself, before anything is compared."""

from nbformat import NotebookNode

from workbench.lab._budget import Budget
from workbench.lab._notebook import may_raise
from workbench.lab._outputs import plain
from workbench.lab._session import CellRun

__all__ = ["failure"]


def failure(cell: NotebookNode, run: CellRun, budget: Budget) -> str | None:
    """Return what went wrong when `cell` ran, or None."""
    if run.end == "kernel died":
        return f"the kernel died in this cell ({run.last_words or 'it left no word'})"
    if run.end == "out of time":
        return _out_of_time(budget)
    if run.error is not None and not may_raise(cell):
        return f"raised {run.error.ename}: {plain(run.error.evalue)}"
    return None


def _out_of_time(budget: Budget) -> str:
    if budget.is_used_up():
        return f"the notebook takes over {budget.total:g} s: its time was used up in this cell [too-slow]"
    return f"takes over {budget.cell:g} s, the time limit of one cell"
