"""Write files: whole or not at all, and into folders that git does not see."""

import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["make_ignored_folder", "write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Replace the content of `path` in one step: whoever reads it sees the old bytes or the new ones."""
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, draft)
        else:
            draft.chmod(0o644)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def make_ignored_folder(folder: Path) -> None:
    """Make a folder that ignores itself in git, whatever the project's own ignore file says."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")
