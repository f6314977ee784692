"""Retry: after each attempt, how long to wait before another one, or why there is none.

A decision is a number: seconds to wait, or one of the negative codes. In order:

1. The attempt succeeded: `DONE`.
2. Its failure is not worth another try: `PERMANENT`.
3. All attempts are made: `EXHAUSTED`.
4. The callee asks for more patience than there is: `TOLD_TO_WAIT`. A shorter wish lengthens the delay.
5. The next attempt would not start, or could not end, before the deadline: `OUT_OF_TIME`.
6. Wait as `workbench.backoff` says, whose formulas stand here over numbers.
"""

import math
from dataclasses import dataclass
from typing import Any

from workbench.backoff import FIRST, REACH, STEEPNESS, Backoff, Exponential, Linear
from workbench.reliability.machines._transition import transition

__all__ = [
    "DONE",
    "EXHAUSTED",
    "FATAL",
    "NO_HINT_S",
    "OUT_OF_TIME",
    "PERMANENT",
    "RETRYABLE",
    "SUCCEEDED",
    "TOLD_TO_WAIT",
    "UNLIMITED",
    "Parameters",
    "State",
    "decide",
    "following",
    "parameters_of",
    "refuse",
]

SUCCEEDED, RETRYABLE, FATAL = 0, 1, 2  # outcomes of an attempt
DONE, PERMANENT, EXHAUSTED, TOLD_TO_WAIT, OUT_OF_TIME = -1.0, -2.0, -3.0, -4.0, -5.0
NO_HINT_S = -1.0
UNLIMITED = 2**62
NONE, FULL, EQUAL, SHARE, DECORRELATED, DECORRELATED_V2 = 0, 1, 2, 3, 4, 5
JITTERS = {
    "none": NONE,
    "full": FULL,
    "equal": EQUAL,
    "decorrelated": DECORRELATED,
    "decorrelated_v2": DECORRELATED_V2,
}
ALWAYS = 2**53


@dataclass(slots=True)
class Parameters:
    """How many attempts, and how their delays grow.

    Without jitter a delay is `base_s` times `factor` to the power of retries made (`exponential`), or plus
    `step_s` times these, up to retry `growing`, and `cap_s` from then on. `jitter` is a code, `share` the
    number of the one that has one.
    """

    attempts: int
    exponential: bool
    base_s: float
    step_s: float
    factor: float
    cap_s: float
    growing: int
    jitter: int
    share: float
    hint_max_s: float
    least_s: float


@dataclass(slots=True)
class State:
    """What was decided: retries, and calls by how they ended; those that need no retry are not counted."""

    retries: int = 0
    recovered: int = 0
    permanent: int = 0
    exhausted: int = 0
    told_to_wait: int = 0
    out_of_time: int = 0
    out_of_budget: int = 0


@transition
def decide(  # noqa: C901, PLR0912, PLR0913 - one decision, compiled as a whole
    p: Any,
    s: Any,
    attempt: int,
    outcome: int,
    previous_delay_s: float,
    u: float,
    hint_s: float,
    now: float,
    deadline_s: float,
) -> float:
    """Return the seconds to wait before the next attempt, or the code of why there is none.

    Parameters
    ----------
    attempt : int
        Which attempt has ended, from 1.
    outcome : int
        `SUCCEEDED`, `RETRYABLE` or `FATAL`.
    previous_delay_s : float
        What `following` returned after the last wait of this call; 0 before.
    u : float
        A random number from [0, 1).
    hint_s : float
        For how long the callee asks to be left alone; negative when it does not.
    deadline_s : float
        Until when the next attempt must have had `least_s`; may be infinite.
    """
    decision = PERMANENT
    if outcome == SUCCEEDED:
        decision = DONE
        if attempt > 1:
            s.recovered += 1
    elif outcome != RETRYABLE:
        s.permanent += 1
    elif attempt >= p.attempts:
        decision = EXHAUSTED
        s.exhausted += 1
    elif hint_s > p.hint_max_s:
        decision = TOLD_TO_WAIT
        s.told_to_wait += 1
    else:
        raw = p.cap_s
        if p.base_s == 0.0 and p.exponential:
            raw = 0.0
        elif attempt <= p.growing and p.jitter < DECORRELATED:
            if p.exponential:
                raw = p.base_s * p.factor ** (attempt - 1.0)
            else:
                raw = p.base_s + p.step_s * (attempt - 1.0)
        if raw > p.cap_s:  # noqa: PLR1730 - a call costs more than all the rest
            raw = p.cap_s
        delay = raw
        if p.jitter == FULL:
            delay = u * raw
        elif p.jitter == EQUAL:
            delay = 0.5 * raw + u * (0.5 * raw)
        elif p.jitter == SHARE:
            delay = raw * (1.0 - p.share + 2.0 * p.share * u)
        elif p.jitter == DECORRELATED:
            before = max(previous_delay_s, p.base_s)
            delay = p.base_s + u * (REACH * before - p.base_s)
        elif p.jitter == DECORRELATED_V2 and attempt <= p.growing:
            t = attempt - 1.0 + u
            until = p.base_s / FIRST * p.factor**t * math.tanh(math.sqrt(STEEPNESS * t))
            delay = max(until - previous_delay_s, 0.0)
        if delay > p.cap_s:  # noqa: PLR1730
            delay = p.cap_s
        if delay < hint_s:  # noqa: PLR1730
            delay = hint_s
        decision = delay
        if now + delay + p.least_s >= deadline_s:
            decision = OUT_OF_TIME
            s.out_of_time += 1
        else:
            s.retries += 1
    return decision


@transition
def following(p: Any, previous_delay_s: float, delay_s: float) -> float:
    """Return what the next decision must know of this delay: itself, or all delays so far."""
    known = delay_s
    if p.jitter == DECORRELATED_V2:
        known = previous_delay_s + delay_s
    return known


@transition
def refuse(s: Any) -> int:
    """Take back a retry that the budget does not allow."""
    s.retries -= 1
    s.out_of_budget += 1
    return s.out_of_budget


def parameters_of(
    backoff: Backoff, *, attempts: int, hint_max_s: float = math.inf, least_s: float = 0.0
) -> Parameters:
    """Return a backoff's formula as numbers."""
    jitter = backoff.jitter
    return Parameters(
        attempts=attempts,
        exponential=isinstance(backoff, Exponential),
        base_s=float(backoff.base_s),
        step_s=float(backoff.step_s) if isinstance(backoff, Linear) else 0.0,
        factor=float(backoff.factor) if isinstance(backoff, Exponential) else 1.0,
        cap_s=float(backoff.cap_s),
        growing=backoff.growing if isinstance(backoff, Exponential) else ALWAYS,
        jitter=JITTERS[jitter] if isinstance(jitter, str) else SHARE,
        share=0.0 if isinstance(jitter, str) else float(jitter),
        hint_max_s=float(hint_max_s),
        least_s=float(least_s),
    )
