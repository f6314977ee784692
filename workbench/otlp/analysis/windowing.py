"""Whole traces of a window of time."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.otlp._instants import Instant, to_unix_nano
from workbench.otlp.errors import InstantError

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["traces_started"]

EARLIEST, LATEST = -(1 << 63), (1 << 63) - 1


def traces_started(traces: "Traces", start: Instant | None = None, end: Instant | None = None) -> "Traces":
    """Return the traces whose root starts in ``[start, end)``, with all their spans; None leaves a side open.

    ``traces.between`` chooses spans by their own start, and so cuts the traces at the edges in two; windows
    that are to be compared must not be cut. Times are datetimes, ISO 8601 text or nanoseconds since the
    epoch; without a zone they are UTC.

    Raises
    ------
    InstantError
        When a time cannot be read, or the window ends before it starts.
    """
    first = EARLIEST if start is None else to_unix_nano(start)
    after = LATEST if end is None else to_unix_nano(end)
    if after < first:
        msg = f"the interval ends before it starts: {start} to {end}"
        raise InstantError(msg)
    structure = traces.structure
    begins = structure.start[structure.root]
    return traces.filter(np.asarray((begins >= first) & (begins < after))[structure.trace])
