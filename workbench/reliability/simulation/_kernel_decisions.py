"""One machine over recorded calls that follow each other: hundreds of millions of decisions a second."""

from typing import Any

import numba
import numpy as np

from workbench.kernels import kernel
from workbench.kernels.memory import inlined, unowned
from workbench.reliability.machines import breaker, gcra
from workbench.reliability.machines._records import record_dtype
from workbench.reliability.simulation._codes import NONE

__all__ = ["breaker_decisions", "gcra_decisions"]

take = inlined(gcra.take)
admit, learn = inlined(breaker.admit), inlined(breaker.learn)


def _of(machine: Any) -> tuple[Any, Any]:
    """Return the types of a machine's parameters and states, one record each."""
    typeof: Any = numba.typeof
    parameters, states = (np.zeros(1, record_dtype(kind)) for kind in (machine.Parameters, machine.State))
    return typeof(parameters), typeof(states)


def _gcra_types() -> tuple[Any, ...]:
    return *_of(gcra), numba.float64[::1], numba.boolean[::1]


def _breaker_types() -> tuple[Any, ...]:
    return *_of(breaker), numba.uint8[::1], numba.float64[::1], numba.uint8[::1], numba.boolean[::1]


@kernel(_gcra_types)
def gcra_decisions(p: Any, s: Any, at_s: Any, allowed: Any) -> None:
    """Tell of each arrival, `(n,) float64` seconds, whether it is let through."""
    for call in range(len(at_s)):
        allowed[call] = take(p[0], s[0], at_s[call], 1.0) <= 0.0


@kernel(_breaker_types)
def breaker_decisions(p: Any, s: Any, ring: Any, at_s: Any, seen: Any, allowed: Any) -> None:
    """Tell of each call whether it passes; `seen` is what comes of it: 1 failed, 2 slow, 3 both.

    Calls follow each other: each has ended before the next one comes.
    """
    p, s, ring, seen = unowned(p), unowned(s), unowned(ring), unowned(seen)
    at_s, allowed = unowned(at_s), unowned(allowed)
    state = s[0]
    for call in range(len(at_s)):
        now = at_s[call]
        passes = True
        if state.state != breaker.CLOSED:
            passes = admit(p[0], state, now)
        allowed[call] = passes
        if passes:
            generation = NONE if state.state == breaker.DISABLED else state.generation
            learn(p[0], state, ring, generation, seen[call], now)
