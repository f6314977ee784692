"""Which engine explores a model: the interpreted one at once, the compiled one where a model outgrows it."""

from typing import Any, Literal, TypeAlias, get_args

from workbench.model.formal.errors import ModelError, NotCompilableError
from workbench.model.formal.explorations import Edges, Exploration, Limits
from workbench.model.formal.interpreting import exploring as interpreted
from workbench.model.formal.interpreting.exploring import Outgrown
from workbench.model.formal.models import Specification
from workbench.model.formal.watching import Watch

__all__ = ["Engine", "explored", "explored_graph"]

Engine: TypeAlias = Literal["auto", "python", "compiled"]
ENGINES = get_args(Engine)
OUTGROWN_AT = 10_000  # states: about a second of interpreting, as long as compiling takes


def explored(
    declared: Specification, limits: Limits, engine: Engine, watch: Watch | None, threads: int = 1
) -> tuple[Exploration, str]:
    """Return what an engine found, and a note where that was not the engine one would expect.

    Raises
    ------
    NotCompilableError
        When the compiled engine was asked for, and the model has no compiled form.
    """
    _check(engine)
    if engine == "auto":
        return _explored_by_size(declared, limits, watch, threads)
    if engine == "python":
        return interpreted.explore(declared, limits, watch=watch), ""
    return _explored_compiled(declared, limits, watch, threads), ""


def _check(engine: str) -> None:
    if engine not in ENGINES:
        msg = f"engine must be one of {', '.join(ENGINES)}, got {engine!r}"
        raise ModelError(msg)


def _explored_by_size(
    declared: Specification, limits: Limits, watch: Watch | None, threads: int
) -> tuple[Exploration, str]:
    try:
        return interpreted.explore(declared, limits, outgrown_at=OUTGROWN_AT, watch=watch), ""
    except Outgrown:
        pass
    try:
        return _explored_compiled(declared, limits, watch, threads), ""
    except NotCompilableError as error:
        return interpreted.explore(declared, limits, watch=watch), f"interpreted: {error}"


def _explored_compiled(
    declared: Specification, limits: Limits, watch: Watch | None, threads: int
) -> Exploration:
    if threads == 1:
        explored: Exploration = _compiled().explore(declared, limits, watch=watch)
        return explored
    from workbench.model.formal.compiling import parallel  # noqa: PLC0415 - it imports Numba

    return parallel.explore(declared, limits, threads, watch=watch)


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
