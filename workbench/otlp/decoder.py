"""`Decoder` and `concat`: many messages, one after the other, and many recordings as one."""

import threading
from collections.abc import Iterable
from typing import Any, TypeVar, get_args

from workbench.otlp._schema import SIGNALS, Signal
from workbench.otlp._tally import OnError, Skipped, Tally
from workbench.otlp.codec._buffers import messages_of
from workbench.otlp.codec._join import join_stars
from workbench.otlp.codec._lenient import decode_messages
from workbench.otlp.codec._star_decoder import Buffer, Encoding, StarDecoder, Unknown
from workbench.otlp.errors import OtlpError
from workbench.otlp.logs import Logs
from workbench.otlp.metrics import Metrics
from workbench.otlp.profiles import Profiles
from workbench.otlp.telemetry import Telemetry
from workbench.otlp.traces import Traces

__all__ = ["Decoder", "concat"]

TELEMETRY: dict[Signal, type[Traces | Metrics | Logs | Profiles]] = {
    "traces": Traces,
    "metrics": Metrics,
    "logs": Logs,
    "profiles": Profiles,
}
UNKNOWN = get_args(Unknown)
T = TypeVar("T", bound=Telemetry)


class Decoder:
    """Decodes one signal's messages as they come, and keeps what it learnt about their texts.

    The first message is the slow one: after it keys, values and sizes are known. All results share one
    dictionary of texts, so that `concat` of them costs no comparison of texts. Threads that share a decoder
    take turns.

    Parameters
    ----------
    signal : {"traces", "metrics", "logs", "profiles"}
    on_error : {"raise", "skip"}
        As in `Telemetry.from_otlp`.
    unknown : {"keep", "count"}

    Attributes
    ----------
    skipped : int
        How many records were left out so far, counted as in `Telemetry`.

    Examples
    --------
    >>> from workbench import otlp
    >>> decoder = otlp.Decoder("logs")
    >>> decoder.decode(b'{"resourceLogs": []}', encoding="json")
    Logs: 0 log records
    """

    def __init__(
        self, signal: Signal = "traces", *, on_error: OnError = "raise", unknown: Unknown = "keep"
    ) -> None:
        if signal not in SIGNALS:
            msg = f"signal must be one of {', '.join(SIGNALS)}, got {signal!r}"
            raise ValueError(msg)
        self.signal: Signal = signal
        self.skipped = Skipped()
        self._on_error, self._unknown = on_error, unknown
        Tally(on_error)  # refuses what is neither
        if unknown not in UNKNOWN:
            msg = f"unknown must be one of {', '.join(UNKNOWN)}, got {unknown!r}"
            raise ValueError(msg)
        self._decoder = StarDecoder(signal)
        self._counting = threading.Lock()

    def decode(self, data: Buffer | Iterable[Buffer], *, encoding: Encoding = "protobuf") -> Any:
        """Return the records of one message, or of some.

        Returns
        -------
        Traces, Metrics, Logs or Profiles

        Raises
        ------
        MalformedError, TruncatedError
            An `OtlpError` with the byte ``.offset`` and the field ``.path``; the decoder stays usable.
        """
        tally = Tally(self._on_error)
        star = decode_messages(
            self._decoder, messages_of(data), tally, encoding=encoding, unknown=self._unknown
        )
        if tally.skipped:
            with self._counting:
                self.skipped += tally.skipped
        return TELEMETRY[self.signal]._of(star, tally.skipped)  # noqa: SLF001 - of this room

    @property
    def skipped_errors(self) -> tuple[OtlpError, ...]:
        """What was wrong with the first hundred records left out so far."""
        return self.skipped.errors

    def __repr__(self) -> str:
        return f"Decoder: {self.signal}, {self.skipped:,} skipped"


def concat(parts: Iterable[T]) -> T:
    """Return all records of some telemetry of one signal, in order; counts of skipped records add up.

    Raises
    ------
    ValueError
        When there is nothing to concatenate, or signals are mixed.
    """
    found = list(parts)
    kinds = {type(part) for part in found}
    if len(kinds) != 1 or not all(issubclass(kind, Telemetry) for kind in kinds):
        names = ", ".join(sorted(kind.__name__ for kind in kinds)) or "nothing"
        msg = f"expected telemetry of one signal, got {names}"
        raise ValueError(msg)
    star = join_stars([part._columns() for part in found])  # noqa: SLF001 - of this room
    known = frozenset().union(*(part._known for part in found))  # noqa: SLF001
    return found[0]._of(star, sum((part.skipped for part in found), Skipped()), known)  # noqa: SLF001
