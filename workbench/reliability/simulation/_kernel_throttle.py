"""Client throttles: calls are rejected at random, by what the callee has accepted."""

from typing import Any

from workbench.kernels.parts import inlined, rare
from workbench.reliability.machines import client_throttle
from workbench.reliability.machines.retry import NO_HINT_S
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_draws import drawn_for_call
from workbench.reliability.simulation._kernel_replies import is_returned

__all__ = ["hear", "throttle"]

turn, is_doubtful = inlined(client_throttle.turn), inlined(client_throttle.is_doubtful)
rejects, reject = inlined(client_throttle.rejects), inlined(client_throttle.reject)
request, accept = inlined(client_throttle.request), inlined(client_throttle.accept)


@rare
def throttle(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """Let a call pass (NONE), or reject it."""
    it = w.admissions[w.layers[layer].admission]
    p, s = it.client_throttle_parameters, it.client_throttle_state
    requests = w.counts[it.first : it.first + p.buckets]
    accepts = w.counts[it.first + p.buckets : it.first + 2 * p.buckets]
    if c.now_s >= s.until_s:
        turn(p, s, requests, accepts, c.now_s)
    if is_doubtful(p, s) and rejects(p, s, drawn_for_call(w, call, layer)):
        reject(s, requests)
        w.calls[call].hint_s = NO_HINT_S
        return codes.THROTTLED
    request(s, requests)
    return codes.NONE


@inlined
def hear(w: Any, layer: Any, outcome: Any) -> None:
    """Learn what the callee made of a call: failures are those that it did not accept."""
    each = w.layers[layer]
    if is_returned(outcome) or (each.failures >> outcome) & 1 == 0:
        it = w.admissions[each.admission]
        first, buckets = it.first, it.client_throttle_parameters.buckets
        accept(it.client_throttle_state, w.counts[first + buckets : first + 2 * buckets])
