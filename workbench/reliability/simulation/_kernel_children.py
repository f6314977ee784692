"""Calls within calls: the attempts of a hedge, and a cache's fetching beside a call that was answered.

A child goes down from below its parent's layer, `top`, and its outcome ends there. Of an attempt of a hedge
the `root`, the call that a client made, has the number of attempts and random numbers: they are its own. What
is fetched beside a call goes on without it, and is its own root.
"""

from typing import Any

from workbench.kernels.parts import inlined, rare
from workbench.reliability.machines.retry import NO_HINT_S
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_events import push_work

__all__ = ["free_child", "is_on_its_own", "late_outcome", "new_child"]

NONE = codes.NONE


@rare
def new_child(w: Any, c: Any, call: Any, layer: Any, parent: Any) -> Any:
    """Let a call begin below a layer of another; `parent` waits for it, or is NONE."""
    child = c.free_call
    this, around = w.calls[child], w.calls[call]
    c.free_call = this.following
    this.serial = around.serial
    this.parent = parent
    this.root = child if parent == NONE else around.root
    this.top = layer
    this.layer = layer
    this.attempts = w.calls[around.root].attempts
    this.attempt = NONE
    this.cancelled_at = NONE
    this.user = NONE
    this.arrived_s = c.now_s
    this.waited_s = 0.0
    this.hint_s = NO_HINT_S
    this.level, this.tenant, this.key, this.cost = around.level, around.tenant, around.key, around.cost
    for each in range(len(w.layers)):
        w.scratch[child, each].drawn = w.scratch[around.root, each].drawn
        if each <= layer:
            w.scratch[child, each].time_s = w.scratch[call, each].time_s
    push_work(w, c, codes.DOWN, child, layer + 1, codes.OK)
    return child


@inlined
def free_child(w: Any, c: Any, child: Any) -> None:
    """Forget a child that has ended."""
    this = w.calls[child]
    this.serial = NONE
    this.parent = this.top = NONE
    this.root = child
    this.version += 1
    this.following = c.free_call
    c.free_call = child


@inlined
def is_on_its_own(w: Any, call: Any, layer: Any) -> Any:
    """Tell whether nobody but this layer keeps a call to limits around it: who began it has ended."""
    first = call
    while w.calls[first].parent != NONE:
        first = w.calls[first].parent
    if w.calls[first].top == NONE:
        return False
    alone = True
    for outer in range(w.calls[first].top + 1, layer):
        alone &= w.layers[outer].kind != codes.TIMEOUT
    return alone


@inlined
def late_outcome(w: Any, call: Any, layer: Any) -> Any:
    """Return how a call ends that is late: as the limit says that holds, the outermost of equals."""
    for outer in range(layer):
        if w.layers[outer].kind == codes.TIMEOUT:
            if w.scratch[call, outer].time_s <= w.scratch[call, layer].time_s:
                return w.layers[outer].index
    return w.layers[layer].index
