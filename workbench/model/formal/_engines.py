"""Which engine explores a model: the interpreted one at once, the compiled one where a model outgrows it."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from workbench.model.formal._explorations import Edges, Exploration, Limits
from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal._storages import EXACT, Storage
from workbench.model.formal._watching import Watch
from workbench.model.formal.errors import ModelError, NotCompilableError
from workbench.model.formal.interpreting import exploring as interpreted
from workbench.model.formal.interpreting.exploring import Outgrown
from workbench.model.formal.interpreting.steps import viewed

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

__all__ = ["Engine", "How", "explored", "explored_alike", "explored_graph", "explored_reduced"]

Engine: TypeAlias = Literal["auto", "python", "compiled"]
ENGINES = get_args(Engine)
THREADS = (1, 2, 4, 8, 16, 32, 64)
OUTGROWN_AT = 10_000  # states: about a second of interpreting, as long as compiling takes
LEAST_OUTGROWN = 100  # states, however many renamings are tried of each


@dataclass(frozen=True, slots=True)
class How:
    """How the compiled engine runs: by how many threads, from and to which file, and so on.

    Attributes
    ----------
    threads : int
        Threads that share the states.
    checkpoint : Path or None
        Where the search is put aside, and taken up.
    executor : Executor or None
        Over which other processes expand the states.
    storage : Storage
        What is kept of the states.
    """

    threads: int = 1
    checkpoint: "Path | None" = None
    executor: "Executor | None" = None
    storage: Storage = EXACT

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
        if self.forgets and (self.threads != 1 or self.elsewhere):
            msg = (
                f"storage={self.storage.name!r} goes with neither threads, nor a checkpoint, nor an executor"  # type: ignore[union-attr]
            )
            raise ModelError(msg)

    @property
    def elsewhere(self) -> bool:
        """Whether states are kept in a file, or expanded by other processes."""
        return self.checkpoint is not None or self.executor is not None

    @property
    def forgets(self) -> bool:
        """Whether less than whole states are kept."""
        return self.storage != EXACT


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
    if engine == "python":
        _refuse_other_than_alone(how)
        return interpreted.explore(declared, limits, watch=watch), ""
    by_machine = partial(_explored_compiled, declared, limits, watch, how)
    if engine == "compiled" or how.elsewhere or how.forgets:
        return by_machine(), ""
    return _by_size(partial(interpreted.explore, declared, limits, watch=watch), by_machine)


def _refuse_other_than_alone(how: How) -> None:
    if how != ALONE:
        msg = "threads, checkpoints, executors and inexact storage are known to the compiled engine only"
        raise ModelError(msg)


def _check(engine: str) -> None:
    if engine not in ENGINES:
        msg = f"engine must be one of {', '.join(ENGINES)}, got {engine!r}"
        raise ModelError(msg)


def _by_size(
    by_python: Callable[..., Exploration],
    by_machine: Callable[[], Exploration],
    outgrown_at: int = OUTGROWN_AT,
) -> tuple[Exploration, str]:
    """Interpret a model until it has many states; then compile it, if it can be."""
    try:
        return by_python(outgrown_at=outgrown_at), ""
    except Outgrown:
        pass
    try:
        return by_machine(), ""
    except NotCompilableError as error:
        return by_python(), f"interpreted: {error}"


def _explored_compiled(declared: Specification, limits: Limits, watch: Watch | None, how: How) -> Exploration:
    if how.threads == 1:
        explored: Exploration = _compiled().explore(
            declared,
            limits,
            watch=watch,
            checkpoint=how.checkpoint,
            executor=how.executor,
            storage=how.storage,
        )
        return explored
    if how.elsewhere:
        msg = "threads go with neither a checkpoint nor an executor"
        raise ModelError(msg)
    from workbench.model.formal.compiling import parallel  # noqa: PLC0415 - it imports Numba

    return parallel.explore(declared, limits, how.threads, watch=watch)


def explored_alike(  # noqa: PLR0913
    declared: Specification,
    limits: Limits,
    engine: Engine,
    watch: Watch | None,
    how: How = ALONE,
    *,
    symmetry: bool,
) -> tuple[Exploration, str]:
    """Return what an engine finds where some states stand for others, and a note as `explored` does.

    Raises
    ------
    NotCompilableError
        When the compiled engine was asked for, and the model has no compiled form.
    ModelError
        When the model has properties that a part of its graph does not keep.
    """
    _check(engine)
    canonical = _canonical(declared, symmetry=symmetry)

    by_python = partial(interpreted.explore, declared, limits, canonical=canonical, watch=watch)
    if engine == "python":
        _refuse_other_than_alone(how)
        return by_python(), ""
    alike, each = ("symmetry", _renamings(declared)) if symmetry else ("view", 1)

    def by_machine() -> Exploration:
        explored: Exploration = _compiled().explore(
            declared, limits, watch=watch, alike=alike, canonical=canonical, storage=how.storage
        )
        return explored

    if engine == "compiled" or how.forgets:
        return by_machine(), ""
    return _by_size(by_python, by_machine, max(LEAST_OUTGROWN, OUTGROWN_AT // each))


def _renamings(declared: Specification) -> int:
    from workbench.model.formal._symmetry import renamings_tried  # noqa: PLC0415 - if asked for

    return renamings_tried(declared)


def explored_reduced(  # noqa: PLR0913
    declared: Specification,
    limits: Limits,
    engine: Engine,
    watch: Watch | None,
    how: How = ALONE,
    *,
    symmetry: bool,
) -> Exploration:
    """Return what the interpreted engine finds where some orders of steps stand for others.

    Raises
    ------
    NotCompilableError
        When the compiled engine was asked for.
    ModelError
        When the model has properties that a part of its graph does not keep.
    """
    _check(engine)
    if engine == "compiled":
        msg = "reduction is known to the interpreted engine only"
        raise NotCompilableError(msg)
    _refuse_other_than_alone(how)
    from workbench.model.formal.interpreting.reducing import ReducedSearch  # noqa: PLC0415 - if asked for

    canonical = _canonical(declared, symmetry=symmetry)
    return interpreted.explore(declared, limits, canonical=canonical, watch=watch, search=ReducedSearch)


def _canonical(declared: Specification, *, symmetry: bool) -> Callable[[Frozen], Hashable]:
    views = declared.of_kind("view")
    if views and (symmetry or declared.temporal or len(views) > 1):
        msg = f"{declared.name}: a view goes with neither symmetry, nor temporal properties, nor another view"
        raise ModelError(msg)
    if symmetry:
        from workbench.model.formal._symmetry import canonical_form  # noqa: PLC0415 - if asked for

        return canonical_form(declared)
    return viewed(declared, views[0]) if views else lambda state: state


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
