"""Calls that are cancelled, in their turn: what they wait for is called off, and they go up from there."""

from typing import Any

from workbench.kernels.parts import rare
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_caches import stop_following
from workbench.reliability.simulation._kernel_hedges import stop_race
from workbench.reliability.simulation._kernel_limiters import give_back, is_limiter
from workbench.reliability.simulation._kernel_queues import abandon_place

__all__ = ["call_off"]


@rare
def call_off(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """End what a call waits for in a layer; return from which one it goes up, or NONE where that takes steps.

    What is cancelled is so from a layer around: there always is one from which it goes up.
    """
    this = w.calls[call]
    this.version += 1
    if layer == this.top:  # it has not begun
        return layer
    if layer < len(w.layers):
        kind = w.layers[layer].kind
        if kind == codes.BULKHEAD or kind == codes.ADAPT:
            abandon_place(w, c, call, layer)
        elif kind == codes.CACHE:
            stop_following(w, call, layer)
        elif kind == codes.HEDGE:
            return stop_race(w, c, call, layer)
        elif is_limiter(kind):
            give_back(w, call, layer)
    return layer - 1
