"""Clients: when the next one comes, and the beginning of its call."""

import math
from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.machines.retry import NO_HINT_S
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_adaptive import begin_limits
from workbench.reliability.simulation._kernel_events import push_event, push_work
from workbench.reliability.simulation._kernel_random import uniform
from workbench.reliability.simulation._kernel_requests import tell_apart

__all__ = ["arrive", "begin", "next_arrival"]

OK, NONE = codes.OK, codes.NONE


@inlined
def begin(w: Any, c: Any) -> None:
    """Let the first client come, or all users, each after it has thought; and limits draw what they need."""
    c.started = 1
    begin_limits(w)
    service = w.service[0]
    if service.arrival_kind != codes.CLOSED:
        c.next_arrival_s = next_arrival(w, c)
        return
    c.next_arrival_s = math.inf
    for user in range(service.users):
        think_s = -service.think_s * math.log1p(-uniform(service.seed, codes.ARRIVALS, user))
        push_event(w, c, think_s, codes.RETURN, user, 0, NONE)


@inlined
def next_arrival(w: Any, c: Any) -> Any:
    """Return when the next client comes: a step of the process, through the surges on its way."""
    service = w.service[0]
    if service.arrival_kind == codes.RECORDED:
        return w.arrival_times[c.arrivals] if c.arrivals < len(w.arrival_times) else math.inf
    left = 1.0
    if service.arrival_kind == codes.POISSON:
        left = -math.log1p(-uniform(service.seed, codes.ARRIVALS, c.arrivals))
    at = c.now_s
    while True:
        factor, border = 1.0, math.inf
        for number in range(len(w.faults)):
            fault = w.faults[number]
            if fault.kind == codes.SURGE:
                if fault.start_s <= at < fault.end_s:
                    factor *= fault.amount
                    border = min(border, fault.end_s)
                elif fault.start_s > at:
                    border = min(border, fault.start_s)
        rate_hz = service.rate_hz * factor
        if rate_hz > 0.0 and at + left / rate_hz <= border:
            return at + left / rate_hz
        if border == math.inf:
            return math.inf
        left -= (border - at) * rate_hz
        at = border


@inlined
def arrive(w: Any, c: Any, user: Any) -> None:
    """Begin a call."""
    call = c.free_call
    this = w.calls[call]
    c.free_call = this.following
    c.calls += 1
    this.serial = c.arrivals
    c.arrivals += 1
    this.attempts = 0
    this.attempt = NONE
    this.cancelled_at = NONE
    this.user = user
    this.arrived_s = c.now_s
    this.waited_s = 0.0
    this.hint_s = NO_HINT_S
    tell_apart(w, this)
    w.bins[c.bin, codes.BIN_ARRIVED] += 1
    push_work(w, c, codes.DOWN, call, 0, OK)
