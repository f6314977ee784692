"""Which layer of `_admissions` a call meets, on its way down and up."""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_adaptive import end_running, find_place
from workbench.reliability.simulation._kernel_chaos import meddle
from workbench.reliability.simulation._kernel_limiters import limit_rate
from workbench.reliability.simulation._kernel_throttle import hear, throttle

__all__ = ["let_in", "let_out"]


@inlined
def let_in(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """Return NONE where a call goes on down, SUSPENDED where it waits, or what becomes of it instead."""
    kind = w.layers[layer].kind
    if kind == codes.THROTTLE:
        return throttle(w, c, call, layer)
    if kind == codes.ADAPT:
        return find_place(w, c, call, layer)
    if kind == codes.CHAOS:
        return meddle(w, c, call, layer)
    return limit_rate(w, c, call, layer)


@inlined
def let_out(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> None:
    """Learn from what became of a call."""
    kind = w.layers[layer].kind
    if kind == codes.THROTTLE:
        hear(w, layer, outcome)
    elif kind == codes.ADAPT:
        end_running(w, c, call, layer, outcome)
