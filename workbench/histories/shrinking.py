"""The smallest part of a history that still cannot be explained.

An operation is withdrawn when the rest fails without it. What that means for what it did is a choice:

- it may still have happened (`removed="possible"`). The rest must fail whatever the withdrawn operations did,
  and whether they did it: they stay in the check as some that never returned, with an answer that nobody
  knows. And by itself the rest must fail at the operation at which the whole history fails, and not earlier
  for want of one that was withdrawn: a read of 1 keeps the write of 1 beside it.
- it never was (`removed="absent"`). What is left is smaller, and may fail only because a value that is read
  was never written.

Operations are withdrawn in halves, quarters and so on down to single ones, until none can be (Zeller &
Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28(2), 2002). Everything called
after the blocking operation has returned goes first: no later operation can explain it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Literal, TypeAlias

from workbench.histories.errors import HistoryError
from workbench.histories.history import History
from workbench.histories.linearizability import linearizable
from workbench.histories.models.model import SequentialModel
from workbench.histories.operation import Operation
from workbench.histories.verdict import Verdict

__all__ = ["Removed", "shrink"]

Removed: TypeAlias = Literal["possible", "absent"]
Kept: TypeAlias = tuple[int, ...]  # rows of the history
CHECK_STEPS = 2_000_000  # of each attempt


def shrink(
    history: History,
    model: SequentialModel,
    *,
    removed: Removed = "possible",
    max_steps: int = CHECK_STEPS,
) -> History:
    """Return a smallest sub-history that is still not linearizable.

    Parameters
    ----------
    history : History
        One that is not linearizable.
    model : SequentialModel
    removed : {"possible", "absent"}
        Whether an operation that is withdrawn may still have happened, or never was.
    max_steps : int
        How many steps each attempt may take; where it is not decided by then, the operation stays.

    Returns
    -------
    History
        It is not linearizable, and 1-minimal: with any one more of its operations withdrawn, it does not fail
        in the sense that `removed` says, or that was not decided. A smaller history may exist that does not
        come of withdrawing more.

    Raises
    ------
    HistoryError
        When the history is linearizable, or that was not decided.

    Examples
    --------
    >>> from workbench.histories import Register
    >>> one, two = Operation("A", 0, 1, ("write", 1), True), Operation("A", 2, 3, ("write", 2), True)
    >>> noise, stale = Operation("C", 0, 9, ("read",), 2), Operation("B", 4, 5, ("read",), 1)
    >>> [each.text for each in shrink(History([one, two, noise, stale]), Register())]
    ['write(1) -> True', 'write(2) -> True', 'read() -> 1']
    >>> len(shrink(History([one, two, noise, stale]), Register(), removed="absent"))
    1
    """
    if removed not in ("possible", "absent"):
        msg = f'removed must be "possible" or "absent", got {removed!r}'
        raise HistoryError(msg)
    verdict = linearizable(history, model)
    if verdict.blocking is None or verdict.blocking.return_s is None:
        found = "linearizable" if verdict.holds else f"undecided {verdict.bound}"
        msg = f"only a history that is not linearizable can be shrunk; this one is {found}"
        raise HistoryError(msg)
    before = tuple(each for each in verdict.history if each.call_s <= verdict.blocking.return_s)
    fails = _Failing(before, verdict, max_steps)
    check = fails.whatever_happened if removed == "possible" else fails.alone
    return History(before[row] for row in _minimal(tuple(range(len(before))), check))


class _Failing:
    """Whether some operations of a history fail."""

    def __init__(self, operations: tuple[Operation, ...], verdict: Verdict, max_steps: int) -> None:
        self.operations, self.model, self.blocking = operations, verdict.model, verdict.blocking
        self.max_steps = max_steps

    def alone(self, kept: Kept) -> bool:
        """Tell whether they fail by themselves."""
        return self._judge(self.operations[row] for row in kept).holds is False

    def whatever_happened(self, kept: Kept) -> bool:
        """Tell whether they fail as the whole history does, and whatever the others did."""
        found = self._judge(self.operations[row] for row in kept)
        return found.blocking is self.blocking and self._judge(self._possible(kept)).holds is False

    def _judge(self, operations: Iterable[Operation]) -> Verdict:
        return linearizable(History(operations), self.model, max_steps=self.max_steps)

    def _possible(self, kept: Kept) -> Iterator[Operation]:
        """Yield those kept, and the others as some that may have happened, each in a process of its own."""
        rows = set(kept)
        for row, operation in enumerate(self.operations):
            if row in rows:
                yield operation
            else:
                yield replace(operation, process=("withdrawn", row), return_s=None, output=None)


def _minimal(rows: Kept, fails: Callable[[Kept], bool]) -> Kept:
    """Withdraw runs of rows, each half as long as the last, until no single one can be."""
    size = max(1, len(rows) // 2)
    while True:
        rows, shrank = _without_runs(rows, size, fails)
        if size == 1 and not shrank:
            return rows
        size = max(1, size // 2)


def _without_runs(rows: Kept, size: int, fails: Callable[[Kept], bool]) -> tuple[Kept, bool]:
    """Withdraw every run of some size that can be, from the last to the first."""
    shrank = False
    for start in reversed(range(0, len(rows), size)):
        fewer = rows[:start] + rows[start + size :]
        if fails(fewer):
            rows, shrank = fewer, True
    return rows, shrank
