"""Check a model: explore its states, and say whether its properties hold."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from workbench.model.formal._engines import (
    Engine,
    How,
    explored,
    explored_alike,
    explored_graph,
    explored_reduced,
)
from workbench.model.formal._explorations import Edges, Exploration, Limits
from workbench.model.formal._models import Specification, specification
from workbench.model.formal._statistics import statistics_of
from workbench.model.formal._storages import Storage, storage_of
from workbench.model.formal._traces import violation
from workbench.model.formal._watching import Progress, watching
from workbench.model.formal.errors import ModelError
from workbench.model.formal.verdicts import Verdict, Violation

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check"]


def check(  # noqa: PLR0913 - each has its default
    model: Any,
    *,
    engine: Engine = "auto",
    max_states: int | None = None,
    max_depth: int | None = None,
    timeout_s: float | None = None,
    symmetry: bool = False,
    reduction: bool = False,
    storage: Storage | Literal["hash compaction", "bitstate"] = "exact",
    stop_at_first: bool = False,
    progress: Progress = False,
    executor: Any = None,
    memory_bytes: int | None = None,
    threads: int = 1,
    checkpoint: "str | Path | None" = None,
) -> Verdict:
    """Explore a model's states breadth first, and return whether its properties hold.

    Parameters
    ----------
    model : class
        Derived from `Model`.
    engine : "auto", "python" or "compiled"
        "auto" interprets the model, and compiles it when it has more than some ten thousand states, or less
        than whole states are kept.
    max_states, max_depth, timeout_s, memory_bytes
        Where to end before everything was seen: distinct states, breadth-first levels, seconds, bytes of all
        states. The verdict then is undecided, unless something is wrong.
    symmetry : bool
        Explore one of all states that are renamings of each other; the model says by `Symmetric(n)` what may
        be renamed.
    reduction : bool
        Leave out orders of steps that make no difference to deadlocks and invariants. Interpreted.
    storage : "exact", "hash compaction", "bitstate", or a HashCompaction or Bitstate
        What is kept of each state: all of it, or, by the compiled engine, a hash or some bits. A search that
        keeps less finds real violations only, but may omit states: where it finds none, the verdict is
        undecided, and says how probable that is. For the behaviour that leads to a violation it is run again,
        twice, with four bytes more a state.
    stop_at_first : bool
        End with the first violation; otherwise the whole space is explored.
    threads : int
        How many threads of the compiled engine share the states: 1, or a power of two up to 64. With several,
        limits may be passed by a little, and the trace is one of the shortest, but not always the same.
    checkpoint : path, optional
        A file that the compiled engine begins from if it is there, and leaves behind when it is interrupted
        or comes to a limit; every minute it is written anew. It goes when everything was seen.
    executor : concurrent.futures.Executor or a Dask client, optional
        Expands states in other processes, level by level, in the same order.
    progress : bool or callable
        Show states, states a second, those that wait, depth and time left; or call with them.

    Raises
    ------
    ModelError
        When this is no model.
    ActionError
        When the model's own code fails.
    NotCompilableError
        When the compiled engine was asked for, and a line of the model cannot be compiled.

    Notes
    -----
    Counts follow TLC: `generated` are the initial states and every successor, duplicates included; `depth` is
    the number of breadth-first levels.
    """
    declared = specification(model)
    limits = Limits(max_states, max_depth, timeout_s, memory_bytes, stop_at_first)
    how = How(threads, _as_path(checkpoint), _as_executor(executor), storage_of(storage))
    alike = symmetry or bool(declared.of_kind("view"))
    if (alike or reduction or declared.temporal) and (how.threads != 1 or how.elsewhere):
        msg = f"{declared.name}: threads, checkpoints and executors go with plain exploration only"
        raise ModelError(msg)
    with watching(progress, max_states) as watch:
        if reduction:
            less = explored_reduced(declared, limits, engine, watch, how, symmetry=symmetry)
            return verdict_of(declared, less)
        if alike:
            less, note = explored_alike(declared, limits, engine, watch, how, symmetry=symmetry)
            return verdict_of(declared, less, note)
        if declared.temporal:
            _need_all_states(declared, how)
            edges = explored_graph(declared, limits, engine, watch)
            return verdict_of(declared, edges.explored, more=_temporal(declared, edges))
        found, note = explored(declared, limits, engine, watch, how)
    return verdict_of(declared, found, note)


def _need_all_states(declared: Specification, how: How) -> None:
    if how.forgets:
        msg = f"{declared.name} has temporal properties, which need storage='exact'"
        raise ModelError(msg)


def _as_path(checkpoint: Any) -> "Path | None":
    if checkpoint is None:
        return None
    from pathlib import Path  # noqa: PLC0415 - it takes a tenth of the time to a first verdict

    try:
        return Path(checkpoint)
    except TypeError:
        msg = f"checkpoint must be a path, got {checkpoint!r}"
        raise ModelError(msg) from None


def _as_executor(executor: Any) -> Any:
    """Return an executor as it was given: one, or a Dask client, which makes one."""
    return executor.get_executor(pure=False) if hasattr(executor, "get_executor") else executor


def _temporal(declared: Specification, edges: Edges) -> list[Violation]:
    from workbench.model.formal.temporal.checking import violations  # noqa: PLC0415 - it imports Numba

    return violations(declared, edges)


def verdict_of(
    declared: Specification, explored: Exploration, note: str = "", more: Sequence[Violation] = ()
) -> Verdict:
    """Return the verdict that an exploration gives on states and steps."""
    found = [violation(declared, explored, each) for each in explored.violations]
    found = sorted([*found, *more], key=lambda each: len(each.trace))
    bound = explored.bound or str(explored.omissions or "")
    return Verdict(
        model=declared.model,
        holds=False if found else (None if bound else True),
        distinct=explored.distinct,
        generated=explored.generated,
        depth=explored.depth,
        violations=tuple(found),
        bound=bound,
        omissions=explored.omissions,
        statistics=statistics_of(declared, explored),
        engine=explored.engine,
        memory_bytes=explored.memory_bytes,
        notes=(note,) if note else (),
    )
