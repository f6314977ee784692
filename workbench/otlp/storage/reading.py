"""`read` and `read_batches`: files of OTLP, in any of their forms, to telemetry, at once or a batch at a time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from workbench.otlp._schema import SIGNALS, Signal
from workbench.otlp._tally import OnError, Tally
from workbench.otlp.codec._join import join_stars
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._star_decoder import Unknown
from workbench.otlp.decoder import TELEMETRY, concat
from workbench.otlp.errors import AmbiguousSignalError, OtlpError
from workbench.otlp.logs import Logs
from workbench.otlp.metrics import Metrics
from workbench.otlp.profiles import Profiles
from workbench.otlp.storage._executors import ordered_map
from workbench.otlp.storage._progress import Progress, tracking
from workbench.otlp.storage._recordings import Paths, Recording, recordings_of
from workbench.otlp.traces import Traces

if TYPE_CHECKING:
    from workbench.otlp.storage._executors import AnyExecutor

__all__ = ["BATCH_BYTES", "read", "read_batches"]

AnyTelemetry: TypeAlias = Traces | Metrics | Logs | Profiles
BATCH_BYTES = 64 << 20
UNKNOWN = ("keep", "count")


@overload
def read(path: Paths, *, signal: Literal["traces"], **options: Any) -> Traces: ...
@overload
def read(path: Paths, *, signal: Literal["metrics"], **options: Any) -> Metrics: ...
@overload
def read(path: Paths, *, signal: Literal["logs"], **options: Any) -> Logs: ...
@overload
def read(path: Paths, *, signal: Literal["profiles"], **options: Any) -> Profiles: ...
@overload
def read(
    path: Paths,
    *,
    signal: Signal | None = None,
    on_error: OnError = "raise",
    unknown: Unknown = "keep",
    progress: Progress = None,
    executor: "AnyExecutor" = None,
) -> Any: ...
def read(
    path: Paths,
    *,
    signal: Signal | None = None,
    on_error: OnError = "raise",
    unknown: Unknown = "keep",
    progress: Progress = None,
    executor: "AnyExecutor" = None,
) -> Any:
    """Read telemetry from a file, a folder, or many of them.

    Parameters
    ----------
    path : path, pattern, or several
        Protobuf (``.otlp .pb .binpb .protobuf .proto .bin``: one message, or many behind 4-byte big-endian
        lengths as the Collector's file exporter writes them) or JSON (``.json .jsonl .ndjson``: one document
        or many), plain or compressed (``.gz .zst .zstd``); or a folder that `write` made (``.parquet .arrow``),
        or one with such a folder for each signal. A pattern such as ``day/*.otlp.zst`` is all it matches, by
        name; several paths follow one another.
    signal : {"traces", "metrics", "logs", "profiles"}, optional
        What the file holds. Without it the file's name says so (``traces.otlp.zst``), or the keys of its
        JSON, or the tables. Of JSON with documents of several signals only those of this one are read; the
        others are counted in ``.skipped``.
    on_error : {"raise", "skip"}
        What happens at a record or message that cannot be read: an error, or it is left out and counted in
        ``.skipped``.
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
    options = _Options(signal, on_error, unknown)
    if executor is not None:
        return _read_in_parallel(recordings_of(path, signal), options, progress, executor)
    tally = Tally(on_error)
    found, stars = _stars(path, options, tally, BATCH_BYTES, progress)
    star = join_stars(list(stars))
    return TELEMETRY[found]._of(star, tally.skipped)  # noqa: SLF001 - columns are otlp's own


def read_batches(
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
    tally = Tally(on_error)
    found, stars = _stars(path, _Options(signal, on_error, unknown), tally, batch_bytes, progress)
    return _telemetry(found, stars, tally)


def _telemetry(signal: Signal, stars: Iterator[Star], tally: Tally) -> Iterator[AnyTelemetry]:
    before = 0
    for star in stars:
        yield TELEMETRY[signal]._of(star, tally.skipped - before)  # noqa: SLF001
        before = tally.skipped


class _Options:
    """What was asked for, checked."""

    def __init__(self, signal: Signal | None, on_error: OnError, unknown: Unknown) -> None:
        if signal is not None and signal not in SIGNALS:
            msg = f"signal must be one of {', '.join(SIGNALS)}, got {signal!r}"
            raise ValueError(msg)
        if unknown not in UNKNOWN:
            msg = f"unknown must be 'keep' or 'count', got {unknown!r}"
            raise ValueError(msg)
        self.signal, self.on_error, self.unknown = signal, on_error, unknown


def _stars(
    path: Paths, options: _Options, tally: Tally, batch_bytes: int, progress: Progress
) -> tuple[Signal, Iterator[Star]]:
    recordings = recordings_of(path, options.signal)
    signal = options.signal or _signal_of_all(recordings)
    return signal, _all_stars(recordings, signal, options, tally, batch_bytes, progress)


def _signal_of_all(recordings: list[Recording]) -> Signal:
    """Return the signal that all recordings hold."""
    found = {recording.path: _named(recording.find_signal, recording, recordings) for recording in recordings}
    if len(set(found.values())) > 1:
        by_signal = {signal: path for path, signal in found.items()}
        which = ", ".join(f"{signal} ({path.name})" for signal, path in sorted(by_signal.items()))
        msg = f"these files hold several signals: {which}; pass signal=, or read each by itself"
        raise AmbiguousSignalError(msg)
    return next(iter(found.values()))


def _named(find: Callable[[], Signal], recording: Recording, recordings: list[Recording]) -> Signal:
    try:
        return find()
    except OtlpError as error:
        raise _of_file(error, recording, recordings) from error


def _of_file(error: OtlpError, recording: Recording, recordings: list[Recording]) -> OtlpError:
    """Return an error that names its file, where there are several."""
    if len(recordings) == 1 or recording.path.name in str(error):
        return error
    return type(error)(f"{recording.path.name}: {error.args[0]}", offset=error.offset, path=error.path)


def _all_stars(
    recordings: list[Recording],
    signal: Signal,
    options: _Options,
    tally: Tally,
    batch_bytes: int,
    progress: Progress,
) -> Iterator[Star]:
    asked = options.signal is not None
    total = sum(recording.size for recording in recordings)
    with tracking(progress, total) as advance:
        done = 0
        for recording in recordings:
            at = done

            def on_bytes(position: int, at: int = at) -> None:
                advance(at + position)

            try:
                yield from recording.stars(signal, tally, options.unknown, batch_bytes, on_bytes, asked=asked)
            except OtlpError as error:
                named = _of_file(error, recording, recordings)
                if named is error:
                    raise
                raise named from error
            done += recording.size
            advance(done)


def _read_in_parallel(
    recordings: list[Recording], options: _Options, progress: Progress, executor: "AnyExecutor"
) -> AnyTelemetry:
    signal = options.signal or _signal_of_all(recordings)
    asked = options.signal is not None
    total = sum(recording.size for recording in recordings)
    parts: list[tuple[AnyTelemetry, int]] = []
    with tracking(progress, total) as advance:
        work = _OneFile(signal, options.on_error, options.unknown, asked=asked, several=len(recordings) > 1)
        done = 0
        for part, recording in zip(ordered_map(work, recordings, executor), recordings, strict=True):
            parts.append(part)
            done += recording.size
            advance(done)
    return _joined(parts)


class _OneFile:
    """Reads one recording, in another process."""

    def __init__(
        self, signal: Signal, on_error: OnError, unknown: Unknown, *, asked: bool, several: bool
    ) -> None:
        self.signal, self.on_error, self.unknown = signal, on_error, unknown
        self.asked, self.several = asked, several

    def __call__(self, recording: Recording) -> tuple[AnyTelemetry, int]:
        tally = Tally(self.on_error)
        named = [recording] * (2 if self.several else 1)
        try:
            stars = list(
                recording.stars(
                    self.signal, tally, self.unknown, BATCH_BYTES, lambda _: None, asked=self.asked
                )
            )
        except OtlpError as error:
            raise _of_file(error, recording, named) from error
        star = join_stars(stars)
        return TELEMETRY[self.signal]._of(star, tally.skipped), star.unknown  # noqa: SLF001


def _joined(parts: list[tuple[AnyTelemetry, int]]) -> AnyTelemetry:
    whole = concat(telemetry for telemetry, _ in parts)
    star = replace(whole._columns(), unknown=sum(unknown for _, unknown in parts))  # noqa: SLF001
    return whole._of(star, whole.skipped)  # noqa: SLF001
