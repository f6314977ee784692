"""Check a model: explore its states, and say whether its properties hold."""

from concurrent.futures import Executor
from typing import Any, Literal

from workbench.model.formal.errors import ModelError
from workbench.model.formal.explorations import Exploration, Limits
from workbench.model.formal.interpreting.exploring import explore
from workbench.model.formal.models import Specification, specification
from workbench.model.formal.statistics import statistics_of
from workbench.model.formal.traces import violation
from workbench.model.formal.verdicts import Verdict

__all__ = ["check"]


def check(
    model: Any,
    *,
    engine: Literal["auto", "python", "compiled"] = "auto",
    max_states: int | None = None,
    max_depth: int | None = None,
    timeout_s: float | None = None,
    symmetry: bool = False,
    reduction: bool = False,
    stop_at_first: bool = False,
    progress: bool = False,
    executor: Executor | None = None,
) -> Verdict:
    """Explore a model's states breadth first, and return whether its properties hold."""
    declared = specification(model)
    limits = Limits(max_states, max_depth, timeout_s, None, stop_at_first)
    return verdict_of(declared, _explored(declared, limits, engine))


def _explored(declared: Specification, limits: Limits, engine: str) -> Exploration:
    if engine == "python":
        return explore(declared, limits)
    if engine == "compiled":
        from workbench.model.formal.compiling.exploring import explore as explore_compiled

        return explore_compiled(declared, limits)
    msg = f"engine must be 'auto', 'python' or 'compiled', got {engine!r}"
    raise ModelError(msg)


def verdict_of(declared: Specification, explored: Exploration) -> Verdict:
    """Return the verdict that an exploration gives on states and steps."""
    found = [violation(declared, explored, each) for each in explored.violations]
    found.sort(key=lambda each: len(each.trace))
    return Verdict(
        model=declared.model,
        holds=False if found else (None if explored.bound else True),
        distinct=explored.distinct,
        generated=explored.generated,
        depth=explored.depth,
        violations=tuple(found),
        bound=explored.bound,
        statistics=statistics_of(declared, explored),
        engine=explored.engine,
    )
