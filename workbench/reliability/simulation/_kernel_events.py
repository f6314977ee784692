"""What is to come and what is to be done: a heap of events by time, a ring of work, free places in lists."""

from typing import Any

from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_parts import part

__all__ = [
    "current_bin",
    "interrupt",
    "new_attempt",
    "pop_event",
    "push_event",
    "push_work",
    "push_work_later",
]


@part
def push_event(w: Any, c: Any, at_s: Any, kind: Any, subject: Any, layer: Any, token: Any) -> Any:
    """Let something happen later; return the event's number, by which it can be told from all others."""
    slot = c.free_event
    event = w.events[slot]
    c.free_event = event.following
    order = c.order
    c.order += 1
    event.order = order
    event.kind = kind
    event.subject = subject
    event.layer = layer
    event.token = token
    place = c.heap
    c.heap += 1
    while place > 0:
        parent = (place - 1) >> 1
        if w.times[parent] <= at_s:
            break
        w.times[place] = w.times[parent]
        w.slots[place] = w.slots[parent]
        place = parent
    w.times[place] = at_s
    w.slots[place] = slot
    return order


@part
def _is_before(w: Any, left: Any, right: Any) -> Any:
    """Tell which of two places of the heap comes first: at one time, what was said first."""
    if w.times[left] != w.times[right]:
        return w.times[left] < w.times[right]
    return w.events[w.slots[left]].order < w.events[w.slots[right]].order


@part
def pop_event(w: Any, c: Any) -> Any:
    """Take the next event out of the heap."""
    first = w.slots[0]
    c.heap -= 1
    last = c.heap
    place = 0
    while True:
        child = 2 * place + 1
        if child >= last:
            break
        if child + 1 < last and _is_before(w, child + 1, child):
            child += 1
        if not _is_before(w, child, last):
            break
        w.times[place] = w.times[child]
        w.slots[place] = w.slots[child]
        place = child
    w.times[place] = w.times[last]
    w.slots[place] = w.slots[last]
    return first


@part
def push_work(w: Any, c: Any, direction: Any, call: Any, layer: Any, outcome: Any) -> None:
    """Have something done after what is being done."""
    push_work_later(w, c, direction, call, layer, outcome, 0)


@part
def push_work_later(w: Any, c: Any, direction: Any, call: Any, layer: Any, outcome: Any, steps: Any) -> None:
    """Have something done after what is being done, and after so many steps of a loop: its turns in between.

    It is not done where the call has been suspended anew or has ended by then.
    """
    item = w.work[(c.work_first + c.work_count) % len(w.work)]
    c.work_count += 1
    item.direction = direction
    item.call = call
    item.version = w.calls[call].version
    item.layer = layer
    item.outcome = outcome
    item.steps = steps


@part
def interrupt(w: Any, c: Any, call: Any) -> None:
    """Cancel a call; it hears of that in its turn, and until then it waits where it does."""
    this = w.calls[call]
    this.version += 1
    this.attempt = codes.NONE
    push_work(w, c, codes.CANCEL, call, this.layer, codes.CANCELLED)


@part
def new_attempt(w: Any, c: Any) -> Any:
    """Return a free place for an attempt."""
    attempt = c.free_attempt
    c.free_attempt = w.attempts[attempt].following
    return attempt


@part
def current_bin(w: Any, c: Any) -> Any:
    """Return the number of the time series' bin that it is."""
    return min(int(c.now_s / w.service[0].bin_s), len(w.bins) - 1)
