"""From the text of a compiled model to machine code, kept on disk for the next time."""

import hashlib
import sys
import types
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from workbench.kernels.memory import load64, shift_right, store32, store64
from workbench.kernels.parts import by_types
from workbench.model.formal._models import Specification
from workbench.model.formal.compiling._kernel_memory import ones
from workbench.model.formal.compiling._kernel_tables import insert
from workbench.model.formal.compiling.programs import Alike, Text, written
from workbench.model.formal.compiling.representatives import orders
from workbench.model.formal.errors import FormalError

__all__ = ["Machine", "compiled", "machine_of"]

# a piece is never called from outside, and has looked before it divides: what that would need is left out
PIECE: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy", "nogil": True}
NAMES: dict[str, Any] = {
    "inlined": lambda function: by_types(numba.njit(forceinline=True, **PIECE)(function)),
    "load64": load64,
    "ones": ones,
    "orders": orders,
    "shift_right": shift_right,
    "store32": store32,
    "store64": store64,
}
WORD = numba.int64
COUNTS = {"expand": 8, "judge": 4, "rekey": 3}  # of their arguments


@dataclass(frozen=True)
class Machine:
    """A compiled model: its text, and its functions, each compiled when it is asked for."""

    text: Text

    @property
    def expand(self) -> Any:
        """Writes the successors of a batch of states."""
        return compiled(self.text.source, "expand")

    @property
    def judge(self) -> Any:
        """Notes which invariants do not hold in a batch of states."""
        return compiled(self.text.source, "judge")

    def keys_of(self, states: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the words by which states are the same, where that is not by being equal.

        Raises
        ------
        FormalError
            When the compiled function gives up where the interpreted one did not.
        """
        keys = np.empty(len(states) * self.text.key_words, np.int64)
        fault = compiled(self.text.source, "rekey").ctypes(states.ctypes.data, len(states), keys.ctypes.data)
        if fault < 0:
            state = self.text.layout.unpack(states[-1 - fault])
            msg = f"{self.text.declared.name}: the two engines disagree about the view of {state}"
            raise FormalError(msg)
        return keys


@lru_cache(maxsize=64)
def machine_of(declared: Specification, alike: Alike = "") -> Machine:
    """Compile a model.

    Parameters
    ----------
    alike
        Which states count as the same, besides equal ones.

    Raises
    ------
    NotCompilableError
        When the compiled engine does not know something that the model uses.
    """
    return Machine(written(declared, alike))


@lru_cache(maxsize=192)
def compiled(source: str, name: str) -> Any:
    """Compile a function of a model's text, to be called by its address."""
    return numba.cfunc(WORD(*[WORD] * COUNTS[name]), cache=True, error_model="numpy")(_module(source)[name])


@lru_cache(maxsize=64)
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
