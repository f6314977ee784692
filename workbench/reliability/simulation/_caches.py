"""The records of caches: what is remembered of each key, and who fetches it."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.reliability.machines import cache
from workbench.reliability.machines._records import record_dtype
from workbench.reliability.simulation._queues import lines
from workbench.reliability.simulation._records import record

__all__ = ["CACHE", "ENTRY", "Caches", "no_caches"]

Array = npt.NDArray[Any]
# A cache: its keys' first entry, and which outcomes are kept, hidden by old ones, or remembered
CACHE = record("first_entry keys most kept rescued remembered", "")
# What is known of a key: an answer or the failure in its place, the call that fetches (`leader`) and the line
# of those that follow it (`head` to `tail`); `previous` and `following` are its neighbours by last use
ENTRY = record("known outcome leader spare head tail count previous following", "stored_s hint_s")


class Caches(NamedTuple):
    """By cache its machine, for answers and for failures, and its entries by last use; by key its entry.

    The last of `states` counts for nobody.
    """

    caches: Array
    used: Array
    entries: Array
    parameters: Array
    failures: Array
    states: Array


def no_caches() -> Caches:
    """Return the records of a pipeline without caches: their arrays have the types of all."""
    parameters, state = record_dtype(cache.Parameters), record_dtype(cache.State)
    return Caches(
        np.zeros(1, CACHE),
        lines(1),
        np.zeros(1, ENTRY),
        np.zeros(1, parameters),
        np.zeros(1, parameters),
        np.zeros(1, state),
    )
