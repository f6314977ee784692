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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import TypeAlias

from workbench.model.formal.validating.mappings import Key, Observed
from workbench.model.formal.validating.spans import Span

__all__ = ["Event", "Pattern", "in_order", "last_that_need_not_wait", "pattern_of", "twins_in_line"]

BLOCK = 64  # bytes of a row that are turned at once
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
        return self._end if self.observed.at == "end" else self.span.start_ns

    @property
    def latest(self) -> float:
        """Nanoseconds since the epoch."""
        if self.span.start_ns <= 0:
            return inf
        return self.span.start_ns if self.observed.at == "start" else self._end

    @property
    def _end(self) -> float:
        """The end of the span; its start, where a clock that was set back has the end before it."""
        return max(self.span.start_ns, self.span.end_ns)

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
    before = [each for _, each in pattern]
    after = _followers(before)
    found = list(before)
    equal: dict[Key, list[int]] = {}
    for place, (key, _) in enumerate(pattern):
        equal.setdefault(key, []).append(place)
    for places in equal.values():
        lines = list(_alike(places, before, after))
        for line in lines:
            for one, other in pairwise(line):
                found[other] |= 1 << one
        for earlier, later in _comparable(lines, before, after):
            found[later[0]] |= 1 << earlier[-1]
    return tuple(found)


def _alike(places: list[int], before: list[int], after: list[int]) -> Iterable[list[int]]:
    """Return equal events in groups that the same precede and follow."""
    groups: dict[tuple[int, int], list[int]] = {}
    for place in places:
        groups.setdefault((before[place], after[place]), []).append(place)
    return groups.values()


def _comparable(
    lines: list[list[int]], before: list[int], after: list[int]
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield each two groups, not in line by time, of which the first may come first."""
    of = {line[0]: line for line in lines}
    firsts = sum(1 << place for place in of)
    for one, line in of.items():
        for other in bits_of(firsts & ~(before[one] | after[one] | 1 << one)):
            if not before[one] & ~before[other] and not after[other] & ~after[one]:
                yield line, of[other]


def _followers(before: list[int]) -> list[int]:
    """Return what each event precedes, given what precedes each: the transpose of a matrix of bits."""
    import numpy as np  # noqa: PLC0415 - where there are traces to judge

    count, width = len(before), (len(before) + 7) // 8
    packed = np.frombuffer(b"".join(each.to_bytes(width, "little") for each in before), np.uint8)
    rows = packed.reshape(count, width)
    found: list[int] = []
    for start in range(0, width, BLOCK):
        block = np.unpackbits(rows[:, start : start + BLOCK], axis=1, bitorder="little")
        turned = np.packbits(np.ascontiguousarray(block.T), axis=1, bitorder="little")
        found += [int.from_bytes(row.tobytes(), "little") for row in turned]
    return found[:count]


def last_that_need_not_wait(before: Sequence[int]) -> list[int]:
    """Return, for each event, the last one that it does not precede: itself, or a later one."""
    found = [0] * len(before)
    waits = (1 << len(before)) - 1  # the events that all from here on wait for
    for place in reversed(range(len(before))):
        for event in bits_of(waits & ~before[place]):
            found[event] = place
        waits &= before[place]
    return found


def bits_of(mask: int) -> Iterator[int]:
    """Yield the places of the bits that are set."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
