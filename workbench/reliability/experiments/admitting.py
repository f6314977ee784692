"""`admissions`: the same calls put to several limiters, each of which has seen nothing before."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from workbench.reliability.experiments.admitted import Admissions
from workbench.reliability.experiments.errors import ExperimentError
from workbench.reliability.policies.limiter import RateLimiter

__all__ = ["admissions"]

Floats = npt.NDArray[np.float64]


def admissions(
    limiters: Mapping[str, RateLimiter] | Iterable[RateLimiter],
    at_s: npt.ArrayLike,
    *,
    keys: Sequence[Hashable] | None = None,
    costs: npt.ArrayLike | None = None,
) -> Admissions:
    """Return which of recorded calls limiters would let through at once.

    The limiters themselves are not asked, and not changed: each has a twin with the same parameters that has
    seen nothing. That of a shared limiter decides alone, as it would on an empty server.

    Parameters
    ----------
    limiters : mapping of str to RateLimiter, or several
        Without names they are called by their algorithms.
    at_s : (n,) float64
        When calls come, ascending; seconds. Windows begin at multiples of their length.
    keys : sequence of n hashables, optional
        Whose calls they are; without, nobody's.
    costs : (n,) float64, optional
        What they cost; 1 without.

    Raises
    ------
    ExperimentError
        For times that do not ascend, lengths that differ, names that are not unique, and what is no limiter.
    UnattainableCostError, PolicyError
        For costs that a limiter never lets through.

    Examples
    --------
    >>> calls = [0.9] * 20 + [1.1] * 20
    >>> limiters = [RateLimiter.fixed_window(limit=10, window_s=1), RateLimiter.gcra(rate_hz=10, burst=10)]
    >>> admissions(limiters, calls)
    Admissions of 40 calls: fixed_window 20, gcra 12
    """
    named = _named(limiters)
    times = np.array(at_s, np.float64)
    if times.ndim != 1 or not (np.isfinite(times).all() and (np.diff(times) >= 0).all()):
        msg = "at_s must be times in ascending order"
        raise ExperimentError(msg)
    owners = [None] * len(times) if keys is None else list(keys)
    cost = np.ones(len(times)) if costs is None else np.array(costs, np.float64)
    for name, found in (("keys", len(owners)), ("costs", cost.size)):
        if found != len(times):
            msg = f"expected {name} for {len(times)} calls, got {found}"
            raise ExperimentError(msg)
    places = {key: place for place, key in enumerate(dict.fromkeys(owners))}
    whole = [int(each) if each == each // 1 else each for each in cost.tolist()]
    calls = list(zip(times.tolist(), owners, whole, strict=True))
    return Admissions(
        at_s=times,
        key=np.array([places[key] for key in owners], np.int64),
        keys=tuple(places),
        cost=cost,
        limiters=named,
        admitted=MappingProxyType({name: _decided(each, calls) for name, each in named.items()}),
    )


def _named(limiters: Mapping[str, RateLimiter] | Iterable[RateLimiter]) -> Mapping[str, RateLimiter]:
    several = [*limiters.values()] if isinstance(limiters, Mapping) else [*limiters]
    for each in several:
        if not isinstance(each, RateLimiter):
            msg = f"expected rate limiters, such as RateLimiter.gcra(rate_hz=10), got {each!r:.80}"
            raise ExperimentError(msg)
    names = list(limiters) if isinstance(limiters, Mapping) else [each.algorithm for each in several]
    if len(set(names)) < len(names):
        msg = f"two limiters are called alike, among {', '.join(names)}: give a mapping of names to limiters"
        raise ExperimentError(msg)
    return MappingProxyType(dict(zip(names, several, strict=True)))


class _Given:
    """A clock that says what it is told to; nobody sleeps by it."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> float:
        return self.at_s

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    async def asleep(self, seconds: float) -> None:
        raise NotImplementedError


def _decided(limiter: RateLimiter, calls: list[tuple[float, Hashable, float]]) -> npt.NDArray[np.bool_]:
    """Return what a limiter would let through."""
    clock = _Given()
    twin = RateLimiter(limiter.machine, limiter.parameters, limiter.most, clock=clock)
    decided = []
    for at_s, key, cost in calls:
        clock.at_s = at_s
        decided.append(twin.try_acquire(key, cost))
    return np.array(decided, np.bool_)
