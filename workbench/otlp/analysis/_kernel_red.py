"""The extent of spans in time, in one pass at the speed of memory."""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels import kernel

__all__ = ["extent"]


def extent(starts: npt.NDArray[np.int64], durations: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Return the time from the first start to the last end or start, and how many durations are negative."""
    if not len(starts):
        return 0, 0
    first, last, backwards = _extent(np.ascontiguousarray(starts), np.ascontiguousarray(durations))
    return int(last) - int(first), int(backwards)


@kernel("UniTuple(int64, 3)(int64[::1], int64[::1])")
def _extent(starts: Any, durations: Any) -> Any:
    first, last, backwards = starts[0], starts[0], 0
    for i in range(len(starts)):
        lasted = max(durations[i], 0)
        first = min(first, starts[i])
        last = max(last, starts[i] + lasted)
        backwards += durations[i] < 0
    return first, last, backwards
