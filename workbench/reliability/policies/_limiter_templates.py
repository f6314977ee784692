"""What a limiter offers beside calling through it, as factories in which a machine's transitions are placed.

`take` and `surplus` stand for the transitions of the limiter's machine; see `fusing.functions` for the
other forms. A key that is not known yet, or whose hash is Python code, goes the long way, by `begin` and
`swap_known`.
"""

from typing import Any

from workbench.reliability.fusing.functions import packed, parts, put, whole

__all__ = ["judging", "restoring", "swapping", "taking", "trying"]


def take(_p: Any, _s: Any, _now: float, _cost: float) -> float:
    """Stand for the machine's transition."""
    raise NotImplementedError


def surplus(_p: Any, _s: Any, _now: float) -> float:
    """Stand for the machine's transition."""
    raise NotImplementedError


def trying(  # noqa: C901, PLR0913 - it is fused into one piece
    p: Any, s: Any, lock: Any, clock: Any, states: Any, begin: Any, limiter: Any
) -> Any:
    """Return `RateLimiter.try_acquire`."""
    most, refused = float(limiter.most), limiter.refused

    def try_acquire(key: Any = None, cost: float = 1.0) -> bool:  # noqa: PLR0911 - as above
        """Take, or do not; tell whether it was taken. Never waits.

        Parameters
        ----------
        key : hashable, optional
            Whose limit; None has one of its own.
        cost : float
            How many calls it counts for; a whole number for `RateLimiter.sliding_log`.

        Raises
        ------
        UnattainableCostError
            When the cost is more than the burst or the limit: it could never be taken.
        PolicyError
            When the cost is no number from 0 on.
        """
        if cost >= 0.0:
            read = clock.now  # two steps: CPython 3.11 is slow to call methods that are slots
            now = read()
            if key is None:
                with whole(lock):
                    wait_s = take(p, s, now, cost)
                if not wait_s:
                    return True
                if cost <= most and not limiter._listeners:  # noqa: SLF001 - it is its own
                    return False
                return refused(key, cost, now, wait_s)
            with whole(lock):
                try:
                    state = states[key]
                except KeyError:
                    state = None
                if state is not None:
                    wait_s = take(p, parts(s, state), now, cost)
                    states[key] = state
            if state is None:
                wait_s = begin(p, key, now, cost)
            if not wait_s:
                return True
            if cost <= most and not limiter._listeners:  # noqa: SLF001 - it is its own
                return False
            return refused(key, cost, now, wait_s)
        return refused(key, cost, clock.now(), 0.0)

    return try_acquire


def taking(s: Any, lock: Any, states: Any, begin: Any) -> Any:
    """Return what takes for a key, or for none, and tells the seconds to wait."""

    def take_for(p: Any, key: Any, now: float, cost: float) -> float:
        if key is None:
            with whole(lock):
                wait_s = take(p, s, now, cost)
            return wait_s  # noqa: RET504 - the form of a transition
        with whole(lock):
            try:
                state = states[key]
            except KeyError:
                state = None
            if state is not None:
                wait_s = take(p, parts(s, state), now, cost)
                states[key] = state
        if state is None:
            wait_s = begin(p, key, now, cost)
        return wait_s

    return take_for


def swapping(s: Any, lock: Any, states: Any, swap_unknown: Any) -> Any:
    """Return what takes, and tells the seconds to wait, and the states before and after."""

    def swap(p: Any, key: Any, now: float, cost: float) -> tuple[float, Any, Any]:
        if key is None:
            with whole(lock):
                before = packed(s)
                wait_s = take(p, s, now, cost)
                after = packed(s)
            return wait_s, before, after
        with whole(lock):
            try:
                before = states[key]
            except KeyError:
                before = None
            if before is not None:
                after = before
                wait_s = take(p, parts(s, after), now, cost)
                states[key] = after
        if before is None:
            return swap_unknown(p, key, now, cost)
        return wait_s, before, after

    return swap


def restoring(s: Any, lock: Any, states: Any) -> Any:
    """Return what puts an earlier state back where the later one is still there, and tells whether it was."""

    def restore(key: Any, before: Any, after: Any) -> bool:
        if key is None:
            with whole(lock):
                present = packed(s)
                same = present == after
                if same:
                    put(s, before)
            return same
        with whole(lock):
            try:
                present = states[key]
            except KeyError:
                present = None
            same = present == after
            if same:
                states[key] = before
        return same

    return restore


def judging(p: Any, s: Any) -> Any:
    """Return what tells how long ago a state came to be as good as new."""

    def surplus_of(state: Any, now: float) -> float:
        beyond = surplus(p, parts(s, state), now)
        return beyond  # noqa: RET504 - the form of a transition

    return surplus_of
