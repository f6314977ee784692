"""`LimitHistory`: the limit of an `AdaptiveLimit` over time, recorded while somebody wants to see it."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from workbench import display
from workbench.reliability.policy import Event, Policy

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

__all__ = ["LimitHistory"]


class LimitHistory:
    """What an adaptive limit did from now on, until `stop`; also a context manager.

    Each time the algorithm learns one row is kept: when (seconds of the clock), the limit from then on, and
    the mean round-trip time and the calls in flight that it learnt from.

    Examples
    --------
    >>> from workbench.reliability import AdaptiveLimit
    >>> limit = AdaptiveLimit("aimd", window_s=0, min_rtt_s=1e-9)
    >>> with limit.record() as history:
    ...     _ = limit.call(len, "abc")
    >>> len(history)
    1
    """

    def __init__(self, policy: Policy) -> None:
        self._name = policy.name
        self._rows: list[tuple[float, int, float, int]] = []
        self._first: tuple[float, int] = (policy.clock.now(), policy.parameters.limit)
        self._stop = policy.listen(self._hear)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        last = self._rows[-1][1] if self._rows else self._first[1]
        return f"LimitHistory({self._name!r}, {len(self):,} updates, limit {self._first[1]} -> {last})"

    def _repr_html_(self) -> str:
        rows = [
            (f"{at_s:.3f}", limit, f"{rtt_s * 1e3:.3f}", inflight)
            for at_s, limit, rtt_s, inflight in self._rows
        ]
        names = ("at, s", "limit", "round trip, ms", "in flight")
        return display.table(names, rows, title=repr(self))._repr_html_()

    def stop(self) -> None:
        """Record no more."""
        self._stop()

    def to_arrow(self) -> "pa.Table":
        """Return at_s, limit, rtt_s and inflight, a row for each time that the algorithm learnt."""
        import pyarrow as pa  # noqa: PLC0415 - only where it is asked for

        columns = list(zip(*self._rows, strict=True)) or [(), (), (), ()]
        types = {"at_s": pa.float64(), "limit": pa.int64(), "rtt_s": pa.float64(), "inflight": pa.int64()}
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types.values(), strict=True)]
        return pa.table(arrays, names=list(types))

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as a data frame."""
        return self.to_arrow().to_pandas()

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the limit and the calls in flight over the seconds since the recording began."""
        axes = display.new_axes(ax)
        first_s, first = self._first
        times = [0.0, *(max(0.0, row[0] - first_s) for row in self._rows)]
        limits = [first, *(row[1] for row in self._rows)]
        axes.step(times, limits, where="post", label="limit")
        if self._rows:
            axes.step(times[1:], [row[3] for row in self._rows], where="post", label="in flight", alpha=0.7)
        axes.set_xlabel("time, s")
        axes.set_ylabel("calls")
        axes.set_ylim(bottom=0)
        axes.set_title(f"{display.plain_text(self._name)}: the limit went from {first} to {limits[-1]}")
        axes.legend()
        return axes

    def _hear(self, event: Event) -> None:
        if event.kind == "limit":
            told: dict[str, Any] = dict(event.details)
            self._rows.append((event.at_s, told["limit"], told["rtt_s"], told["inflight"]))
