"""`Buckets`: one side of an exponential histogram, counts of consecutive logarithmic buckets.

Which numbers bucket `i` holds is the histogram's to say (its scale); these are integers and their counts. The
first and the last bucket are populated: equal contents are equal `Buckets`.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench.otlp.histograms.errors import HistogramError

__all__ = ["Buckets"]

Counts = npt.NDArray[Any]  # int64, or float64 where values have weights


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Counts of the buckets `offset`, `offset + 1`, ...

    Attributes
    ----------
    offset : int
        Index of the first bucket; 0 where there is none.
    counts : (k,) int64, or float64 of weighted values
        Empty buckets at either end are left out.
    """

    offset: int
    counts: Counts

    def __post_init__(self) -> None:
        counts = whole_counts(self.counts)
        filled = np.flatnonzero(counts)
        first, after = (int(filled[0]), int(filled[-1]) + 1) if len(filled) else (0, 0)
        kept = counts[first:after]
        kept.flags.writeable = False
        object.__setattr__(self, "offset", int(self.offset) + first if len(filled) else 0)
        object.__setattr__(self, "counts", kept)

    @classmethod
    def none(cls) -> Self:
        """Return no buckets."""
        return cls(0, np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.counts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Buckets):
            return NotImplemented
        return self.offset == other.offset and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.offset, *self.counts.tolist()))

    @property
    def last(self) -> int:
        """Index of the last bucket; less than `offset` where there is none."""
        return self.offset + len(self.counts) - 1

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """The index of each bucket, `(k,)`."""
        return np.arange(self.offset, self.last + 1)

    @property
    def total(self) -> Any:
        """The sum of the counts."""
        return self.counts.sum().item()

    def coarsened(self, steps: int) -> "Buckets":
        """Return these buckets `steps` scales lower, where each holds ``2 ** steps`` of them."""
        if steps == 0 or not len(self):
            return self
        coarse = self.indices >> steps
        counts = np.zeros(int(coarse[-1] - coarse[0]) + 1, self.counts.dtype)
        np.add.at(counts, coarse - coarse[0], self.counts)
        return Buckets(int(coarse[0]), counts)

    def plus(self, other: "Buckets", sign: int = 1) -> "Buckets":
        """Return the sum, or with ``sign=-1`` the difference, bucket by bucket.

        Raises
        ------
        HistogramError
            When a difference is negative, or a sum is more than 64 bits hold.
        """
        if not len(other):
            return self
        first = min(self.offset, other.offset) if len(self) else other.offset
        after = max(self.last, other.last) + 1 if len(self) else other.last + 1
        counts = np.zeros(after - first, np.result_type(self.counts, other.counts))
        counts[self.offset - first :][: len(self)] += self.counts
        counts[other.offset - first :][: len(other)] += sign * other.counts
        return Buckets(first, counts)

    def without(self, indices: npt.NDArray[np.bool_]) -> "Buckets":
        """Return these buckets with some of them emptied."""
        return Buckets(self.offset, np.where(indices, 0, self.counts).astype(self.counts.dtype))


def whole_counts(counts: npt.ArrayLike) -> Counts:
    """Return counts as int64 or float64, refusing what is no count."""
    found = np.asarray(counts)
    if found.ndim != 1 or found.dtype.kind not in "iuf":
        msg = f"counts must be one row of numbers, got shape {found.shape} of {found.dtype}"
        raise HistogramError(msg)
    if len(found) and not (found.min() >= 0 and found.max() < 2**63):
        msg = f"counts must be from 0 to 2**63 - 1, got {found.min()} to {found.max()}"
        raise HistogramError(msg)
    if len(found) and float(found.max()) * len(found) >= 2**62 and sum(found.tolist()) >= 2**63:
        msg = f"counts must be less than 2**63 together, got {sum(found.tolist())}"
        raise HistogramError(msg)
    return found.astype(np.float64 if found.dtype.kind == "f" else np.int64)
