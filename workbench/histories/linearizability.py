"""Whether a history is linearizable, or at least sequentially consistent.

A history is linearizable when there is an order of its operations that one object could have gone through,
one after the other, in which every operation that returned before another was called stands before it.
Operations that never returned may stand anywhere after their calls, or nowhere. It is sequentially consistent
when the order need only keep that of each process (Lamport, "How to make a multiprocessor computer that
correctly executes multiprocess programs", IEEE Trans. Comput. C-28(9), 1979).

Both questions are NP-complete (Gibbons & Korach, "Testing shared memories", SIAM J. Comput. 26(4), 1997); the
cost grows with how many operations overlap, not with how many there are.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Literal, TypeAlias

from workbench.histories._columns import Columns
from workbench.histories.errors import ModelError
from workbench.histories.history import History
from workbench.histories.models.model import SequentialModel, Whole
from workbench.histories.operation import Operation
from workbench.histories.search.automaton import UnhashableStateError
from workbench.histories.search.choosing import machine_of
from workbench.histories.search.compiled import CompiledSearch, announce
from workbench.histories.search.interpreted import InterpretedSearch, Unlike
from workbench.histories.search.lanes import Lanes
from workbench.histories.search.merging import merged
from workbench.histories.search.outcome import Bounds, Outcome
from workbench.histories.verdict import Verdict

__all__ = ["Engine", "linearizable", "sequentially_consistent"]

Engine: TypeAlias = Literal["auto", "compiled", "interpreted"]
MEMORY_BYTES = 1 << 30


def linearizable(  # noqa: PLR0913 - bounds, each by its name
    history: History | Iterable[Operation],
    model: SequentialModel,
    *,
    max_steps: int | None = None,
    timeout_s: float | None = None,
    max_memory_bytes: int = MEMORY_BYTES,
    engine: Engine = "auto",
) -> Verdict:
    """Judge whether one object, doing one operation after the other, explains a history.

    Parameters
    ----------
    history : History
    model : SequentialModel
        `Register`, `KeyValue`, `Counter`, `Set`, `Queue`, `Stack`, `Lock`, or a `Model` of your own.
    max_steps : int, optional
        How many steps of the model may be tried.
    timeout_s : float, optional
    max_memory_bytes : int
        How large the search's memory may become; what is reached first ends the search undecided.
    engine : {"auto", "compiled", "interpreted"}
        Compiled, unless the states of a model of yours cannot be hashed. All engines give the same verdict.

    Returns
    -------
    Verdict
        ``.holds`` is True, False, or None with the ``.bound`` that stopped the search.

    Raises
    ------
    ModelError
        When the model does not know an operation, or its step is none; with ``engine="compiled"`` also when
        its states cannot be hashed.
    HistoryError
        When a bound is not more than zero.

    Notes
    -----
    The search of Wing & Gong with Lowe's memory of configurations, each compared in full: no verdict rests
    on a hash. A history whose operations each touch one part of the model is judged part by part.

    Examples
    --------
    >>> from workbench.histories import Register
    >>> write = Operation("A", 0, 1, ("write", 1), True)
    >>> linearizable([write, Operation("B", 2, 3, ("read",), None)], Register(0)).holds
    True
    >>> linearizable([write, Operation("B", 2, 3, ("read",), 0)], Register(0))
    Verdict: not linearizable, 2 operations; no order explains B: read() -> 0, 2 s to 3 s
    """
    judged = _history(history)
    bounds = Bounds.of(max_steps, timeout_s, max_memory_bytes)
    columns = judged.columns
    parts = _parts(columns, model)
    orders: list[list[int]] = []
    steps = 0
    for part, rows in parts.items():
        own, of_part = (model, columns) if rows is None else (model.restricted(part), columns.part(rows))
        outcome = _search(of_part, own, bounds.after(steps), engine, by_time=True)
        steps += outcome.steps
        if not outcome.holds:
            whole = judged if rows is None else History(of_part.operations)
            return _verdict("linearizable", outcome, whole, part, own, steps)
        orders.append(outcome.placed if rows is None else [rows[row] for row in outcome.placed])
    order = orders[0] if len(orders) == 1 else merged(orders, columns)
    if order is None:
        outcome = _search(columns, model, bounds.after(steps), engine, by_time=True)
        return _verdict("linearizable", outcome, judged, None, model, steps + outcome.steps)
    return _verdict("linearizable", Outcome(True, order, None, steps), judged, None, model, steps)


def sequentially_consistent(  # noqa: PLR0913 - bounds, each by its name
    history: History | Iterable[Operation],
    model: SequentialModel,
    *,
    max_steps: int | None = None,
    timeout_s: float | None = None,
    max_memory_bytes: int = MEMORY_BYTES,
    engine: Engine = "auto",
) -> Verdict:
    """Judge whether one object explains a history when only each process's own order is kept.

    Every linearizable history is sequentially consistent. Parts of a model are not judged by themselves: two
    parts that are each sequentially consistent may not be so together.

    Parameters
    ----------
    history : History
    model : SequentialModel
    max_steps, timeout_s, max_memory_bytes, engine
        As those of `linearizable`.

    Returns
    -------
    Verdict
        Its `blocking` is one of the operations that the longest order found cannot go on with.

    Raises
    ------
    ModelError, HistoryError
        As `linearizable` does.

    Examples
    --------
    >>> from workbench.histories import Register
    >>> stale = [Operation("A", 0, 1, ("write", 1), True), Operation("B", 2, 3, ("read",), 0)]
    >>> sequentially_consistent(stale, Register(0)).holds
    True
    """
    judged = _history(history)
    bounds = Bounds.of(max_steps, timeout_s, max_memory_bytes)
    _check_model(model)
    outcome = _search(judged.columns, model, bounds, engine, by_time=False)
    return _verdict("sequentially consistent", outcome, judged, None, model, outcome.steps)


def _history(given: History | Iterable[Operation]) -> History:
    return given if isinstance(given, History) else History(given)


def _check_model(given: object) -> None:
    if not isinstance(given, Whole) and not isinstance(given, SequentialModel):  # the latter is slow
        msg = f"expected a model such as Register() or Model(step, initial), got {given!r}"
        raise ModelError(msg)


def _parts(columns: Columns, model: SequentialModel) -> Mapping[Hashable | None, list[int] | None]:
    """Return the rows of each part; None for all of them, as one, where any touches the whole."""
    _check_model(model)
    if isinstance(model, Whole):
        return {None: None}
    parts: dict[Hashable | None, list[int]] = {}
    for row, asked in enumerate(columns.inputs):
        part = model.part_of(asked)
        if part is None:
            return {None: None}
        parts.setdefault(part, []).append(row)
    return parts


def _search(
    columns: Columns, model: SequentialModel, bounds: Bounds, engine: Engine, *, by_time: bool
) -> Outcome:
    if engine not in ("auto", "compiled", "interpreted"):
        msg = f'engine must be "auto", "compiled" or "interpreted", got {engine!r}'
        raise ModelError(msg)
    announce()
    if engine != "interpreted":
        try:
            machine = machine_of(model, columns)
            return CompiledSearch(Lanes.of(columns, machine, by_time=by_time), machine).run(bounds)
        except UnhashableStateError:
            if engine == "compiled":
                raise
    lanes = Lanes.of(columns, Unlike(columns), by_time=by_time)
    return InterpretedSearch(lanes, model, columns.operations).run(bounds)


def _verdict(  # noqa: PLR0913 - what there is to say
    condition: str,
    outcome: Outcome,
    history: History,
    part: Hashable | None,
    model: SequentialModel,
    steps: int,
) -> Verdict:
    operations = history.operations
    return Verdict(
        outcome.holds,
        condition,
        tuple([operations[row] for row in outcome.placed]),
        None if outcome.blocking is None else operations[outcome.blocking],
        history,
        part,
        model,
        steps,
        outcome.bound,
    )
