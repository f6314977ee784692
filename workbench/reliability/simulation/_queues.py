"""The records of those that wait for places: of bulkheads and load shedders.

A queue in order is one line of calls. A queue by priority or fairness is made of flows, the calls of one
level and one tenant; the flows in which somebody waits stand in a line of their level, those in which nobody
does any more in the line of the idle.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.reliability.machines import adaptive_lifo, codel, fair_queue
from workbench.reliability.machines._records import record_dtype
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._records import record

__all__ = ["FLOW", "LINE", "QUEUE", "Queues", "lines", "no_queues"]

Array = npt.NDArray[Any]
# Those that stand in line
LINE = record("head tail count", "")
# How those are served that wait for a bulkhead's places: its flows are those from `first_flow` on, level by
# level; `judges`: CoDel drops some, `adapts`: the newest may go first, `remembered`: as many flows as
# may be idle before CoDel forgets the first
QUEUE = record("order refusal judges adapts first_level levels first_flow tenants remembered", "patience_s")
# The calls of one level and one tenant, and its neighbours in the line that it stands in
FLOW = record("head tail count previous following place", "")


class Queues(NamedTuple):
    """Who waits: by bulkhead its queue, its line and CoDel's and adaptive LIFO's; by flow its machines."""

    queues: Array
    lines: Array
    idle: Array
    levels: Array
    flows: Array
    shares: Array
    codel_parameters: Array
    codel_states: Array
    lifo_parameters: Array
    lifo_states: Array


def lines(count: int) -> Array:
    """Return lines in which nobody stands."""
    found = np.zeros(count, LINE)
    found["head"] = found["tail"] = codes.NONE
    return found


def no_queues() -> Queues:
    """Return the records of a pipeline without queues: their arrays have the types of all."""
    machines = (
        fair_queue.Flow,
        codel.Parameters,
        codel.State,
        adaptive_lifo.Parameters,
        adaptive_lifo.State,
    )
    records = (np.zeros(1, record_dtype(kind)) for kind in machines)
    return Queues(np.zeros(1, QUEUE), lines(1), lines(1), lines(1), np.zeros(1, FLOW), *records)
