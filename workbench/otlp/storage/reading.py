"""`read` and `read_batches`: files of OTLP, in any of their forms, at once or a batch at a time."""

from collections.abc import Iterator
from typing import Any, Literal, TypedDict, Unpack, overload

from workbench.executors import AnyExecutor
from workbench.otlp._schema import SIGNALS, Signal
from workbench.otlp._tally import OnError, Tally
from workbench.otlp.codec._join import join_stars
from workbench.otlp.codec._star_decoder import Unknown
from workbench.otlp.decoder import TELEMETRY
from workbench.otlp.logs import Logs
from workbench.otlp.metrics import Metrics
from workbench.otlp.profiles import Profiles
from workbench.otlp.storage._job import BATCH_BYTES, WHOLE_BATCH_BYTES, Job
from workbench.otlp.storage._many import AnyTelemetry, read_in_parallel, read_in_turn, signal_of_all
from workbench.otlp.storage._progress import Progress
from workbench.otlp.storage._recordings import Paths, Recording, recordings_of
from workbench.otlp.traces import Traces

__all__ = ["read", "read_batches"]

UNKNOWN = ("keep", "count")


class _How(TypedDict, total=False):
    """What `read` is told besides path and signal."""

    on_error: OnError
    unknown: Unknown
    progress: Progress
    executor: AnyExecutor


@overload
def read(path: Paths, *, signal: Literal["traces"], **how: Unpack[_How]) -> Traces: ...
@overload
def read(path: Paths, *, signal: Literal["metrics"], **how: Unpack[_How]) -> Metrics: ...
@overload
def read(path: Paths, *, signal: Literal["logs"], **how: Unpack[_How]) -> Logs: ...
@overload
def read(path: Paths, *, signal: Literal["profiles"], **how: Unpack[_How]) -> Profiles: ...
@overload
def read(path: Paths, *, signal: Signal | None = None, **how: Unpack[_How]) -> Any: ...
def read(  # noqa: PLR0913
    path: Paths,
    *,
    signal: Signal | None = None,
    on_error: OnError = "raise",
    unknown: Unknown = "keep",
    progress: Progress = None,
    executor: AnyExecutor = None,
) -> Any:
    """Read telemetry from a file, a folder, or many of them.

    Parameters
    ----------
    path : path, pattern, or several
        Protobuf (``.otlp .pb .binpb .protobuf .proto .bin``: one message, or many behind 4-byte big-endian
        lengths as the Collector's file exporter writes them) or JSON (``.json .jsonl .ndjson``: one document
        or many), plain or compressed (``.gz .zst .zstd``); or a folder that `write` made (``.parquet``,
        ``.arrow``), one with such folders in it, or that of a `DurableReceiver`. A pattern such as
        ``day/*.otlp.zst`` is all it matches, by name; several paths follow one another.
    signal : {"traces", "metrics", "logs", "profiles"}, optional
        What the file holds. Without it the file's name says so (``traces.otlp.zst``), or the keys of its
        JSON, or the tables. Of JSON with documents of several signals only those of this one are read;
        the others are counted in ``.skipped``.
    on_error : {"raise", "skip"}
        What happens at a record or message that cannot be read: an error, or it is left out, counted in
        ``.skipped`` and explained in ``.skipped_errors``. What comes before damage in a compressed file is
        read as well; the rest of it counts as one, and so does a message that it cuts. Of several files one
        of which nothing can be read counts as one.
    unknown : {"keep", "count"}
        Whether fields of a newer protocol come out of `to_otlp` again, or are only counted in ``.unknown``.
    progress : True or callable, optional
        True shows a bar in a notebook or on a terminal; a callable gets the bytes read and the bytes in all.
    executor : True, concurrent.futures.Executor or dask Client, optional
        Reads many files in parallel; True is local processes.

    Returns
    -------
    Traces, Metrics, Logs or Profiles

    Raises
    ------
    EmptyInputError, UnknownFormatError, AmbiguousSignalError, CompressionError
        As their names say.
    TruncatedError, MalformedError
        All of these are `OtlpError`, with the byte ``.offset`` and, where known, the field ``.path``.

    Examples
    --------
    >>> from workbench import otlp
    >>> traces = otlp.read("datasets/checkout/traces.otlp.zst")
    >>> sorted(set(traces["service.name"].to_pylist()))
    ['cart', 'gateway', 'inventory', 'payment']
    """
    recordings, job = _asked(path, signal, on_error, unknown, WHOLE_BATCH_BYTES)
    if executor is not None:
        return read_in_parallel(recordings, job, progress, executor)
    star = join_stars(list(read_in_turn(recordings, job, progress)))
    return TELEMETRY[job.signal]._of(star, job.tally.skipped)  # noqa: SLF001 - columns are otlp's own


def read_batches(  # noqa: PLR0913
    path: Paths,
    *,
    signal: Signal | None = None,
    on_error: OnError = "raise",
    unknown: Unknown = "keep",
    batch_bytes: int = BATCH_BYTES,
    progress: Progress = None,
) -> Iterator[Any]:
    """Read files larger than memory: telemetry of so many bytes at a time.

    Takes what `read` takes. A message behind a length, a JSON document and one resource's records are never
    cut, and have to fit in memory; so has a message of profiles. ``.skipped`` counts what each batch lost.

    Parameters
    ----------
    batch_bytes : int
        Bytes of the input, decompressed, that become one batch.

    Yields
    ------
    Traces, Metrics, Logs or Profiles
        At least one, maybe empty; together they are what `read` returns.

    Raises
    ------
    OtlpError
        As `read`, at once or when the batch is reached.

    Examples
    --------
    >>> from workbench import otlp
    >>> batches = otlp.read_batches("datasets/checkout/traces.otlp.zst", batch_bytes=2_000_000)
    >>> sum(len(batch) for batch in batches) == len(otlp.read("datasets/checkout/traces.otlp.zst"))
    True
    """
    if batch_bytes < 1:
        msg = f"batch_bytes must be at least 1, got {batch_bytes}"
        raise ValueError(msg)
    recordings, job = _asked(path, signal, on_error, unknown, batch_bytes)
    return _batches(recordings, job, progress)


def _asked(
    path: Paths, signal: Signal | None, on_error: OnError, unknown: Unknown, batch_bytes: int
) -> tuple[list[Recording], Job]:
    """Return what is to be read, and how; all arguments are checked."""
    if signal is not None and signal not in SIGNALS:
        msg = f"signal must be one of {', '.join(SIGNALS)}, got {signal!r}"
        raise ValueError(msg)
    if unknown not in UNKNOWN:
        msg = f"unknown must be 'keep' or 'count', got {unknown!r}"
        raise ValueError(msg)
    tally = Tally(on_error)
    recordings = recordings_of(path, signal)
    found = signal or signal_of_all(recordings)
    return recordings, Job(found, signal is not None, tally, unknown, batch_bytes)


def _batches(recordings: list[Recording], job: Job, progress: Progress) -> Iterator[AnyTelemetry]:
    before = 0
    for star in read_in_turn(recordings, job, progress):
        yield TELEMETRY[job.signal]._of(star, job.tally.skipped - before)  # noqa: SLF001
        before = job.tally.skipped
