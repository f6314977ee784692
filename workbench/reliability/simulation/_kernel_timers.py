"""Timers, of which hardly any ever rings: calls mostly end before.

All of a layer run equally long, so that they ring in the order in which they are set. They stand in line, and
only the first of each line is in the heap, which thus is about as small as if there were none; those that
were stopped while they stood in line are dropped. One that is to ring before others that were set before it
(an outer limit cuts it short) goes into the heap by itself.
"""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_events import enter_heap, free_event, new_event

__all__ = ["leave_timers", "set_timer"]

NONE = codes.NONE


@inlined
def set_timer(w: Any, c: Any, at_s: Any, kind: Any, call: Any, layer: Any) -> Any:
    """Have a layer's timer ring; return its number: it rings as long as the layer's `timer` is this."""
    slot = new_event(w, c, kind, call, layer, NONE)
    event, line = w.events[slot], w.timers[layer]
    event.at_s = at_s
    event.following = NONE
    if line.tail == NONE:
        line.head = line.tail = slot
        enter_heap(w, c, at_s, slot)
    elif w.events[line.tail].at_s <= at_s:
        w.events[line.tail].following = slot
        line.tail = slot
    else:
        enter_heap(w, c, at_s, slot)
    return event.order


@inlined
def leave_timers(w: Any, c: Any, slot: Any) -> None:
    """Take a timer that rings out of its line, if it stands there, and put the next one into the heap."""
    line = w.timers[w.events[slot].layer]
    if line.head != slot:
        return
    following = w.events[slot].following
    while following != NONE and _is_stopped(w, following):
        stopped = following
        following = w.events[stopped].following
        free_event(w, c, stopped)
    line.head = following
    if following == NONE:
        line.tail = NONE
    else:
        enter_heap(w, c, w.events[following].at_s, following)


@inlined
def _is_stopped(w: Any, slot: Any) -> Any:
    """Tell whether a timer was stopped; it never runs again."""
    event = w.events[slot]
    return w.scratch[event.subject, event.layer].timer != event.order
