"""Rules about numbers: attempts, times, load.

The load that retries add is what keeps a system down after its trigger has gone: N. Bronson, A. Aghayev, A.
Charapko, T. Zhu, Metastable Failures in Distributed Systems (HotOS 2021). While everything fails, a callee
with a share `load` of first attempts gets ``load * attempts``; from 1 on it has no time left to recover.
"""

import math
from collections.abc import Iterator

from workbench.reliability.pipelines._kinds import (
    is_adaptive,
    is_breaker,
    is_deadline,
    is_retry,
    is_throttle,
    is_timeout,
)
from workbench.reliability.pipelines._rules import Rule, View
from workbench.reliability.pipelines._worst_case import (
    factor,
    longest_delay_s,
    longest_delays_s,
    longest_wait_s,
    sustained_factor,
)
from workbench.reliability.pipelines.findings import Finding, number_text

__all__ = ["NUMBER_RULES"]

MANY_ATTEMPTS = 10


def attempts_multiply(view: View) -> Iterator[Finding]:
    """Find layers whose attempts multiply, or one that tries very often."""
    places = view.places(lambda policy: factor(policy) > 1.0)
    attempts = view.costs[0].attempts
    retries = [place for place in places if is_retry(view.policies[place])]
    if attempts == math.inf or not (len(retries) > 1 or attempts > MANY_ATTEMPTS):
        return
    product = " x ".join(number_text(factor(view.policies[place])) for place in places)
    yield Finding(
        "attempts_multiply",
        "warning",
        view.named(*places),
        f"one call may become {product} = {number_text(attempts)} attempts",
        "retry in one place only, next to the callee, and share a RetryBudget",
        {"attempts": attempts},
    )


def endless_attempts(view: View) -> Iterator[Finding]:
    """Find a retry without a number of attempts that no time and no budget ends."""
    for place in view.places(is_retry):
        policy = view.policies[place]
        limits = [view.policies[above].timeout_s for above in view.places(_limits_time) if above < place]
        if policy.attempts is None and policy.budget is None and min([policy.timeout_s, *limits]) == math.inf:
            yield Finding(
                "endless_attempts",
                "error",
                view.named(place),
                "it tries again without end",
                "give attempts, timeout_s or a budget, or put a Deadline around",
                {"attempts": math.inf},
            )


def time_over_deadline(view: View) -> Iterator[Finding]:
    """Find worst cases that last longer than callers wait: the last attempts are for nobody."""
    seconds = view.costs[0].seconds
    if view.deadline_s is not None and seconds > view.deadline_s:
        yield Finding(
            "time_over_deadline",
            "error" if seconds == math.inf else "warning",
            view.named(*view.places(_costs_time)) or view.names or ("the call",),
            f"a call may take {number_text(seconds)} s, callers wait {number_text(view.deadline_s)} s",
            f"put Deadline({number_text(view.deadline_s)}) outermost, and fewer or shorter attempts within",
            {"worst_time_s": seconds, "deadline_s": view.deadline_s},
        )
    for place in view.places(is_deadline):
        limit_s, within_s = view.policies[place].timeout_s, view.costs[place + 1].seconds
        retries = [inner for inner in view.places(is_retry) if inner > place]
        if retries and limit_s < within_s < math.inf:
            yield Finding(
                "time_over_deadline",
                "warning",
                view.named(place, *retries),
                f"what is within may take {number_text(within_s)} s of the {number_text(limit_s)} s: "
                "the last attempts never come",
                "shorten the attempts' timeout or the back-off until all attempts fit in",
                {"worst_time_s": within_s, "deadline_s": limit_s},
            )


def timeout_shorter_than_backoff(view: View) -> Iterator[Finding]:
    """Find limits around a retry that are over before its first delay: it has one attempt."""
    for place in view.places(is_retry):
        policy = view.policies[place]
        if policy.attempts == 1:
            continue
        delay_s = longest_delay_s(policy)
        limits = [
            (above, view.policies[above].timeout_s) for above in view.places(_limits_time) if above < place
        ]
        for above, limit_s in [*limits, (place, policy.timeout_s)]:
            if limit_s <= delay_s:
                yield Finding(
                    "timeout_shorter_than_backoff",
                    "warning",
                    view.named(*dict.fromkeys((above, place))),
                    f"the limit of {number_text(limit_s)} s is not longer than the first back-off, "
                    f"up to {number_text(delay_s)} s: often there is no second attempt",
                    f"wait less, as Exponential({number_text(limit_s / 20)}), or allow more than "
                    f"{number_text(longest_delays_s(policy))} s, what all back-offs may take",
                    {"limit_s": limit_s, "first_backoff_s": delay_s, "backoffs_s": longest_delays_s(policy)},
                )


def no_timeout(view: View) -> Iterator[Finding]:
    """Find calls without any limit: they wait for a callee that hangs as long as that does."""
    if not view.places(_limits_time):
        yield Finding(
            "no_timeout",
            "warning",
            view.names or ("the call",),
            "nothing limits the time of a call: a callee that hangs is waited for without end",
            "put a Timeout innermost for each attempt, and a Deadline outermost for all",
            {"worst_time_s": math.inf},
        )


def no_attempt_timeout(view: View) -> Iterator[Finding]:
    """Find retries without a limit within: one attempt that hangs uses up the time of all."""
    for place in view.places(is_retry):
        limited = any(inner > place for inner in view.places(_limits_time))
        around = [above for above in view.places(_limits_time) if above < place]
        if around and not limited and view.policies[place].attempts != 1:
            yield Finding(
                "no_attempt_timeout",
                "info",
                view.named(*around, place),
                "one attempt that hangs uses up the time of all",
                "put a Timeout within the retry, shorter than the limit around it",
                {"limit_s": min(view.policies[above].timeout_s for above in around)},
            )


def metastable(view: View) -> Iterator[Finding]:
    """Find attempts that keep the callee at its limit while everything fails: see the module."""
    if view.load is None:
        return
    attempts = math.prod(sustained_factor(policy) for policy in view.policies)
    offered = view.load * attempts
    places = view.places(lambda policy: sustained_factor(policy) > 1.0)
    numbers = {"load": view.load, "attempts": attempts, "offered_load": offered}
    if view.load >= 1.0:
        yield Finding(
            "metastable",
            "error",
            view.names or ("the call",),
            f"the load of {number_text(view.load)} is too much before anything is tried again",
            "add capacity, or shed load with LoadShedder or RateLimiter",
            numbers,
        )
    elif offered >= 1.0:
        brakes = view.places(lambda policy: is_breaker(policy) or is_throttle(policy) or is_adaptive(policy))
        yield Finding(
            "metastable",
            "warning" if brakes else "error",
            view.named(*places),
            f"load {number_text(view.load)} x attempts {number_text(attempts)} = {number_text(offered)}"
            " >= 1: after an outage the retries alone keep the callee overloaded (Bronson et al., HotOS 2021)"
            + (f"; {', '.join(view.named(*brakes))} may end it" if brakes else ""),
            "share a RetryBudget (its ratio bounds the attempts), or run below a load of "
            f"{number_text(1.0 / attempts)}",
            numbers,
        )


def _costs_time(policy: object) -> bool:
    return factor(policy) > 1.0 or longest_wait_s(policy) > 0.0 or _limits_time(policy)


def _limits_time(policy: object) -> bool:
    return is_timeout(policy) or is_deadline(policy)


NUMBER_RULES: tuple[Rule, ...] = (
    attempts_multiply,
    endless_attempts,
    time_over_deadline,
    timeout_shorter_than_backoff,
    no_timeout,
    no_attempt_timeout,
    metastable,
)
