"""A search put aside: its states on disk, to go on from there another time."""

import hashlib
import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from workbench.model.formal.compiling import _kernel_search as search
from workbench.model.formal.compiling.memory import Memory
from workbench.model.formal.errors import CheckpointError

__all__ = ["put_aside", "taken_up"]


def put_aside(path: Path, memory: Memory, levels: list[int]) -> None:
    """Write how far a search came; a file that is there is replaced only when the new one is complete."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        np.savez(
            file,
            model=_fingerprint(memory),
            queue=memory.queue[: memory.count * memory.words],
            parents=memory.parents[: memory.count],
            taken=memory.taken,
            found=memory.found,
            at=memory.control[[search.NEXT, search.COUNT, search.LEVEL_END]],
            levels=np.array(levels, np.int64),
        )
    os.replace(draft, path)  # noqa: PTH105 - atomic


def taken_up(path: Path, memory: Memory) -> list[int] | None:
    """Put what a file holds into a search's memory, and return where its levels begin; None without a file.

    Raises
    ------
    CheckpointError
        When the file is damaged, or was written for another model.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file) as held:
            parts = {name: held[name] for name in held.files}
        if (parts["model"] != _fingerprint(memory)).any():
            msg = f"{path} was written for another model, or before this one was changed: remove it"
            raise CheckpointError(msg)
        memory.restore(parts["queue"], parts["parents"], parts["taken"], parts["found"])
        memory.control[[search.NEXT, search.COUNT, search.LEVEL_END]] = parts["at"]
        return [int(level) for level in parts["levels"]]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        if isinstance(error, CheckpointError):
            raise
        msg = f"{path} is no checkpoint, or damaged: {error}"
        raise CheckpointError(msg) from None


def _fingerprint(memory: Memory) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    digest = hashlib.sha256(memory.machine.text.source.encode()).digest()
    return np.frombuffer(digest, np.uint8)
