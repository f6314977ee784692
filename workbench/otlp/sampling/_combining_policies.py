"""Policies made of policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from workbench.otlp.sampling._policy import Policy, require

__all__ = ["And", "Composite", "Drop", "Not"]


@dataclass(frozen=True, slots=True, repr=False)
class _Combined(Policy):
    policies: tuple[Policy, ...] = ()

    def __post_init__(self) -> None:
        require(len(self.policies) > 0, f"{self.type} needs at least one policy")

    @property
    def subpolicies(self) -> tuple[Policy, ...]:
        """The policies that it is made of."""
        return self.policies


@dataclass(frozen=True, slots=True, repr=False)
class And(_Combined):
    """Keep traces that every one of `policies` keeps; asked in order, until one does not."""

    type: ClassVar[str] = "and"


@dataclass(frozen=True, slots=True, repr=False)
class Drop(_Combined):
    """Drop traces that every one of `policies` would keep, whatever others say; part of no other policy."""

    type: ClassVar[str] = "drop"


@dataclass(frozen=True, slots=True, repr=False)
class Not(Policy):
    """Keep traces that `policy` does not keep."""

    type: ClassVar[str] = "not"

    policy: Policy

    @property
    def subpolicies(self) -> tuple[Policy, ...]:
        """The policy that it negates."""
        return (self.policy,)


@dataclass(frozen=True, slots=True, repr=False)
class Composite(_Combined):
    """Keep traces by the first of `policies` that keeps them, each within its share of the spans a second.

    Parameters
    ----------
    policies : tuple of Policy
        In order; named, where `rate_allocation` speaks of them. Spans are counted in whole seconds. A trace
        that the first policy which wants it has no room for is not kept.
    max_total_spans_per_second : int
    rate_allocation : mapping of str to int
        Percent of it by name of a policy; 0 is an equal share. A policy that is not named has no room at all.
    """

    type: ClassVar[str] = "composite"

    max_total_spans_per_second: int = 0
    rate_allocation: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _Combined.__post_init__(self)
        total = self.max_total_spans_per_second
        require(total > 0, f"max_total_spans_per_second is positive, got {total}")
        names = [policy.name for policy in self.policies]
        require(len({*names}) == len(names), f"the policies' names must differ, got {', '.join(names)}")
        for name, percent in self.rate_allocation.items():
            require(name in names, f"rate_allocation names {name!r}, of the policies {', '.join(names)}")
            require(0 <= percent <= 100, f"rate_allocation of {name!r} is 0 to 100 percent, got {percent}")

    @property
    def allocated(self) -> tuple[int, ...]:
        """Spans a second that each policy may keep."""
        total, count = self.max_total_spans_per_second, len(self.policies)
        shares = {
            name: (percent / 100 * total if percent else total / count)
            for name, percent in self.rate_allocation.items()
        }
        return tuple(int(shares.get(policy.name, 0)) for policy in self.policies)

    def __hash__(self) -> int:
        return hash((self.name, self.policies, self.max_total_spans_per_second))
