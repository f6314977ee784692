"""What a policy takes over from the one in whose place it comes.

======================  ==================================  ==================================================
policy                  goes on with                        unless
======================  ==================================  ==================================================
retry, timeout, ...     its counts
retry budget            what is left, its counts
breaker                 state, window, counts               the window differs: then the state only
limiter                 keys and what they have left        the rate or the burst differs
client throttle         the window                          it is divided otherwise
hedge                   the durations it has seen
cache                   all answers                         the keys are made otherwise
adaptive limit          the limit, within new bounds        the algorithm is another one
bulkhead, shedder       calls that run and wait             more than `limit` and `queue` differ
chaos                   the number of the call, the seed    the fault is another one
======================  ==================================  ==================================================

State is shared, not copied: calls that are out through the old policy still count. Only a bulkhead's limits
are changed in place, because places belong to the callee, not to a call.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from workbench.reliability.pipelines import _kinds as kinds

__all__ = ["adopt", "is_resized", "resize"]

BREAKER_SHAPE = ("window", "buckets", "bucket_s")


def adopt(new: Any, old: Any) -> bool:
    """Have a policy go on with what another one of its kind has learnt; tell whether it could."""
    for is_kind, take in ADOPTIONS:
        if is_kind(new) and is_kind(old):
            if not take(new, old):
                return False
            break
    else:
        return False
    new.rng = old.rng
    return True


def is_resized(new: Any, old: Any) -> bool:
    """Tell whether a bulkhead or a shedder differs from another one in its limits only."""
    if not (kinds.is_bulkhead(new) or kinds.is_shedder(new)) or type(new) is not type(old):
        return False
    return _but_limits(new) == _but_limits(old) and new.clock is old.clock


def resize(policy: Any, wanted: Any) -> None:
    """Give a bulkhead or a shedder the limits of another one; who waits gets the places that this makes."""
    with policy.lock:
        policy.parameters = wanted.parameters
        policy.made_with = wanted.made_with
        policy.room.promote()


def _but_limits(policy: Any) -> Any:
    args, kwargs = policy.made_with
    return args[1:], {
        name: value for name, value in kwargs.items() if name not in ("limit", "queue", "clock", "rng")
    }


def _counts(new: Any, old: Any) -> bool:
    new.memory, new.lock = old.memory, old.lock
    return True


def _retry(new: Any, old: Any) -> bool:
    new.memory = old.memory
    if new.budget is None:
        new.lock = old.lock
    elif old.budget is not None and _is_same_budget(new.budget, old.budget):
        new.budget, new.budget_parameters = old.budget, old.budget.parameters
    elif old.budget is not None and new.budget is not old.budget and new.budget.name == old.budget.name:
        new.budget.memory, new.budget.lock = old.budget.memory, old.budget.lock
    if new.budget is not None:
        new.budget_memory, new.lock = new.budget.memory, new.budget.lock
    return True


def _is_same_budget(new: Any, old: Any) -> bool:
    return new.name == old.name and new.parameters == old.parameters and new.clock is old.clock


def _breaker(new: Any, old: Any) -> bool:
    window = _window(new)
    if window == _window(old) and (window == "consecutive" or _same(new, old, BREAKER_SHAPE)):
        new.memory, new.ring, new.lock = old.memory, old.ring, old.lock
    elif old.state != new.state:
        new.follow(old.state, since_s=max(0.0, old.clock.now() - old.memory.changed_s))
    return True


def _window(breaker: Any) -> str:
    given = breaker.made_with[1]
    return next((name for name in ("window_s", "consecutive") if given.get(name) is not None), "window")


def _limiter(new: Any, old: Any) -> bool:
    names = [each.name for each in fields(new.parameters) if each.name != "patience_s"]
    if old.shared is not None or new.machine is not old.machine or not _same(new, old, names):
        return False
    most_keys = new.states.max_keys
    new.memory, new.states, new.lock = old.memory, old.states, old.lock
    new.states.max_keys = most_keys
    new.try_acquire = new.states.trying(new._at_once, new)  # noqa: SLF001 - as it makes it itself
    return True


def _throttle(new: Any, old: Any) -> bool:
    if not _same(new, old, ("bucket_s", "buckets")):
        return False
    new.requests, new.accepts = old.requests, old.accepts
    return _counts(new, old)


def _hedge(new: Any, old: Any) -> bool:
    new.learnt, new.counts, new.lock = old.learnt, old.counts, old.lock
    new._won, new._started = old._won, old._started  # noqa: SLF001 - its counts; who is at work stays with the old one
    if new.parameters == old.parameters:
        new.memory = old.memory
    return True


def _fallback(new: Any, old: Any) -> bool:
    new._hidden = old._hidden  # noqa: SLF001 - its counts
    return _counts(new, old)


def _cache(new: Any, old: Any) -> bool:
    if new._key != old._key or new._by_function != old._by_function:  # noqa: SLF001 - shown nowhere else
        return False
    new._entries, new._flights = old._entries, old._flights  # noqa: SLF001 - its answers
    new._refreshing = old._refreshing  # noqa: SLF001 - as above
    return _counts(new, old)


def _adaptive(new: Any, old: Any) -> bool:
    if type(new.algorithm) is not type(old.algorithm):
        return False
    for each in fields(old.estimate):
        setattr(new.estimate, each.name, getattr(old.estimate, each.name))
    new.estimate.limit = float(min(max(old.estimate.limit, new.algorithm.minimum), new.algorithm.maximum))
    new._set_limit(int(new.estimate.limit))  # noqa: SLF001 - what its algorithm does
    return True


def _chaos(new: Any, old: Any) -> bool:
    if new.fault != old.fault:
        return False
    if "seed" not in new.made_with[1]:
        new.seed = old.seed
    return _counts(new, old)


def _same(new: Any, old: Any, names: Any) -> bool:
    return all(getattr(new.parameters, name) == getattr(old.parameters, name) for name in names)


def _limits_time(policy: Any) -> bool:
    return kinds.is_timeout(policy) or kinds.is_deadline(policy)


ADOPTIONS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any], bool]], ...] = (
    (kinds.is_retry, _retry),
    (_limits_time, _counts),
    (kinds.is_breaker, _breaker),
    (kinds.is_limiter, _limiter),
    (kinds.is_throttle, _throttle),
    (kinds.is_hedge, _hedge),
    (kinds.is_fallback, _fallback),
    (kinds.is_cache, _cache),
    (kinds.is_adaptive, _adaptive),
    (kinds.is_chaos, _chaos),
)
