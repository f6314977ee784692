"""Which engine explores a model: the interpreted one at once, the compiled one where a model outgrows it."""

from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from workbench.model.formal._explorations import Edges, Exploration, Limits
from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal._watching import Watch
from workbench.model.formal.errors import ModelError, NotCompilableError
from workbench.model.formal.interpreting import exploring as interpreted
from workbench.model.formal.interpreting.exploring import Outgrown

__all__ = ["Engine", "How", "explored", "explored_graph"]

Engine: TypeAlias = Literal["auto", "python", "compiled"]
ENGINES = get_args(Engine)
THREADS = (1, 2, 4, 8, 16, 32, 64)
OUTGROWN_AT = 10_000  # states: about a second of interpreting, as long as compiling takes


@dataclass(frozen=True, slots=True)
class How:
    """How the compiled engine runs: by how many threads, from and to which file, over which executor."""

    threads: int = 1
    checkpoint: Path | None = None
    executor: Executor | None = None

    def __post_init__(self) -> None:
        if self.threads not in THREADS:
            msg = f"threads must be 1, 2, 4, 8, 16, 32 or 64, got {self.threads!r}"
            raise ModelError(msg)
        if self.executor is not None and not hasattr(self.executor, "submit"):
            msg = f"executor must be a concurrent.futures.Executor or a Dask client, got {self.executor!r}"
            raise ModelError(msg)
        if self.checkpoint is not None and not self.checkpoint.parent.is_dir():
            msg = f"checkpoint {self.checkpoint} cannot be written: its folder does not exist"
            raise ModelError(msg)

    @property
    def elsewhere(self) -> bool:
        """Whether this is for the compiled engine whatever the model's size."""
        return self.checkpoint is not None or self.executor is not None


ALONE = How()


def explored(
    declared: Specification, limits: Limits, engine: Engine, watch: Watch | None, how: How = ALONE
) -> tuple[Exploration, str]:
    """Return what an engine found, and a note where that was not the engine one would expect.

    Raises
    ------
    NotCompilableError
        When the compiled engine was asked for, and the model has no compiled form.
    """
    _check(engine)
    if engine == "auto":
        return _explored_by_size(declared, limits, watch, how)
    if engine == "python":
        if how.elsewhere or how.threads != 1:
            msg = "threads, checkpoints and executors are known to the compiled engine only"
            raise ModelError(msg)
        return interpreted.explore(declared, limits, watch=watch), ""
    return _explored_compiled(declared, limits, watch, how), ""


def _check(engine: str) -> None:
    if engine not in ENGINES:
        msg = f"engine must be one of {', '.join(ENGINES)}, got {engine!r}"
        raise ModelError(msg)


def _explored_by_size(
    declared: Specification, limits: Limits, watch: Watch | None, how: How
) -> tuple[Exploration, str]:
    if how.elsewhere:
        return _explored_compiled(declared, limits, watch, how), ""
    try:
        return interpreted.explore(declared, limits, outgrown_at=OUTGROWN_AT, watch=watch), ""
    except Outgrown:
        pass
    try:
        return _explored_compiled(declared, limits, watch, how), ""
    except NotCompilableError as error:
        return interpreted.explore(declared, limits, watch=watch), f"interpreted: {error}"


def _explored_compiled(declared: Specification, limits: Limits, watch: Watch | None, how: How) -> Exploration:
    if how.threads == 1:
        explored: Exploration = _compiled().explore(
            declared, limits, watch=watch, checkpoint=how.checkpoint, executor=how.executor
        )
        return explored
    if how.elsewhere:
        msg = "threads go with neither a checkpoint nor an executor"
        raise ModelError(msg)
    from workbench.model.formal.compiling import parallel  # noqa: PLC0415 - it imports Numba

    return parallel.explore(declared, limits, how.threads, watch=watch)


def explored_less(  # noqa: PLR0913
    declared: Specification,
    limits: Limits,
    engine: Engine,
    watch: Watch | None,
    *,
    symmetry: bool,
    reduction: bool,
) -> Exploration:
    """Return what the interpreted engine finds where some states, or some orders of steps, stand for others.

    Raises
    ------
    NotCompilableError
        When the compiled engine was asked for.
    ModelError
        When the model has properties that a part of its graph does not keep.
    """
    _check(engine)
    if engine == "compiled":
        msg = "symmetry, reduction and views are known to the interpreted engine only"
        raise NotCompilableError(msg)
    from workbench.model.formal.interpreting.reducing import ReducedSearch  # noqa: PLC0415 - if asked for

    search = ReducedSearch if reduction else interpreted.Search
    canonical = _canonical(declared, symmetry=symmetry)
    return interpreted.explore(declared, limits, canonical=canonical, watch=watch, search=search)


def _canonical(declared: Specification, *, symmetry: bool) -> Callable[[Frozen], Hashable]:
    views = declared.of_kind("view")
    if views and (symmetry or declared.temporal or len(views) > 1):
        msg = f"{declared.name}: a view goes with neither symmetry, nor temporal properties, nor another view"
        raise ModelError(msg)
    if symmetry:
        from workbench.model.formal._symmetry import canonical_form  # noqa: PLC0415 - if asked for

        return canonical_form(declared)
    if views:
        return lambda state: views[0].function(declared.thaw(state))
    return lambda state: state


def explored_graph(declared: Specification, limits: Limits, engine: Engine, watch: Watch | None) -> Edges:
    """Return the states with all steps between them."""
    _check(engine)
    if engine != "python" and (engine == "compiled" or _outgrows(declared, limits)):
        try:
            return _compiled().explore_graph(declared, limits, watch=watch)
        except NotCompilableError:
            if engine == "compiled":
                raise
    return interpreted.explore_graph(declared, limits, watch=watch)


def _outgrows(declared: Specification, limits: Limits) -> bool:
    try:
        interpreted.explore(declared, limits, outgrown_at=OUTGROWN_AT)
    except Outgrown:
        return True
    return False


def _compiled() -> Any:
    from workbench.model.formal.compiling import exploring  # noqa: PLC0415 - it imports Numba

    return exploring
