"""`RecordedCalls`: the calls to one dependency, and when it really was at fault.

A recording is short, and holds each fault once. `RecordedCalls.resampled` makes longer ones of it by the
moving-block bootstrap: blocks of consecutive calls keep how failures and slow calls come together. Blocks are
drawn twice: first as many as the recording has, with replacement; of these the new recording is put together.
So two of them differ as two recordings of that system would, not only in the order of the same calls.

Source: H. Künsch, The Jackknife and the Bootstrap for General Stationary Observations, Annals of
Statistics 17 (1989).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.replay import Schedule
from workbench.reliability.tuning.errors import TuningError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KnownFault", "RecordedCalls"]

Array = npt.NDArray[Any]
Spans = list[tuple[float, float]]  # e.g. [(0.0, 35.0), (55.0, 80.0)]: from when to when, in seconds


@dataclass(frozen=True, slots=True)
class KnownFault:
    """From when to when a dependency was at fault; a call is disturbed when it comes in that time."""

    start_s: float
    end_s: float
    name: str = "fault"

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < self.end_s < np.inf:
            msg = f"expected 0 <= start_s < end_s, got {self.start_s!r} and {self.end_s!r}"
            raise TuningError(msg)

    @property
    def length_s(self) -> float:
        """How long it lasted, in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class RecordedCalls:
    """The calls to one dependency, in the order in which they came.

    Parameters
    ----------
    at_s : (n,) float64
        When each came, ascending; seconds from the begin of the recording.
    took_s : (n,) float64
        How long it took, until its answer or until it was given up; seconds.
    failed : (n,) bool
        Whether it ended in what a breaker's `on` accepts.
    faults : tuple of KnownFault
        The truth; one after the other.
    duration_s : float, optional
        How long was recorded; until the last call came, if not given.

    Raises
    ------
    TuningError
        For arrays of different lengths, times that do not ascend, negative durations, faults that overlap,
        and what lies outside of the recording.
    """

    at_s: Array
    took_s: Array
    failed: Array
    faults: tuple[KnownFault, ...] = ()
    duration_s: float = np.nan

    def __post_init__(self) -> None:
        for name, kind in (("at_s", np.float64), ("took_s", np.float64), ("failed", np.bool_)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), kind))
        object.__setattr__(self, "faults", tuple(self.faults))
        if not self.at_s.ndim == self.took_s.ndim == self.failed.ndim == 1 or not (
            len(self.at_s) == len(self.took_s) == len(self.failed) > 0
        ):
            shapes = ", ".join(str(each.shape) for each in (self.at_s, self.took_s, self.failed))
            msg = f"at_s, took_s and failed must have one entry a call, and one call at least, got {shapes}"
            raise TuningError(msg)
        if np.isnan(self.duration_s):
            object.__setattr__(self, "duration_s", float(self.at_s[-1]))
        self._check_times()

    def _check_times(self) -> None:
        if not (np.diff(self.at_s) >= 0).all() or not 0 <= self.at_s[0] <= self.at_s[-1] <= self.duration_s:
            msg = f"at_s must ascend, from 0 to duration_s = {self.duration_s!r} at most"
            raise TuningError(msg)
        if not ((self.took_s >= 0) & np.isfinite(self.took_s)).all():
            msg = "took_s must be finite and not negative"
            raise TuningError(msg)
        edges = [edge for fault in self.faults for edge in (fault.start_s, fault.end_s)]
        if edges != sorted(edges) or (edges and edges[-1] > self.duration_s):
            msg = f"faults must follow each other, within {self.duration_s:g} s, got {self.faults!r}"
            raise TuningError(msg)

    @cached_property
    def end_s(self) -> Array:
        """When each call ended, `(n,) float64` seconds."""
        return self.at_s + self.took_s

    @cached_property
    def order(self) -> Array:
        """The calls in the order in which they ended, `(n,) int64`."""
        return np.argsort(self.end_s, kind="stable")

    @property
    def healthy_spans(self) -> Spans:
        """From when to when there was no fault."""
        edges = [
            0.0,
            *(edge for fault in self.faults for edge in (fault.start_s, fault.end_s)),
            self.duration_s,
        ]
        return [(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if end > begin]

    @property
    def healthy_s(self) -> float:
        """How long there was no fault, in seconds."""
        return self.duration_s - sum(fault.length_s for fault in self.faults)

    @cached_property
    def settled_s(self) -> tuple[float, ...]:
        """When the last call had ended that came during each fault."""
        return tuple(
            float(max(fault.end_s, self.end_s[self.during(fault)].max(initial=0.0))) for fault in self.faults
        )

    def during(self, fault: KnownFault) -> Array:
        """Return which calls came during a fault, `(n,) bool`."""
        return (self.at_s >= fault.start_s) & (self.at_s < fault.end_s)

    def resampled(self, seed: int, *, healthy_s: float, block_s: float = 2.0) -> "RecordedCalls":
        """Return a recording put together of blocks of this one, with the same faults, equally long.

        Parameters
        ----------
        seed : int
        healthy_s : float
            How long it is healthy in all: as long before, between and after the faults.
        block_s : float
            The length of a block: long enough to hold what comes together.

        Raises
        ------
        TuningError
            When no block fits into what was healthy, or into a fault.
        """
        if not (0 < block_s < np.inf and 0 < healthy_s < np.inf):
            msg = f"healthy_s and block_s must be positive, got {healthy_s!r} and {block_s!r}"
            raise TuningError(msg)
        rng = np.random.default_rng(seed)
        stretch_s = healthy_s / (len(self.faults) + 1)
        healthy = self._pool(rng, self.healthy_spans, block_s)
        pieces = [self._piece(rng, healthy, stretch_s, block_s)]
        faults, now_s = [], stretch_s
        for fault in self.faults:
            disturbed = self._pool(rng, [(fault.start_s, fault.end_s)], block_s)
            pieces.append(self._piece(rng, disturbed, fault.length_s, block_s).moved(now_s))
            faults.append(KnownFault(now_s, now_s + fault.length_s, fault.name))
            now_s = faults[-1].end_s
            pieces.append(self._piece(rng, healthy, stretch_s, block_s).moved(now_s))
            now_s += stretch_s
        rows = np.concatenate([piece.rows for piece in pieces])
        if not len(rows):
            msg = f"no call came in any block of {block_s:g} s: take longer ones"
            raise TuningError(msg)
        at_s = np.maximum.accumulate(np.concatenate([piece.at_s for piece in pieces]))
        end_s = max(now_s, float(at_s[-1]))
        return RecordedCalls(at_s, self.took_s[rows], self.failed[rows], tuple(faults), end_s)

    def _pool(self, rng: np.random.Generator, spans: Spans, block_s: float) -> Array:
        """Return when blocks begin, as many as fit into spans, drawn from everywhere in them."""
        begins = np.array([begin for begin, _ in spans])
        room = np.array([end - begin - block_s for begin, end in spans])
        begins, room = begins[room >= 0], room[room >= 0]
        if not len(begins):
            msg = f"no block of {block_s:g} s fits into {spans}: take shorter ones"
            raise TuningError(msg)
        whole_s = float((room + block_s).sum())
        where = rng.choice(len(begins), max(1, round(whole_s / block_s)), p=(room + block_s) / whole_s)
        return begins[where] + rng.random(len(where)) * room[where]

    def _piece(self, rng: np.random.Generator, pool: Array, length_s: float, block_s: float) -> "_Piece":
        """Return calls for so many seconds, in blocks of a pool."""
        starts = rng.choice(pool, int(np.ceil(length_s / block_s)))
        first, last = np.searchsorted(self.at_s, [starts, starts + block_s])
        sizes = last - first
        block = np.repeat(np.arange(len(starts)), sizes)
        rows = np.arange(sizes.sum()) + np.repeat(first - np.cumsum(sizes) + sizes, sizes)
        at_s = self.at_s[rows] - starts[block] + block * block_s
        return _Piece(rows[at_s < length_s], at_s[at_s < length_s])

    def schedule(self) -> Schedule:
        """Return the calls for `replay`: each attempt of a call is like the first."""
        shape = (len(self.at_s), codes.GIVEN_ATTEMPTS)
        durations_s = np.broadcast_to(self.took_s[:, None], shape)
        return Schedule(self.at_s, durations_s, np.broadcast_to(self.failed[:, None], shape))

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row a call; `fault` is empty for calls that came while there was none."""
        import pandas as pd  # noqa: PLC0415 - only for those who ask

        names = np.full(len(self.at_s), "", object)
        for fault in self.faults:
            names[self.during(fault)] = fault.name
        columns = {"at_s": self.at_s, "took_s": self.took_s, "failed": self.failed, "fault": names}
        return pd.DataFrame(columns)

    def _repr_html_(self) -> str:
        from workbench import display  # noqa: PLC0415 - only in notebooks

        spans: list[tuple[str, Spans]] = [("no fault", self.healthy_spans)]
        spans += [(fault.name, [(fault.start_s, fault.end_s)]) for fault in self.faults]
        columns = ("while", "seconds", "calls", "a second", "failed", "median, ms", "95 %, ms")
        return display.table(
            columns, [self._row(name, each) for name, each in spans], title=repr(self)
        )._repr_html_()

    def _row(self, name: str, spans: Spans) -> tuple[str, ...]:
        length_s = sum(end - begin for begin, end in spans)
        came = np.zeros(len(self.at_s), np.bool_)
        for begin, end in spans:
            came |= (self.at_s >= begin) & (self.at_s < end)
        if not came.any():
            return name, f"{length_s:.1f}", "0", "0", "", "", ""
        middle, most = (f"{1e3 * np.quantile(self.took_s[came], q):.1f}" for q in (0.5, 0.95))
        count, failed = int(came.sum()), f"{self.failed[came].mean():.1%}"
        return name, f"{length_s:.1f}", f"{count:,}", f"{count / length_s:.1f}", failed, middle, most

    def __repr__(self) -> str:
        failed, faults = int(self.failed.sum()), len(self.faults)
        return (
            f"RecordedCalls: {len(self.at_s):,} calls in {self.duration_s:.4g} s, {failed:,} failed, "
            f"{faults} known {'fault' if faults == 1 else 'faults'}"
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Calls of a recording, and when they come now."""

    rows: Array
    at_s: Array

    def moved(self, by_s: float) -> "_Piece":
        return _Piece(self.rows, self.at_s + by_s)
