"""What limiters remember: tokens in a bucket, and spans kept in the current second."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from workbench.otlp.sampling._kernel_sampling import take_tokens

__all__ = ["Bucket", "Quota"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Bucket:
    """A token bucket as Go's ``x/time/rate``: full at first, refilled continuously."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    last_s: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self, wanted: Rows, now_s: float) -> Mask:
        """Tell which traces, in order, get the tokens that they want."""
        self.tokens = min(self.burst, self.tokens + (now_s - self.last_s) * self.rate)
        self.last_s = now_s
        granted = np.zeros(len(wanted), bool)
        self.tokens = take_tokens(np.ascontiguousarray(wanted), float(self.tokens), granted)
        return granted


@dataclass(slots=True)
class Quota:
    """Spans that each part of a composite policy kept in the current second."""

    allocated: tuple[int, ...]
    total: int
    second: int = -1
    used: list[int] = field(default_factory=list)

    def take(self, wanted: Rows, part: Rows, now_s: float) -> Mask:
        """Tell which traces, in order, get the spans that they want, each of its part; -1 wants none."""
        if int(now_s) != self.second:
            self.second, self.used = int(now_s), [0] * len(self.allocated)
        granted = np.zeros(len(wanted), bool)
        for at, (spans, who) in enumerate(zip(wanted.tolist(), part.tolist(), strict=True)):
            if who >= 0 and self.used[who] + spans <= min(self.allocated[who], self.total):
                self.used[who] += spans
                granted[at] = True
        return granted
