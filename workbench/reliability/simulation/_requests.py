"""In what calls differ, as the kernel takes it."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.reliability.simulation.requests import Requests

__all__ = ["Differences", "differences_of"]

Array = npt.NDArray[Any]


class Differences(NamedTuple):
    """For each property the values of recorded calls, or cumulated shares; both empty where all are alike.

    The values are numbers of what may come; of the costs these are kept, too.
    """

    levels: Array
    level_shares: Array
    tenants: Array
    tenant_shares: Array
    keys: Array
    key_shares: Array
    costs: Array
    cost_shares: Array
    cost_values: Array


def differences_of(requests: Requests) -> Differences:
    """Return the arrays of what calls differ in."""
    streams = requests.level_stream, requests.tenant_stream, requests.key_stream, requests.cost_stream
    numbers = [np.ascontiguousarray(each) for s in streams for each in (s.recorded, s.shares)]
    return Differences._make([*numbers, np.array(requests.cost_stream.values, np.float64)])
