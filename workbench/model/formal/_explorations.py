"""What an engine found: the states in the order of their discovery, and how each was reached.

The two engines fill the same form, in the same order: breadth first, actions in the order of their
declaration, parameters in the order of their values. So their counts, verdicts and traces are equal.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from workbench.model.formal._models import Frozen
from workbench.model.formal.errors import ModelError

if TYPE_CHECKING:  # NumPy takes longer to import than a small model to check
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from workbench.model.formal._storages import Omissions

__all__ = [
    "Edges",
    "Exploration",
    "Found",
    "Limits",
    "States",
    "check_most",
    "check_timeout",
    "initial_states",
]


class States(Protocol):
    """The states of an exploration by number, frozen."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int, /) -> Frozen: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an exploration ends before it has seen everything.

    Attributes
    ----------
    max_states : int or None
        Distinct states.
    max_depth : int or None
        Breadth-first levels, the initial states being the first.
    timeout_s : float or None
        Seconds.
    memory_bytes : int or None
        What the stored states may take.
    stop_at_first : bool
        End with the first violation.
    """

    max_states: int | None = None
    max_depth: int | None = None
    timeout_s: float | None = None
    memory_bytes: int | None = None
    stop_at_first: bool = False

    def __post_init__(self) -> None:
        for name in ("max_states", "max_depth", "memory_bytes"):
            check_most(name, getattr(self, name), 1)
        check_timeout(self.timeout_s)


def check_most(name: str, most: Any, least: int) -> None:
    """Raise ModelError for a limit that is neither None nor a whole number of at least so many."""
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < least):
        msg = f"{name} must be an integer of at least {least}, or None for no limit, got {most!r}"
        raise ModelError(msg)


def check_timeout(seconds: Any) -> None:
    """Raise ModelError for a time limit that is neither None nor a number of seconds."""
    if seconds is not None and not (isinstance(seconds, int | float) and seconds >= 0):
        msg = f"timeout_s must be a number of seconds from 0 on, or None for no limit, got {seconds!r}"
        raise ModelError(msg)


@dataclass(frozen=True, slots=True)
class Found:
    """A violation as an engine met it: in a state, or on a step out of it.

    Attributes
    ----------
    kind : str
        "invariant", "deadlock", "assertion" or "action property".
    name : str
        The property's name; the action's for an assertion.
    state : int
        The number of the state; of the one before the step, for a step.
    instance : int or None
        The number of the step's action instance.
    after : Frozen or None
        The state after the step, for an action property.
    """

    kind: str
    name: str
    state: int
    instance: int | None = None
    after: Frozen | None = None


@dataclass(slots=True)
class Exploration:
    """What was seen of a model.

    Attributes
    ----------
    states : States
        The distinct states in the order of their discovery.
    parents : (distinct,) integers
        From which state each was discovered first; -1 for initial states.
    levels : list of int
        The number of the first state of each breadth-first level.
    generated : int
        Initial states and every successor, duplicates and steps that change nothing included.
    taken : (instances,) int64
        How many successors each action instance had.
    violations : list of Found
        The first violation of each property.
    bound : str
        What ended the exploration early; empty when everything was seen.
    memory_bytes : int
        What the states took, with the table and the ways to them; about, for the interpreted engine.
    omissions : Omissions or None
        What a storage that forgets has perhaps omitted.
    """

    states: States
    parents: "npt.NDArray[Any] | Sequence[int]"
    levels: list[int]
    generated: int
    taken: "npt.NDArray[np.int64] | Sequence[int]"
    violations: list[Found] = field(default_factory=list)
    bound: str = ""
    engine: str = "python"
    memory_bytes: int = 0
    omissions: "Omissions | None" = None

    @property
    def distinct(self) -> int:
        """How many different states were found."""
        return len(self.states)

    @property
    def depth(self) -> int:
        """How many breadth-first levels there are, the initial states being the first."""
        return len(self.levels)


@dataclass(frozen=True, slots=True)
class Edges:
    """An exploration with all its steps, as a graph in compressed sparse rows.

    Attributes
    ----------
    explored : Exploration
        The states.
    starts : (distinct + 1,) int64
        Where the edges of each state begin.
    targets : (edges,) int32
        The number of the state that each leads to; -1 for one that was left out, or lies beyond a limit.
    labels : (edges,) int32
        The number of the action instance by which.
    """

    explored: Exploration
    starts: "npt.NDArray[np.int64]"
    targets: "npt.NDArray[np.int32]"
    labels: "npt.NDArray[np.int32]"


def initial_states(explored: Exploration) -> int:
    """Return how many of the states are initial ones: they come first.

    The levels do not say so where a limit ended the exploration within the first of them.
    """
    import numpy as np  # noqa: PLC0415 - which a plain check does without

    first = explored.levels[1] if len(explored.levels) > 1 else explored.distinct
    return int(np.count_nonzero(np.asarray(explored.parents[:first]) < 0))
