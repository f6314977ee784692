"""What all policies of a tail sampler have: a name, parts, and parameters that are checked."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import ClassVar

from workbench.otlp.sampling.errors import PolicyError

__all__ = ["Policy", "require"]


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - a condition is the whole point
    if not holds:
        raise PolicyError(message)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Policy:
    """One policy; `name` tells it from others in results, and must differ from theirs.

    Attributes
    ----------
    type : str
        Its name in the Collector's configuration.
    """

    type: ClassVar[str] = ""
    name: str = ""

    def parts(self) -> Iterator["Policy"]:
        """Yield this policy and all that it is made of."""
        yield self
        for part in self.subpolicies:
            yield from part.parts()

    @property
    def subpolicies(self) -> tuple["Policy", ...]:
        """The policies that it is made of."""
        return ()

    @property
    def label(self) -> str:
        """The name, or else the type."""
        return self.name or self.type

    def __repr__(self) -> str:
        said = (found for found in fields(self) if getattr(self, found.name) != found.default)
        return (
            f"{type(self).__name__}({', '.join(f'{one.name}={getattr(self, one.name)!r}' for one in said)})"
        )
