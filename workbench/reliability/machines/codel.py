"""CoDel: which call to drop from a queue, by how long the calls in it have waited.

A queue is bad when calls have waited for `target_s` or more for a whole `interval_s`. Then one is dropped,
and more at ever shorter distances, ``interval / sqrt(count)``, until the wait is below the target again. A
queue that fills and empties again within an interval is good, however long it was.

`judge` is asked for each call that is taken from the queue, in order, until one is kept; `note_empty` when
the queue had no more to give.

Source: RFC 8289 (2018), K. Nichols, V. Jacobson, sections 5.3 to 5.5.
"""

import math
from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "judge", "note_empty"]

KEPT, BEGUN, DROPPED = 0, 1, 2  # what became of the call before, within one look for a call to keep


@dataclass(slots=True)
class Parameters:
    """The wait that is good, and for how long it may be worse."""

    target_s: float
    interval_s: float


@dataclass(slots=True)
class State:
    """RFC 8289's names: first_above_time, drop_next, count, lastcount, dropping; 0 is no time."""

    first_above_s: float = 0.0
    drop_next_s: float = 0.0
    count: int = 0
    last_count: int = 0
    dropping: bool = False
    before: int = KEPT
    drops: int = 0


@transition
def judge(p: Any, s: Any, now: float, wait_s: float, left: int) -> bool:  # noqa: C901 - the RFC's one procedure
    """Tell whether to drop the call that came out after `wait_s`, with `left` calls behind it."""
    late = False
    if wait_s < p.target_s or left <= 1:
        s.first_above_s = 0.0
    elif s.first_above_s == 0.0:
        s.first_above_s = now + p.interval_s
    else:
        late = now >= s.first_above_s
    drop = False
    if s.before == BEGUN:
        s.before = KEPT
    elif s.dropping:
        if not late:
            s.dropping = False
        elif s.before == DROPPED:
            s.drop_next_s += p.interval_s / math.sqrt(s.count)
        drop = s.dropping and now >= s.drop_next_s
        s.before = KEPT
        if drop:
            s.count += 1
            s.before = DROPPED
    elif late:
        drop = True
        s.dropping = True
        since = s.count - s.last_count
        s.count = 1
        if since > 1 and now - s.drop_next_s < 16.0 * p.interval_s:
            s.count = since
        s.drop_next_s = now + p.interval_s / math.sqrt(s.count)
        s.last_count = s.count
        s.before = BEGUN
    if drop:
        s.drops += 1
    return drop


@transition
def note_empty(s: Any) -> None:
    """Note that the queue is empty: no call waits for too long."""
    s.first_above_s = 0.0
    if s.before != BEGUN:
        s.dropping = False
    s.before = KEPT
