"""Several recordings of one signal: read one after the other, or each in another process.

What another process read comes back as OTLP: a message of recorded traces is about half the bytes of the same
tables in Arrow, and decoded in half the time that it takes to make columns of those.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from workbench.executors import AnyExecutor, ordered_map
from workbench.otlp._schema import Signal
from workbench.otlp._tally import OnError, Tally
from workbench.otlp.codec._join import join_stars
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._star_decoder import StarDecoder, Unknown
from workbench.otlp.decoder import TELEMETRY, concat
from workbench.otlp.errors import AmbiguousSignalError, OtlpError
from workbench.otlp.logs import Logs
from workbench.otlp.metrics import Metrics
from workbench.otlp.profiles import Profiles
from workbench.otlp.storage._job import WHOLE_BATCH_BYTES, Job
from workbench.otlp.storage._progress import Progress, tracking
from workbench.otlp.storage._recordings import Recording
from workbench.otlp.traces import Traces

__all__ = ["AnyTelemetry", "read_in_parallel", "read_in_turn", "signal_of_all"]

AnyTelemetry: TypeAlias = Traces | Metrics | Logs | Profiles


def signal_of_all(recordings: list[Recording]) -> Signal:
    """Return the signal that all recordings hold.

    Raises
    ------
    AmbiguousSignalError
        When one does not say it, or they hold several.
    """
    found: dict[Signal, str] = {}
    for recording in recordings:
        try:
            found[recording.find_signal()] = recording.path.name
        except OtlpError as error:
            raise _of_file(error, recording, is_one=len(recordings) == 1) from error.__cause__
    if len(found) > 1:
        which = ", ".join(f"{signal} ({name})" for signal, name in sorted(found.items()))
        msg = f"these files hold several signals: {which}; pass signal=, or read each by itself"
        raise AmbiguousSignalError(msg)
    return next(iter(found))


def read_in_turn(recordings: list[Recording], job: Job, progress: Progress) -> Iterator[Star]:
    """Yield the batches of one recording after the other."""
    with tracking(progress, sum(recording.size for recording in recordings)) as advance:
        done = 0
        for recording in recordings:
            here = replace(job, on_bytes=_behind(advance, done))
            yield from _stars(recording, here, is_only=len(recordings) == 1)
            done += recording.size
            advance(done)


def _stars(recording: Recording, job: Job, *, is_only: bool) -> Iterator[Star]:
    """Yield a recording's batches; of several, one of which nothing can be read may be left out."""
    try:
        yield from recording.stars(job)
    except OtlpError as error:
        named = _of_file(error, recording, is_one=is_only)
        if is_only or job.tally.strict or isinstance(error, AmbiguousSignalError):
            raise named from error.__cause__
        job.tally.refuse(named)
        yield StarDecoder(job.signal).decode_all((), encoding="protobuf", unknown=job.unknown)


def _behind(advance: Callable[[int], None], done: int) -> Callable[[int], None]:
    return lambda position: advance(done + position)


def _of_file(error: OtlpError, recording: Recording, *, is_one: bool) -> OtlpError:
    """Return an error that names its file, where there are several."""
    if is_one or recording.path.name in str(error):
        return error
    return type(error)(f"{recording.path.name}: {error.args[0]}", offset=error.offset, path=error.path)


def read_in_parallel(
    recordings: list[Recording], job: Job, progress: Progress, executor: AnyExecutor
) -> AnyTelemetry:
    """Return all records; each recording is one call."""
    work = _OneRecording(job.signal, job.is_asked, _on_error(job.tally), job.unknown, len(recordings) == 1)
    parts: list[tuple[AnyTelemetry, int]] = []
    with tracking(progress, sum(recording.size for recording in recordings)) as advance:
        done = 0
        for recording, part in zip(recordings, ordered_map(work, recordings, executor), strict=True):
            parts.append(part)
            done += recording.size
            advance(done)
    whole = concat(telemetry for telemetry, _ in parts)
    star = whole._columns()._replace(unknown=sum(unknown for _, unknown in parts))  # noqa: SLF001 - otlp's own
    return whole._of(star, whole.skipped)  # noqa: SLF001


def _on_error(tally: Tally) -> OnError:
    return "raise" if tally.strict else "skip"


@dataclass(frozen=True, slots=True)
class _OneRecording:
    """Reads one recording, wherever that is; telemetry travels as OTLP, its count of unknown fields apart."""

    signal: Signal
    is_asked: bool
    on_error: OnError
    unknown: Unknown
    is_only: bool

    def __call__(self, recording: Recording) -> tuple[AnyTelemetry, int]:
        job = Job(self.signal, self.is_asked, Tally(self.on_error), self.unknown, WHOLE_BATCH_BYTES)
        star = join_stars(list(_stars(recording, job, is_only=self.is_only)))
        return TELEMETRY[self.signal]._of(star, job.tally.skipped), star.unknown  # noqa: SLF001
