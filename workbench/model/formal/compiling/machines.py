"""From the text of a compiled model to machine code, kept on disk for the next time."""

import hashlib
import sys
import types
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba

from workbench.kernels.memory import load64, shift_right, store32, store64
from workbench.model.formal._models import Specification
from workbench.model.formal.compiling._kernel_memory import ones
from workbench.model.formal.compiling._kernel_search import insert
from workbench.model.formal.compiling.programs import Text, written

__all__ = ["Machine", "compiled", "machine_of"]

# a piece is never called from outside, and has looked before it divides: what that would need is left out
PIECE: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy", "nogil": True}
NAMES: dict[str, Any] = {
    "inlined": numba.njit(forceinline=True, **PIECE),
    "load64": load64,
    "ones": ones,
    "shift_right": shift_right,
    "store32": store32,
    "store64": store64,
}
WORD = numba.int64


@dataclass(frozen=True)
class Machine:
    """A compiled model: its text, and where its functions are in memory."""

    text: Text
    expand: Any
    judge: Any


@lru_cache(maxsize=64)
def machine_of(declared: Specification) -> Machine:
    """Compile a model.

    Raises
    ------
    NotCompilableError
        When the compiled engine does not know something that the model uses.
    """
    text = written(declared)
    return Machine(text, **compiled(text.source))


@lru_cache(maxsize=64)
def compiled(source: str) -> dict[str, Any]:
    """Compile the text of a model: `expand` and `judge`, to be called by their address."""
    names = _module(source)
    return {
        name: numba.cfunc(WORD(*[WORD] * count), cache=True, error_model="numpy")(names[name])
        for name, count in (("expand", 8), ("judge", 4))
    }


def _module(source: str) -> dict[str, Any]:
    """Run a model's text as a module, under the name by which Numba's cache looks for it."""
    path = _kept(source)
    module = types.ModuleType(f"workbench_model_{path.stem}")
    module.__file__ = str(path)
    module.__dict__.update(NAMES)
    sys.modules[module.__name__] = module
    exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - the text is ours
    return module.__dict__


def _kept(source: str) -> Path:
    """Write a model's text where Numba finds it again, and return where that is."""
    folder = Path(insert.stats.cache_path) / "models"  # beside the compiled kernels of the search
    path = folder / f"m{hashlib.sha256(source.encode()).hexdigest()[:24]}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(source)
    except OSError:  # a read-only home: the model is compiled each time
        pass
    return path
