r"""Events and their order: a partial order where spans overlap.

Each event lies in an interval of time: the span, or the instant of its start or its end. Event a precedes b
when a's interval ended before b's began,

.. math:: a \prec b \iff \mathrm{latest}(a) < \mathrm{earliest}(b),

or when both are of one span and listed in this order. Between services whose clocks may differ, the
difference allowed is added to the left side. A behaviour shows a trace when it has the events in an order
that extends this one (a *linear extension*).

Source: L. Lamport, Time, clocks, and the ordering of events in a distributed system, CACM 1978; interval
orders: P. C. Fishburn, 1970.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import inf
from typing import TypeAlias

from workbench.model.formal.validating.mappings import Key, Observed
from workbench.model.formal.validating.spans import Span

__all__ = ["Event", "Pattern", "in_order", "pattern_of", "twins_in_line"]

Pattern: TypeAlias = tuple[tuple[Key, int], ...]  # each event's key, and as bits those that precede it


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something that a span shows, and the interval of time in which it happened.

    Attributes
    ----------
    observed : Observed
    span : Span
    number : int
        The place of the observation among those of its span.
    """

    observed: Observed
    span: Span
    number: int = 0

    @property
    def earliest(self) -> float:
        """Nanoseconds since the epoch."""
        if self.span.start_ns <= 0:
            return -inf
        return self.span.end_ns if self.observed.at == "end" else self.span.start_ns

    @property
    def latest(self) -> float:
        """Nanoseconds since the epoch."""
        if self.span.start_ns <= 0:
            return inf
        return self.span.start_ns if self.observed.at == "start" else self.span.end_ns

    @property
    def label(self) -> str:
        """The step of the model, as far as it is seen."""
        return self.observed.label

    def __repr__(self) -> str:
        return f"Event({self.label} by {self.span.name})"


def in_order(events: Sequence[Event]) -> tuple[Event, ...]:
    """Return events by their intervals: no event comes before one that precedes it."""
    return tuple(sorted(events, key=lambda event: (event.earliest, event.latest)))


def pattern_of(events: Sequence[Event], skew_ns: int = 0) -> Pattern:
    """Return what counts of a trace: traces with one pattern have one outcome.

    Parameters
    ----------
    events : sequence of Event
        As `in_order` returns them.
    skew_ns : int
        How far the clocks of two services may be apart.
    """
    everyone = _Ended(events, range(len(events)), skew_ns)
    services: dict[str, list[int]] = {}
    spans: dict[int, list[int]] = {}
    for place, event in enumerate(events):
        services.setdefault(event.span.service, []).append(place)
        spans.setdefault(id(event.span), []).append(place)
    within = {name: _Ended(events, places, 0) for name, places in services.items()}
    pattern = []
    for place, event in enumerate(events):
        bits = everyone.before(event.earliest) | within[event.span.service].before(event.earliest)
        for other in spans[id(event.span)]:
            if events[other].number < event.number:
                bits |= 1 << other
        pattern.append((event.observed.key, bits & ~(1 << place)))
    return tuple(pattern)


class _Ended:
    """The events that have ended before a time, as bits."""

    def __init__(self, events: Sequence[Event], places: Sequence[int], skew_ns: int) -> None:
        ends = sorted((events[place].latest + skew_ns, place) for place in places)
        self._times = [time for time, _ in ends]
        self._bits = [0]
        for _, place in ends:
            self._bits.append(self._bits[-1] | 1 << place)

    def before(self, time: float) -> int:
        return self._bits[bisect_left(self._times, time)]


def twins_in_line(pattern: Pattern) -> tuple[int, ...]:
    """Return what precedes each event, where of equal events the one that may come first does.

    Of two equal events e and f, let all that precedes e precede f, and all that follows f follow e. Then the
    two can change places in any order that has f before e. So of n equal events that overlap, n + 1 sets are
    looked at instead of 2^n.
    """
    follows = [0] * len(pattern)
    equal: dict[Key, list[int]] = {}
    for place, (key, before) in enumerate(pattern):
        equal.setdefault(key, []).append(place)
        for other in _bits(before):
            follows[other] |= 1 << place
    found = [before for _, before in pattern]
    for places in equal.values():
        for one, other in permutations(places, 2):
            if _comes_first(pattern, follows, one, other):
                found[other] |= 1 << one
    return tuple(found)


def _comes_first(pattern: Pattern, follows: list[int], one: int, other: int) -> bool:
    before, after = pattern[one][1], follows[one]
    if before & ~pattern[other][1] or follows[other] & ~after:
        return False
    is_same = before == pattern[other][1] and after == follows[other]
    return one < other or not is_same


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
