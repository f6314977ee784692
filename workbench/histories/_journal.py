"""Where a recorder keeps operations: in memory here, in files of a folder in other processes.

The folder is made when a recorder leaves for another process: as an argument, or by a fork.
"""

import os
import pickle
import shutil
import tempfile
import threading
import weakref
from collections.abc import Hashable
from dataclasses import dataclass
from io import FileIO
from itertools import count
from pathlib import Path
from typing import Any

__all__ = ["Entry", "Journal"]


@dataclass(slots=True)
class Entry:
    """An operation, as far as it has come."""

    process: Hashable
    asked: tuple[Any, ...]
    pid: int
    call_ns: int = 0
    return_ns: int | None = None
    told: Any = None
    serial: int = 0
    is_dropped: bool = False


class Journal:
    """Operations of this process and of those that it was given to."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._owner = os.getpid()
        self._own: dict[int, Entry] = {}
        self._serials = count(1)
        self._files: dict[tuple[int, int], FileIO] = {}
        _LIVE.add(self)

    def folder(self) -> Path:
        """Return the folder of other processes' files."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="workbench-history-"))
            weakref.finalize(self, _remove, self._folder, self._owner)
        return self._folder

    def begin(self, entry: Entry) -> None:
        """Keep an operation that is called now."""
        entry.serial = next(self._serials)
        self._keep(entry)

    def end(self, entry: Entry) -> None:
        """Keep what became of it."""
        self._keep(entry)

    def drop(self, entry: Entry) -> None:
        """Forget an operation."""
        entry.is_dropped = True
        self._keep(entry)

    def entries(self) -> list[Entry]:
        """Return all operations that are not dropped, by their calls."""
        found = [*list(self._own.values()), *self._foreign()]
        kept = [entry for entry in found if not entry.is_dropped]
        return sorted(kept, key=lambda entry: entry.call_ns)

    def _keep(self, entry: Entry) -> None:
        if os.getpid() == self._owner:
            self._own[entry.serial] = entry
        else:
            self._file().write(pickle.dumps(entry))

    def _file(self) -> FileIO:
        """Return this thread's file, which nobody else writes."""
        own = os.getpid(), threading.get_ident()
        if own not in self._files:
            descriptor, _ = tempfile.mkstemp(".ops", f"{own[0]}-", self.folder())
            self._files[own] = FileIO(descriptor, "w")
        return self._files[own]

    def _foreign(self) -> list[Entry]:
        """Return what other processes wrote: of each operation the latest."""
        found: dict[tuple[str, int], Entry] = {}
        for path in sorted(self._folder.glob("*.ops")) if self._folder else ():
            for entry in _read(path):
                found[path.name, entry.serial] = entry
        return list(found.values())

    def __getstate__(self) -> dict[str, Any]:
        return {"_folder": self.folder(), "_owner": self._owner}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _own={}, _serials=count(1), _files={})


def _read(path: Path) -> list[Entry]:
    """Read the entries of a file, the last of which may be cut off."""
    entries = []
    with path.open("rb") as file:
        while True:
            try:
                entries.append(pickle.load(file))  # noqa: S301 - our own processes wrote it
            except (EOFError, pickle.UnpicklingError):
                return entries


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


_LIVE: weakref.WeakSet[Journal] = weakref.WeakSet()


def _before_fork() -> None:
    for journal in list(_LIVE):
        journal.folder()


os.register_at_fork(before=_before_fork)
