"""What rules look at: policies in their order, with what each costs at worst."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from workbench.reliability.pipelines._worst_case import Cost
    from workbench.reliability.pipelines.findings import Finding

__all__ = ["Rule", "View"]

Kind: TypeAlias = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class View:
    """A pipeline, as rules see it.

    Attributes
    ----------
    policies, names : tuples
        The first outermost.
    costs : tuple of Cost
        From each layer inwards, and last that of the function alone: one more than there are policies.
    load : float or None
    deadline_s : float or None
    """

    policies: tuple[Any, ...]
    names: tuple[str, ...]
    costs: "tuple[Cost, ...]"
    load: float | None
    deadline_s: float | None

    def places(self, kind: Kind) -> list[int]:
        """Return where policies of a kind stand."""
        return [place for place, policy in enumerate(self.policies) if kind(policy)]

    def nested(self, outer: Kind, inner: Kind) -> Iterator[tuple[int, int]]:
        """Yield the places of one kind of policy that have one of another within."""
        for above in self.places(outer):
            for below in self.places(inner):
                if below > above:
                    yield above, below

    def named(self, *places: int) -> tuple[str, ...]:
        """Return the names of layers."""
        return tuple(self.names[place] for place in places)


Rule: TypeAlias = "Callable[[View], Iterator[Finding]]"
