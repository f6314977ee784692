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

What each shares is said by its `adopt`: state is shared, not copied, so that calls that are out through
the old policy still count. Only a bulkhead's limits are changed in place, because places belong to the
callee, not to a call.
"""

from typing import Any

from workbench.reliability.pipelines import _kinds as kinds
from workbench.reliability.policy import Policy

__all__ = ["adopt", "is_resized", "resize"]


def adopt(new: Policy, old: Policy) -> bool:
    """Have a policy go on with what another one of its kind has learnt; tell whether it could."""
    if new.kind != old.kind or not new.adopt(old):
        return False
    new.rng = old.rng
    new.changed()
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
