"""`Requests`: in what calls differ: how important each is, for whom it is made, what it asks for and costs.

Each of the four is recorded, one value a call, or drawn from shares. Policies decide by it: queues by
importance, and fairly between tenants; caches and rate limiters by what is asked for, and these by the cost.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from workbench.reliability.policies.importance import Criticality
from workbench.reliability.simulation._request_streams import Given, Stream
from workbench.reliability.simulation.errors import SimulationError

__all__ = ["Requests", "zipf_shares"]

MOST_VALUES = 10_000_000


@dataclass(frozen=True)
class Requests:
    """In what calls differ.

    Parameters
    ----------
    levels : mapping of `Criticality` to share, or (n,) integers; optional
        How important a call is, the smaller the more; without, all are `Criticality.CRITICAL`.
    tenants : mapping of key to share, or (n,) integers; optional
        For whom it is made: between whom a `LoadShedder` is fair.
    keys : mapping of key to share, or (n,) integers; optional
        What it asks for: the key in a `Cache`, and in a `RateLimiter` that was made with one. `zipf_shares`
        has the usual ones.
    costs : mapping of cost to share, or (n,) numbers; optional
        What it costs in a `RateLimiter` that was made with a cost; without, 1.

    Notes
    -----
    Recorded values are one a call, in the order of arrivals, and begin anew after the last.

    Raises
    ------
    SimulationError
        For shares that are none, recorded values that are no integers, and costs below 0 or no numbers.

    Examples
    --------
    >>> Requests(levels={0: 0.1, 3: 0.9}, tenants=[7, 7, 8]).tenant_stream.recorded.tolist()
    [0, 0, 1]
    """

    levels: Given = field(default=None, repr=False)
    tenants: Given = field(default=None, repr=False)
    keys: Given = field(default=None, repr=False)
    costs: Given = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for stream in (self.level_stream, self.tenant_stream, self.key_stream, self.cost_stream):
            if len(stream.values) > MOST_VALUES:
                msg = f"expected {MOST_VALUES:,} different values at most, got {len(stream.values):,}"
                raise SimulationError(msg)

    @cached_property
    def level_stream(self) -> Stream:
        """How important calls are."""
        return Stream.of("levels", self.levels, int(Criticality.CRITICAL), ordered=True)

    @cached_property
    def tenant_stream(self) -> Stream:
        """For whom they are made."""
        return Stream.of("tenants", self.tenants, None)

    @cached_property
    def key_stream(self) -> Stream:
        """What they ask for."""
        return Stream.of("keys", self.keys, None)

    @cached_property
    def cost_stream(self) -> Stream:
        """What they cost."""
        return Stream.of_numbers("costs", self.costs, 1)


def zipf_shares(count: int, exponent: float = 1.0) -> dict[int, float]:
    """Return shares of keys of which few are asked for often: the k-th in proportion to 1 / k ** exponent.

    Source: L. Breslau et al., Web caching and Zipf-like distributions, INFOCOM 1999.

    Examples
    --------
    >>> zipf_shares(2)
    {0: 0.6666666666666666, 1: 0.3333333333333333}
    """
    if count < 1 or not exponent >= 0:
        msg = f"expected one key at least and an exponent from 0 on, got {count!r} and {exponent!r}"
        raise SimulationError(msg)
    weights = 1.0 / np.arange(1, count + 1) ** exponent
    return dict(enumerate((weights / weights.sum()).tolist()))
