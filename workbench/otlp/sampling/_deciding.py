"""What policies say about traces, many traces at a time, and with which probability they would say so.

A policy is a function of a trace, of the past (limiters), and of the hash H of its id (probabilistic
policies, one H for each salt, uniform). Hashes and limiters set aside, a trace's fate is fixed, so its
probability to be kept is a sum over pieces of the unit cube of all H in which every probabilistic policy
says the same:

    pi = sum over pieces of  volume(piece) * [kept, if H is in the piece]

It is known where the limiters do not matter: where pi is the same whether they keep as few or as many as
can be.
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.otlp.sampling import policies as p
from workbench.otlp.sampling._columns import trace_id_bytes
from workbench.otlp.sampling._kernel_sampling import fnv64a, latency_matches
from workbench.otlp.sampling._limiters import Bucket, Quota
from workbench.otlp.sampling._matching import matching_spans
from workbench.otlp.sampling.errors import SamplerError

if TYPE_CHECKING:
    from workbench.otlp.sampling._memory import Arrivals
    from workbench.otlp.traces import Traces

__all__ = ["Batch", "Policies", "World"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

FNV64_OFFSET = np.uint64(0xCBF29CE484222325)
MAX_PIECES = 4096


@dataclass(frozen=True, slots=True)
class Batch:
    """Traces that are decided at one tick.

    Attributes
    ----------
    traces : (m,) int64
    first, after : (m,) int64
        Where the spans held of each begin and end, in the order of `Arrivals.by_trace`.
    bytes_held : (m,) int64
    now_s : float
        Time of the tick, seconds since the first arrival.
    """

    traces: Rows
    first: Rows
    after: Rows
    bytes_held: Rows
    now_s: float

    @property
    def span_count(self) -> Rows:
        """Spans held of each trace."""
        return self.after - self.first

    def take(self, chosen: Mask) -> "Batch":
        """Return some of the traces."""
        return Batch(
            self.traces[chosen], self.first[chosen], self.after[chosen], self.bytes_held[chosen], self.now_s
        )


@dataclass(slots=True)
class World:
    """What probabilistic policies and limiters answer: by hash and by bucket, or as it is supposed here.

    Attributes
    ----------
    hash_of : mapping of bytes to float, optional
        The H of each salt, in [0, 1), the same for all traces; None takes the true ones.
    open : bool, optional
        Whether limiters answer so that more traces are kept (True) or fewer; None asks them, which changes
        them.
    """

    hash_of: Mapping[bytes, float] | None = None
    open: bool | None = None

    def opposed(self) -> "World":
        """Return the world for a policy against traces, whose yes keeps fewer."""
        return World(self.hash_of, None if self.open is None else not self.open)


class Policies:
    """The policies of one run over one recording, with what they remember."""

    def __init__(
        self, traces: "Traces", arrivals: "Arrivals", policies: tuple[p.Policy, ...], *, first_match: bool
    ) -> None:
        self.traces, self.arrivals, self.first_match = traces, arrivals, first_match
        own = [_own(policy) for policy in policies]
        drops = [policy for policy in own if isinstance(policy, p.Drop)]
        self.order = [*drops, *(policy for policy in own if not isinstance(policy, p.Drop))]
        self.drops = len(drops)
        parts = [part for policy in self.order for part in policy.parts()]
        self.salts = {part.salt for part in parts if isinstance(part, p.Probabilistic)}
        self.limited = any(isinstance(part, p.RateLimiting | p.BytesLimiting | p.Composite) for part in parts)
        self._span_totals: dict[int, Rows] = {}
        self._hashes: dict[bytes, Hashes] = {}
        self._limiters: dict[int, Bucket | Quota] = {}
        self._pieces = list(self._cut())
        self.votes = np.zeros(len(self.order), np.int64)  # how many traces each policy was for, or against

    def decide(self, batch: Batch, world: World | None = None) -> tuple[Mask, Mask, Rows]:
        """Return which traces are kept, which are dropped, and the policy in `order` that said so, or -1."""
        counting, world = world is None, world or World()
        count = len(batch.traces)
        kept, dropped, by = np.zeros(count, bool), np.zeros(count, bool), np.full(count, -1, np.int64)
        asking = np.ones(count, bool)
        for number, policy in enumerate(self.order):
            said = np.zeros(count, bool)
            for_it = world.opposed() if number < self.drops else world
            said[asking] = self._ask(policy, batch.take(asking), for_it)
            self.votes[number] += counting * int(said.sum())
            if number < self.drops:
                dropped |= said
                asking &= ~said
            else:
                kept |= said
                asking &= ~(said & self.first_match)
            by = np.where(said & (by < 0), number, by)
        return kept & ~dropped, dropped, by

    def probability(self, batch: Batch) -> Values:
        """Return with which probability each trace is kept, NaN where limiters decide about it."""
        shut = self._expected(batch, opened=False)
        if not self.limited:
            return shut
        return np.where(shut == self._expected(batch, opened=True), shut, np.nan)

    def _expected(self, batch: Batch, *, opened: bool) -> Values:
        total = np.zeros(len(batch.traces))
        for volume, hash_of in self._pieces:
            total += volume * self.decide(batch, World(hash_of, opened))[0]
        return total

    def _cut(self) -> Iterator[tuple[float, dict[bytes, float]]]:
        """Yield the pieces of the unit cube: volume, and an H inside for each salt."""
        parts = [part for policy in self.order for part in policy.parts()]
        edges = {salt: {0.0, 1.0} for salt in sorted(self.salts)}
        for part in parts:
            if isinstance(part, p.Probabilistic):
                edges[part.salt].add(part.probability)
        pieces = math.prod(len(found) - 1 for found in edges.values())
        if pieces > MAX_PIECES:
            msg = f"{len(edges)} salts make {pieces} different outcomes, {MAX_PIECES} at most can be followed"
            raise SamplerError(msg)
        for cells in itertools.product(*(itertools.pairwise(sorted(found)) for found in edges.values())):
            volume = math.prod(high - low for low, high in cells)
            yield volume, {salt: low for salt, (low, _) in zip(edges, cells, strict=True)}

    def _ask(self, policy: p.Policy, batch: Batch, world: World) -> Mask:
        if isinstance(policy, p.And | p.Drop):
            return self._all(policy, batch, world)
        if isinstance(policy, p.Composite):
            return self._first(policy, batch, world)
        if isinstance(policy, p.Not):
            return ~self._ask(policy.policy, batch, world.opposed())
        if isinstance(policy, p.Probabilistic):
            return self._by_hash(policy, batch, world)
        if isinstance(policy, p.RateLimiting | p.BytesLimiting):
            return self._by_bucket(policy, batch, world)
        return self._of_trace(policy, batch)

    def _all(self, policy: p.And | p.Drop, batch: Batch, world: World) -> Mask:
        agreed = np.ones(len(batch.traces), bool)
        for part in policy.policies:
            agreed[agreed] = self._ask(part, batch.take(agreed), world)
        return agreed

    def _first(self, policy: p.Composite, batch: Batch, world: World) -> Mask:
        part = np.full(len(batch.traces), -1, np.int64)
        for number, subpolicy in enumerate(policy.policies):
            asking = part < 0
            said = self._ask(subpolicy, batch.take(asking), world)
            part[np.flatnonzero(asking)[said]] = number
        if world.open is not None:
            return (part >= 0) & world.open
        limiter = self._limiter(policy, lambda: Quota(policy.allocated, policy.max_total_spans_per_second))
        assert isinstance(limiter, Quota)  # noqa: S101 - for the type checker
        return limiter.take(batch.span_count, part, batch.now_s)

    def _by_bucket(self, policy: p.RateLimiting | p.BytesLimiting, batch: Batch, world: World) -> Mask:
        if world.open is not None:
            return np.full(len(batch.traces), world.open)
        limiter = self._limiter(policy, lambda: Bucket(*policy.bucket))
        wanted = batch.span_count if isinstance(policy, p.RateLimiting) else batch.bytes_held
        assert isinstance(limiter, Bucket)  # noqa: S101 - for the type checker
        return limiter.take(wanted, batch.now_s)

    def _limiter(self, policy: p.Policy, make: Callable[[], Bucket | Quota]) -> Bucket | Quota:
        if id(policy) not in self._limiters:
            self._limiters[id(policy)] = make()
        return self._limiters[id(policy)]

    def _by_hash(self, policy: p.Probabilistic, batch: Batch, world: World) -> Mask:
        if world.hash_of is not None:
            return np.full(len(batch.traces), world.hash_of[policy.salt] < policy.probability)
        if policy.salt not in self._hashes:
            ids = trace_id_bytes(self.traces)[self.arrivals.by_trace[self.arrivals.first]]
            self._hashes[policy.salt] = salted_hashes(policy.salt, ids)
        return self._hashes[policy.salt][batch.traces] <= np.uint64(policy.threshold)

    def _of_trace(self, policy: p.Policy, batch: Batch) -> Mask:
        if isinstance(policy, p.AlwaysSample):
            return np.ones(len(batch.traces), bool)
        if isinstance(policy, p.SpanCount):
            count = batch.span_count
            return (count >= policy.min_spans) & ((policy.max_spans == 0) | (count <= policy.max_spans))
        if isinstance(policy, p.Latency):
            return self._latency(policy, batch)
        if id(policy) not in self._span_totals:
            matches = matching_spans(policy, self.traces)
            self._span_totals[id(policy)] = np.append(0, np.cumsum(matches[self.arrivals.by_trace]))
        total = self._span_totals[id(policy)]
        some = total[batch.after] > total[batch.first]
        return some != getattr(policy, "invert_match", False)

    def _latency(self, policy: p.Latency, batch: Batch) -> Mask:
        matches = np.zeros(len(batch.traces), bool)
        bounds = policy.threshold_ms, policy.upper_threshold_ms
        latency_matches(*self._start_end, batch.first, batch.after, *bounds, matches)
        return matches

    @cached_property
    def _start_end(self) -> tuple[Rows, Rows]:
        """Start and end of the spans in the order of `Arrivals.by_trace`."""
        structure, rows = self.traces.structure, self.arrivals.by_trace
        return structure.start[rows], structure.stop[rows]


def _own(policy: p.Policy) -> p.Policy:
    """Return a policy whose limiters, at any depth, are objects of their own: each has its own bucket."""
    if isinstance(policy, p.And | p.Drop | p.Composite):
        return replace(policy, policies=tuple(_own(part) for part in policy.policies))
    if isinstance(policy, p.Not):
        return replace(policy, policy=_own(policy.policy))
    return copy.copy(policy) if isinstance(policy, p.RateLimiting | p.BytesLimiting) else policy


def salted_hashes(salt: bytes, trace_ids: npt.NDArray[np.uint8]) -> Hashes:
    """Return the 64-bit FNV-1a hashes of a salt followed by each trace id, `(n,) uint64`."""
    start, hashes = np.empty(1, np.uint64), np.empty(len(trace_ids), np.uint64)
    fnv64a(np.frombuffer(salt, np.uint8).reshape(1, -1).copy(), FNV64_OFFSET, start)
    fnv64a(np.ascontiguousarray(trace_ids), start[0], hashes)
    return hashes
