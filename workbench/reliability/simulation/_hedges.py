"""The records of hedges, and of the attempts that race for one call."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.reliability.machines import budget, latency_quantile
from workbench.reliability.machines._records import record_dtype
from workbench.reliability.simulation._records import record

__all__ = ["HEDGE", "RACE", "Hedges", "no_hedges"]

Array = npt.NDArray[Any]
# A hedge: how many extra attempts, after which outcomes others may win, after how long (NaN: that is learnt)
HEDGE = record("most failures", "delay_s")
# What a call knows of the race in it: the newest attempt, whether there may be more, how many still run, the
# timer of the next, the first failure, and how it ends; and as an attempt itself: its number, who follows it
# in the race, whether it has ended and how
RACE = record(
    "state newest open running first timer first_error outcome number sibling done ended",
    "started_s first_s first_hint_s",
)


class Hedges(NamedTuple):
    """By hedge its budget, what it has learnt of durations, and the counts that it learns from."""

    hedges: Array
    parameters: Array
    states: Array
    learning: Array
    learnt: Array
    counts: Array


def no_hedges() -> Hedges:
    """Return the records of a pipeline without hedges: their arrays have the types of all."""
    return Hedges(
        np.zeros(1, HEDGE),
        np.zeros(1, record_dtype(budget.Parameters)),
        np.zeros(1, record_dtype(budget.State)),
        np.zeros(1, record_dtype(latency_quantile.Parameters)),
        np.zeros(1, record_dtype(latency_quantile.State)),
        np.zeros((1, latency_quantile.BINS), np.int64),
    )
