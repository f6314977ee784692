"""Histories and verdicts as pictures: lanes of operations, the order found, what cannot be placed."""

import math
from typing import Any

from workbench import display
from workbench.histories.history import History
from workbench.histories.models.registers import KeyValue
from workbench.histories.operation import Operation
from workbench.histories.verdict import Verdict

__all__ = ["draw_history", "draw_verdict"]

MOST = 40  # operations that can be told apart
ANSWERING = frozenset({"dequeue", "get", "peek", "pop", "read", "swap"})  # of which nothing is an answer


def draw_history(history: History, title: str) -> display.Picture:
    """Draw the first operations of a history."""
    shown = history.operations[:MOST]
    more = len(history) - len(shown)
    footnote = f"the first {MOST} operations; {more:,} more" if more else ""
    return display.schedule(**_columns(shown), title=title, footnote=footnote)


def draw_verdict(verdict: Verdict, title: str) -> display.Picture:
    """Draw the operations around the end of the order, and the order through them."""
    shown = _around(verdict)
    rows = {id(operation): row for row, operation in enumerate(shown)}
    states = _states(verdict)
    placed = [k for k, operation in enumerate(verdict.prefix) if id(operation) in rows]
    hidden = len(verdict.history) - len(shown)
    return display.schedule(
        **_columns(shown),
        order=[rows[id(verdict.prefix[k])] for k in placed],
        notes=[states[k] for k in placed],
        blocked=None if verdict.blocking is None else rows[id(verdict.blocking)],
        title=title or _finding(verdict),
        footnote=f"{hidden:,} of {len(verdict.history):,} operations are not shown" if hidden else "",
    )


def _columns(operations: tuple[Operation, ...]) -> dict[str, Any]:
    return {
        "lane": [str(operation.process) for operation in operations],
        "start": [operation.call_s for operation in operations],
        "end": [math.inf if each.return_s is None else each.return_s for each in operations],
        "label": [_label(operation) for operation in operations],
        "tip": [repr(operation) for operation in operations],
    }


def _label(operation: Operation) -> str:
    """Return an operation as text, without an answer that says nothing."""
    if operation.output is None and operation.is_pending:
        return operation.text.removesuffix(" -> ?")
    return operation.text if operation.name in ANSWERING else operation.text.removesuffix(" -> NIL")


def _around(verdict: Verdict) -> tuple[Operation, ...]:
    """Return the operations nearest to the blocking one, those that it may depend on first."""
    operations = verdict.history.operations
    if len(operations) <= MOST:
        return operations
    middle = verdict.blocking or (verdict.prefix[-1] if verdict.prefix else operations[0])
    end_s = math.inf if middle.return_s is None else middle.return_s

    def distance(row: int) -> tuple[bool, bool, float, int]:
        operation = operations[row]
        return operation is not middle, operation.call_s > end_s, _apart(operation, middle), -row

    return tuple(operations[row] for row in sorted(sorted(range(len(operations)), key=distance)[:MOST]))


def _apart(operation: Operation, middle: Operation) -> float:
    """Return the seconds between two operations; zero where they overlap."""
    end = math.inf if operation.return_s is None else operation.return_s
    middle_end = math.inf if middle.return_s is None else middle.return_s
    return max(middle.call_s - end, operation.call_s - middle_end, 0.0)


def _states(verdict: Verdict) -> list[str]:
    """Return what the object holds after each operation of the order."""
    state = verdict.model.start
    texts = []
    for operation in verdict.prefix:
        _, state = verdict.model.step(state, operation.input, operation.output)
        texts.append(_state_text(state, by_key=isinstance(verdict.model, KeyValue)))
    return texts


def _state_text(state: Any, *, by_key: bool) -> str:
    if by_key:
        return ", ".join(sorted(f"{key}: {value}" for key, value in state)) or "empty"
    if isinstance(state, frozenset):
        return "{" + ", ".join(sorted(map(str, state))) + "}"
    return str(state)


def _finding(verdict: Verdict) -> str:
    operations = display.plural(len(verdict.history), "operation")
    if verdict.holds:
        return f"{verdict.condition.capitalize()}: one order explains all {operations}"
    if verdict.holds is None:
        return f"Undecided {verdict.bound}: {len(verdict.prefix):,} of {operations} placed"
    blocking = verdict.blocking
    who = "" if blocking is None else f": no order explains {blocking.text} of {blocking.process}"
    where = "" if verdict.part is None else f" (part {verdict.part!r})"
    return f"Not {verdict.condition}{where}{who}"
