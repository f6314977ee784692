"""`convert`: the same telemetry in another form, a batch at a time."""

from workbench.otlp._schema import Signal
from workbench.otlp._tally import OnError
from workbench.otlp.codec._star_decoder import Unknown
from workbench.otlp.storage._job import BATCH_BYTES
from workbench.otlp.storage._message_writer import MESSAGE_BYTES
from workbench.otlp.storage._names import TableLayout
from workbench.otlp.storage._progress import Progress
from workbench.otlp.storage._recordings import AnyPath, Paths
from workbench.otlp.storage.reading import read_batches
from workbench.otlp.storage.writing import Written, write

__all__ = ["convert"]


def convert(  # noqa: PLR0913 - what to read, and how to write it
    source: Paths,
    target: AnyPath,
    *,
    signal: Signal | None = None,
    on_error: OnError = "raise",
    unknown: Unknown = "keep",
    layout: TableLayout = "star",
    batch_bytes: int = BATCH_BYTES,
    message_bytes: int = MESSAGE_BYTES,
    progress: Progress = None,
) -> Written:
    """Write what `read_batches` reads as `write` does: files larger than memory as well.

    Parameters
    ----------
    source : path, pattern, or several
        As for `read`.
    target : path
        Its name says the form, as for `write`; it appears whole or not at all.

    Raises
    ------
    OtlpError
        As `read` and `write`.

    Examples
    --------
    >>> import tempfile
    >>> from workbench import otlp
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = otlp.convert("datasets/checkout/logs.otlp.zst", f"{folder}/logs.parquet")
    ...     print(done.signal, done.records == len(otlp.read(f"{folder}/logs.parquet")))
    logs True
    """
    batches = read_batches(
        source, signal=signal, on_error=on_error, unknown=unknown, batch_bytes=batch_bytes, progress=progress
    )
    return write(batches, target, layout=layout, message_bytes=message_bytes)
