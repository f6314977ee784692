"""Those that wait for a place of a layer: a list, in the order in which they came."""

import math
from typing import Any

from workbench.kernels.memory import inlined
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_events import push_event

__all__ = ["leave_queue", "wait"]

NONE = codes.NONE


@inlined
def wait(w: Any, c: Any, call: Any, layer: Any) -> None:
    """Put a call at the end of a layer's queue."""
    each, this = w.layers[layer], w.calls[call]
    this.layer = layer
    this.version += 1
    this.previous = each.tail
    this.following = NONE
    if each.tail == NONE:
        each.head = call
    else:
        w.calls[each.tail].following = call
    each.tail = call
    if each.limit_s < math.inf:
        w.scratch[call, layer].timer = push_event(
            w, c, c.now_s + each.limit_s, codes.WAIT_LIMIT, call, layer, NONE
        )


@inlined
def leave_queue(w: Any, call: Any, layer: Any) -> None:
    """Take a call out of a layer's queue."""
    each, this = w.layers[layer], w.calls[call]
    if this.previous == NONE:
        each.head = this.following
    else:
        w.calls[this.previous].following = this.following
    if this.following == NONE:
        each.tail = this.previous
    else:
        w.calls[this.following].previous = this.previous
    w.scratch[call, layer].timer = NONE
