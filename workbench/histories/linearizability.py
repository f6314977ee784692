"""Whether a history is linearizable, or at least sequentially consistent.

A history is linearizable when there is an order of its operations that one object could have gone through,
one after the other, in which every operation that returned before another was called stands before it.
Operations that never returned may stand anywhere after their calls, or nowhere. It is sequentially consistent
when the order need only keep that of each process (Lamport, "How to make a multiprocessor computer that
correctly executes multiprocess programs", IEEE Trans. Comput. C-28(9), 1979).

Both questions are NP-complete (Gibbons & Korach, "Testing shared memories", SIAM J. Comput. 26(4), 1997); the
cost grows with how many operations overlap, not with how many there are.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Literal, TypeAlias

from workbench.histories.errors import ModelError
from workbench.histories.history import History
from workbench.histories.models.model import SequentialModel
from workbench.histories.operation import Operation
from workbench.histories.search.automaton import Automaton, UnhashableStateError
from workbench.histories.search.compiled import CompiledSearch
from workbench.histories.search.interpreted import InterpretedSearch
from workbench.histories.search.lanes import Lanes, by_process, by_time
from workbench.histories.search.merging import merged
from workbench.histories.search.needing import needed
from workbench.histories.search.outcome import Bounds, Outcome
from workbench.histories.verdict import Verdict

__all__ = ["Engine", "linearizable", "sequentially_consistent"]

Engine: TypeAlias = Literal["auto", "compiled", "interpreted"]
Layout: TypeAlias = Callable[[tuple[Operation, ...], list[int]], Lanes]
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
    parts = _parts(judged, model)
    orders, steps = [], 0
    for part, operations in parts.items():
        own = model if part is None else model.restricted(part)
        left = Bounds(bounds.max_steps - steps, bounds.ends_at_s, bounds.max_memory_bytes)
        outcome = _search(operations, own, left, by_time, engine)
        steps += outcome.steps
        if not outcome.holds:
            whole = History(operations) if part is not None else judged
            return _verdict("linearizable", outcome, whole, part, own, steps)
        orders.append(outcome.placed)
    order = orders[0] if len(orders) == 1 else merged(orders, judged.operations)
    if order is None:
        left = Bounds(bounds.max_steps - steps, bounds.ends_at_s, bounds.max_memory_bytes)
        outcome = _search(judged.operations, model, left, by_time, engine)
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
    outcome = _search(judged.operations, model, bounds, by_process, engine)
    return _verdict("sequentially consistent", outcome, judged, None, model, outcome.steps)


def _history(given: History | Iterable[Operation]) -> History:
    return given if isinstance(given, History) else History(given)


def _parts(history: History, model: SequentialModel) -> dict[Hashable | None, tuple[Operation, ...]]:
    """Return the operations of each part, or all of them as one where any touches the whole."""
    given: object = model  # whatever the types promise
    if not isinstance(given, SequentialModel):
        msg = f"expected a model such as Register() or Model(step, initial), got {model!r}"
        raise ModelError(msg)
    parts: dict[Hashable | None, list[Operation]] = {}
    for operation in history:
        part = model.part_of(operation.input)
        if part is None:
            return {None: history.operations}
        parts.setdefault(part, []).append(operation)
    return {part: tuple(operations) for part, operations in parts.items()}


def _search(
    operations: tuple[Operation, ...], model: SequentialModel, bounds: Bounds, layout: Layout, engine: Engine
) -> Outcome:
    if engine not in ("auto", "compiled", "interpreted"):
        msg = f'engine must be "auto", "compiled" or "interpreted", got {engine!r}'
        raise ModelError(msg)
    if engine != "interpreted":
        try:
            automaton = Automaton(model, operations)
            return CompiledSearch(layout(*automaton.relevant(operations)), automaton).run(bounds)
        except UnhashableStateError:
            if engine == "compiled":
                raise
    return InterpretedSearch(layout(operations, list(range(len(operations)))), model).run(bounds)


def _verdict(  # noqa: PLR0913 - what there is to say
    condition: str,
    outcome: Outcome,
    history: History,
    part: Hashable | None,
    model: SequentialModel,
    steps: int,
) -> Verdict:
    return Verdict(
        outcome.holds,
        condition,
        needed(outcome.placed, model),
        outcome.blocking,
        history,
        part,
        model,
        steps,
        outcome.bound,
    )
