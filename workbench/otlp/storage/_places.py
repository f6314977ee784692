"""Where something is written: it appears whole or not at all, beside whatever is there until then.

A folder takes another's place by Linux's ``renameat2`` with RENAME_EXCHANGE, which no reader can get between;
elsewhere by two renames, between which there is none.
"""

import ctypes
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.otlp.storage._table_folder import ENDINGS, table_paths

__all__ = ["exchange_names", "replacing_file", "replacing_folder"]

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # <fcntl.h>, <linux/fs.h>


@contextmanager
def replacing_file(target: Path) -> Iterator[Path]:
    """Give a place beside the target; what is written there takes the target's.

    Raises
    ------
    IsADirectoryError, FileNotFoundError
        When the target is a folder, or the folder that it should be in is not there.
    """
    target = target.resolve()
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    _check_parent(target)
    part = _beside(target)
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside the target, which takes its place.

    Raises
    ------
    FileExistsError
        When the target is there and is no folder of tables: it is not overwritten.
    FileNotFoundError
        When the folder that it should be in is not there.
    """
    target = target.resolve()
    if target.exists() and not _is_ours(target):
        raise FileExistsError(
            errno.EEXIST, "not overwritten, for it is no folder of telemetry tables", str(target)
        )
    _check_parent(target)
    part = _beside(target)
    part.mkdir()
    try:
        yield part
        _exchange(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _exchange(part: Path, target: Path) -> None:
    """Put a folder in another's place, and remove the other."""
    if not target.exists():
        part.rename(target)
        return
    if exchange_names(part, target):
        return  # what was there is the part now, which is removed
    before = _beside(target)
    target.rename(before)
    try:
        part.rename(target)
    except OSError:
        before.rename(target)
        raise
    shutil.rmtree(before, ignore_errors=True)


def exchange_names(first: Path, second: Path) -> bool:
    """Exchange two names at once; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if os.name == "posix" else None
    names = AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second)
    return rename is not None and rename(*names, RENAME_EXCHANGE) == 0


def _is_ours(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    ours = set(table_paths(folder).values())
    return all(path in ours and path.suffix in ENDINGS for path in folder.iterdir())


def _check_parent(target: Path) -> None:
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target.parent))


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}")
