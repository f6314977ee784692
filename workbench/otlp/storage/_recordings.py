"""What paths name: files of messages, and folders of tables, in the order in which they are read."""

import errno
import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from workbench.otlp._schema import Signal
from workbench.otlp.codec._star import Star
from workbench.otlp.errors import UnknownFormatError
from workbench.otlp.storage._job import Job
from workbench.otlp.storage._message_file import MessageFile
from workbench.otlp.storage._names import parse_name
from workbench.otlp.storage._table_folder import find_folders

__all__ = ["AnyPath", "Paths", "Recording", "recordings_of"]

AnyPath: TypeAlias = str | os.PathLike[str]
Paths: TypeAlias = AnyPath | Sequence[AnyPath]


class Recording(Protocol):
    """One file or folder of telemetry."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def size(self) -> int:
        """Bytes on the disk."""

    def find_signal(self) -> Signal:
        """Return which signal it holds."""

    def stars(self, job: Job) -> Iterator[Star]:
        """Yield its records in batches."""


def recordings_of(paths: Paths, signal: Signal | None) -> list[Recording]:
    """Return what a path, a pattern such as ``day/*.otlp``, or several of them name.

    Raises
    ------
    FileNotFoundError
        When there is nothing, or a pattern matches nothing.
    UnknownFormatError, AmbiguousSignalError
        When a file's name ends in no known format; when a folder holds several signals, and none is asked.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    given: object = paths  # whatever the types promise
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        msg = f"expected a path as a str or a Path, or several, got {given!r}"
        raise TypeError(msg)
    found = [one for item in paths for path in _matches(item) for one in _recordings(path, signal)]
    if not found:
        msg = "expected at least one path, got an empty sequence"
        raise ValueError(msg)
    return found


def _matches(path: AnyPath) -> list[Path]:
    text = os.fspath(path)
    if not glob.has_magic(text) or Path(text).exists():
        return [Path(text)]
    found = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - of absolute patterns too
    if not found:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
    return [Path(name) for name in found]


def _recordings(path: Path, signal: Signal | None) -> Sequence[Recording]:
    if path.is_dir():
        return find_folders(path, signal)
    name = parse_name(path)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if name.format not in ("parquet", "arrow"):
        return [MessageFile(path, name)]
    msg = f"{path.name} is one table, and telemetry is a folder of them: read the folder that write() made"
    raise UnknownFormatError(msg)
