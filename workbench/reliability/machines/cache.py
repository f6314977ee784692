"""A cache's decision: how good an answer of some age is.

::

    age     0 ........ ttl_s ........ + stale_while_revalidate_s
                                  ........................ + stale_if_error_s
            FRESH        STALE (used, and fetched anew)     FALLBACK (used if fetching fails)     MISSING

The two periods both begin where the answer stops being fresh.

Source: RFC 9111 (HTTP Caching), section 4.2: fresh while its lifetime exceeds its age; RFC 5861 (HTTP
Cache-Control Extensions for Stale Content), sections 3 and 4.
"""

import math
from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["FALLBACK", "FRESH", "MISSING", "NEVER", "STALE", "Parameters", "State", "look"]

FRESH, STALE, FALLBACK, MISSING = 0, 1, 2, 3
NEVER = -math.inf


@dataclass(slots=True)
class Parameters:
    """How long answers are fresh, and may be used after that."""

    ttl_s: float
    stale_while_revalidate_s: float = 0.0
    stale_if_error_s: float = 0.0


@dataclass(slots=True)
class State:
    """How many calls were answered fresh or stale, and how many were not.

    `rescued` are answers used because fetching failed, `shared` those that were fetched for another call.
    """

    hits: int = 0
    stale: int = 0
    misses: int = 0
    rescued: int = 0
    shared: int = 0
    evicted: int = 0


@transition
def look(p: Any, s: Any, stored_s: float, now: float) -> int:
    """Count a call for an answer that was stored at a time (`NEVER`: at none); return how good that is."""
    age_s = now - stored_s
    over_s = age_s - p.ttl_s
    found = MISSING
    if age_s < p.ttl_s:
        found = FRESH
        s.hits += 1
    elif over_s < p.stale_while_revalidate_s:
        found = STALE
        s.stale += 1
    else:
        s.misses += 1
        if over_s < p.stale_if_error_s:
            found = FALLBACK
    return found
