"""How much of each owner's time its intervals cover: the length of their union.

For intervals ``[a_i, b_i)`` with owner ``o_i`` and owners' own bounds ``[A_o, B_o)`` the answer is
``c[o] = | union over i with o_i = o of [a_i, b_i) n [A_o, B_o) |``, an integer in the unit of the bounds.
One sweep over the intervals sorted by start, O(n log n) with the sorting.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels._registry import KernelError, checked, kernel

__all__ = ["covered_length"]


def covered_length(
    owner: npt.ArrayLike,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    owner_start: npt.ArrayLike,
    owner_stop: npt.ArrayLike,
) -> npt.NDArray[np.int64]:
    """Return for each owner the length that the union of its intervals covers within its own bounds.

    Parameters
    ----------
    owner : (n,) int64
        Row of the owner of each interval; negative means none.
    start, stop : (n,) int64
    owner_start, owner_stop : (m,) int64

    Returns
    -------
    (m,) int64

    Raises
    ------
    KernelError
        When lengths differ or an owner's row is m or more.

    Examples
    --------
    >>> covered_length([0, 0, -1], [10, 15, 0], [20, 25, 99], [0], [100]).tolist()
    [15]
    """
    owners = checked("owner", owner, np.int64, (None,))
    starts = checked("start", start, np.int64, owners.shape)
    stops = checked("stop", stop, np.int64, owners.shape)
    lower = checked("owner_start", owner_start, np.int64, (None,))
    upper = checked("owner_stop", owner_stop, np.int64, lower.shape)
    if owners.max(initial=-1) >= len(lower):
        msg = f"owner names row {owners.max()}, of {len(lower)} owners"
        raise KernelError(msg)
    order = np.argsort(starts, kind="stable")
    covered, reached = np.zeros(len(lower), np.int64), lower.copy()
    _covered_length(owners[order], starts[order], stops[order], reached, upper, covered)
    return covered


@kernel("void(int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])")
def _covered_length(owner: Any, start: Any, stop: Any, reached: Any, upper: Any, covered: Any) -> None:
    """Add each interval's part beyond what its owner has reached; `start` ascends."""
    for row in range(len(owner)):
        who = owner[row]
        if who >= 0:
            left = max(start[row], reached[who])
            right = min(stop[row], upper[who])
            if right > left:
                covered[who] += right - left
                reached[who] = right
