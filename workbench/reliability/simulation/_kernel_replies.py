"""Outcomes that are somebody's replies: which are results, and how long they ask for patience.

Besides the outcomes that are always the same there are results and exceptions of one's own: answers of a
recorded schedule, and injected ones. Each policy's predicates have told of each beforehand whether it counts
as a failure (`failures` of a layer, a bit each).
"""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.machines.retry import NO_HINT_S
from workbench.reliability.simulation import _codes as codes

__all__ = ["hint_of", "is_returned"]


@inlined
def is_returned(outcome: Any) -> Any:
    """Tell whether an outcome is a result, and no exception."""
    return outcome == codes.OK or codes.RESULTS <= outcome < codes.EXCEPTIONS


@inlined
def hint_of(w: Any, layer: Any, call: Any, outcome: Any) -> Any:
    """Return for how long an outcome asks a retry to leave the callee alone."""
    if w.layers[layer].heeds == 0:
        return NO_HINT_S
    if outcome >= codes.RESULTS:
        return w.reply_hints[outcome - codes.RESULTS]
    return w.calls[call].hint_s
