"""Counts of an exploration: what each action did, and how many states each level has."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from workbench.model.formal._explorations import Exploration
from workbench.model.formal._models import Specification

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Statistics", "statistics_of"]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an exploration did, counted.

    Attributes
    ----------
    successors : mapping of str to int
        How many successors each action had, over all its parameters.
    levels : tuple of int
        How many states were first reached in each breadth-first level.
    """

    successors: Mapping[str, int]
    levels: tuple[int, ...]

    @property
    def never_enabled(self) -> tuple[str, ...]:
        """The actions that were not enabled in any state that was explored."""
        return tuple(name for name, count in self.successors.items() if count == 0)

    @property
    def mean_out_degree(self) -> float:
        """Successors for each state."""
        states = sum(self.levels)
        return sum(self.successors.values()) / states if states else 0.0

    def to_pandas(self) -> "pd.DataFrame":
        """Return the successors by action."""
        import pandas as pd  # noqa: PLC0415 - for those who ask

        return pd.DataFrame({"action": list(self.successors), "successors": list(self.successors.values())})

    def __repr__(self) -> str:
        never = f", never enabled: {', '.join(self.never_enabled)}" if self.never_enabled else ""
        return (
            f"Statistics({sum(self.successors.values()):,} successors of {sum(self.levels):,} states{never})"
        )


def statistics_of(declared: Specification, explored: Exploration) -> Statistics:
    """Return the counts of an exploration."""
    successors: dict[str, int] = {action.name: 0 for action in declared.actions}
    for instance in declared.instances:
        successors[instance.action.name] += int(explored.taken[instance.number])
    ends: Any = [*explored.levels, explored.distinct]
    return Statistics(successors, tuple(end - begin for begin, end in pairwise(ends)))
