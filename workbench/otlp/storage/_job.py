"""What a recording is asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.otlp._schema import Signal
from workbench.otlp._tally import Tally
from workbench.otlp.codec._star_decoder import Unknown

__all__ = ["BATCH_BYTES", "WHOLE_BATCH_BYTES", "Job"]

BATCH_BYTES = 64 << 20
WHOLE_BATCH_BYTES = (
    31 << 20
)  # when all is read: just below what the codec decodes at once, so as to join once


def _nothing(_position: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Job:
    """One signal's records, a batch at a time; `on_bytes` hears how far a recording was read."""

    signal: Signal
    is_asked: bool  # by the caller, and not found in a name or in the data
    tally: Tally
    unknown: Unknown
    batch_bytes: int = BATCH_BYTES
    on_bytes: Callable[[int], None] = field(default=_nothing)
