"""Rate limiters: each takes a place by its machine; whoever waits for one and is cancelled gives it back.

What was taken can be given back as long as nobody has taken after it, as live (`Reservation.cancel`): the
state before and the one after are kept for each call that waits.
"""

from typing import Any

from workbench.kernels.parts import inlined, rare
from workbench.reliability.machines import (
    fixed_window,
    leaky_bucket,
    sliding_log,
    sliding_window,
    token_bucket,
)
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_events import push_event

__all__ = ["cost_in", "give_back", "is_limiter", "key_in", "limit_rate", "wait_for_place"]

take_token, pour = inlined(token_bucket.take), inlined(leaky_bucket.take)
take_fixed, take_sliding = inlined(fixed_window.take), inlined(sliding_window.take)
take_logged = inlined(sliding_log.take)

NONE = codes.NONE


@inlined
def is_limiter(kind: Any) -> Any:
    """Tell whether a layer of a kind lets calls wait for their turn."""
    return kind == codes.LIMIT or codes.TOKEN_BUCKET <= kind <= codes.SLIDING_LOG


@inlined
def key_in(w: Any, each: Any, call: Any) -> Any:
    """Return the number of a call's key in a limiter; all have one where it knows none."""
    return each.keyed * w.calls[call].key


@inlined
def cost_in(w: Any, each: Any, call: Any) -> Any:
    """Return what a call costs in a limiter."""
    return w.calls[call].cost if each.costed != 0 else 1.0


@rare
def limit_rate(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """Let a call pass (NONE), wait (SUSPENDED), or refuse it."""
    each = w.layers[layer]
    before = _state(w, each, call)
    wait_s, patience_s = _take(w, each, call, c.now_s)
    if wait_s > patience_s:
        w.calls[call].hint_s = wait_s
        return codes.RATE_LIMITED
    if wait_s > 0.0:
        wait_for_place(w, c, call, layer, wait_s, before, _state(w, each, call))
        return codes.SUSPENDED
    return NONE


@inlined
def wait_for_place(w: Any, c: Any, call: Any, layer: Any, wait_s: Any, before: Any, after: Any) -> None:
    """Suspend a call until its turn comes."""
    this, held = w.calls[call], w.reservations[call]
    this.layer = layer
    this.version += 1
    held.before_1, held.before_2, held.before_3 = before
    held.after_1, held.after_2, held.after_3 = after
    push_event(w, c, c.now_s + wait_s, codes.RESUMPTION, call, layer, this.version)


@rare
def give_back(w: Any, call: Any, layer: Any) -> None:
    """Give back what a call waits for, where nobody has taken since."""
    each, held = w.layers[layer], w.reservations[call]
    first, second, third = _state(w, each, call)
    if each.kind == codes.SLIDING_LOG:
        third = held.after_3  # it holds a time of the ring, which is another one by now
    if first == held.after_1 and second == held.after_2 and third == held.after_3:
        _restore(w, each, call, held.before_1, held.before_2, held.before_3)


@inlined
def _take(w: Any, each: Any, call: Any, now: Any) -> Any:
    """Take a place; return the seconds until it is there, and those that a call may wait."""
    it = w.admissions[each.admission + key_in(w, each, call)]
    cost = cost_in(w, each, call)
    if each.kind == codes.TOKEN_BUCKET:
        p = it.token_bucket_parameters
        return take_token(p, it.token_bucket_state, now, cost), p.patience_s
    if each.kind == codes.LEAKY_BUCKET:
        q = it.leaky_bucket_parameters
        return pour(q, it.leaky_bucket_state, now, cost), q.patience_s
    if each.kind == codes.FIXED_WINDOW:
        r = it.fixed_window_parameters
        return take_fixed(r, it.fixed_window_state, now, cost), r.patience_s
    if each.kind == codes.SLIDING_WINDOW:
        t = it.sliding_window_parameters
        return take_sliding(t, it.sliding_window_state, now, cost), t.patience_s
    u = it.sliding_log_parameters
    ring = w.numbers[it.first : it.first + u.limit]
    return take_logged(u, it.sliding_log_state, ring, now, int(cost)), u.patience_s


@inlined
def _state(w: Any, each: Any, call: Any) -> Any:
    """Return the numbers that a limiter remembers; of a log, those that the next call changes."""
    if each.kind == codes.LIMIT:
        return w.gcra_states[each.index + key_in(w, each, call)].arrival, 0.0, 0.0
    it = w.admissions[each.admission + key_in(w, each, call)]
    if each.kind == codes.TOKEN_BUCKET:
        s = it.token_bucket_state
        return s.tokens, s.updated, 0.0
    if each.kind == codes.LEAKY_BUCKET:
        t = it.leaky_bucket_state
        return t.level, t.updated, 0.0
    if each.kind == codes.FIXED_WINDOW:
        u = it.fixed_window_state
        return u.window, u.count, 0.0
    if each.kind == codes.SLIDING_WINDOW:
        v = it.sliding_window_state
        return v.window, v.current, v.previous
    x = it.sliding_log_state
    return float(x.at), x.latest, w.numbers[it.first + x.at]


@inlined
def _restore(w: Any, each: Any, call: Any, first: Any, second: Any, third: Any) -> None:
    """Put the numbers back that a limiter remembered."""
    it = w.admissions[each.admission + key_in(w, each, call)]
    if each.kind == codes.LIMIT:
        w.gcra_states[each.index + key_in(w, each, call)].arrival = first
    elif each.kind == codes.TOKEN_BUCKET:
        s = it.token_bucket_state
        s.tokens, s.updated = first, second
    elif each.kind == codes.LEAKY_BUCKET:
        t = it.leaky_bucket_state
        t.level, t.updated = first, second
    elif each.kind == codes.FIXED_WINDOW:
        u = it.fixed_window_state
        u.window, u.count = first, second
    elif each.kind == codes.SLIDING_WINDOW:
        v = it.sliding_window_state
        v.window, v.current, v.previous = first, second, third
    else:
        x = it.sliding_log_state
        x.at, x.latest = int(first), second
        w.numbers[it.first + x.at] = third
