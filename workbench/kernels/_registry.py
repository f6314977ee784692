"""The list of all kernels: how each is compiled, and for which types.

A kernel is declared with the signatures it is called with::

    @kernel("void(uint64[:,::1], int64[::1])")
    def _fill(keys, slots): ...

It compiles when first called, or ahead of time by `warm`, and both write the same cache on disk. Numba
throws away a cached kernel when its own file has changed; here also when another file has that it may call
into: those of its folder, of the machines beside that, and of `workbench.kernels`. Where no text can say
what a kernel is called with, a function returns it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from workbench.errors import WorkbenchError
from workbench.kernels.parts import by_types

__all__ = ["Kernel", "KernelError", "checked", "kernel", "registered_kernels"]


class KernelError(WorkbenchError, ValueError):
    """Raised when the arrays given to a kernel do not fit together."""


Signature: TypeAlias = str | Callable[[], tuple[Any, ...]]  # a text, or what gives the types of the arguments


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled function, and the signatures it is compiled for ahead of time."""

    name: str
    dispatcher: Any
    signatures: tuple[Signature, ...]

    @property
    def cache_folder(self) -> Path:
        """The folder that Numba keeps this kernel's compiled code in."""
        return Path(self.dispatcher.stats.cache_path)

    def is_cached(self) -> bool:
        """Tell whether compiled code lies in the cache; that of an older source is replaced when used."""
        code = self.dispatcher.py_func.__code__
        index = f"{Path(code.co_filename).stem}.{code.co_qualname}-*.nbi"
        return any(self.cache_folder.glob(index))

    def compile(self) -> None:
        """Compile for every signature, or load from the cache on disk."""
        for signature in self.signatures:
            self.dispatcher.compile(signature() if callable(signature) else signature)


_KERNELS: dict[str, Kernel] = {}


def kernel(*signatures: Signature) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function as a kernel: compiled by Numba, cached on disk, run without the GIL."""

    def declare(function: Callable[..., Any]) -> Any:
        dispatcher = by_types(numba.njit(cache=True, nogil=True)(function))
        index = dispatcher._cache._cache_file  # noqa: SLF001 - Numba offers no other way to say it
        index._source_stamp = _source_stamp(Path(function.__code__.co_filename).parent)  # noqa: SLF001
        name = f"{function.__module__}.{function.__qualname__}"
        _KERNELS[name] = Kernel(name, dispatcher, signatures)
        return dispatcher

    return declare


@cache
def _source_stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what identifies the sources that a kernel of a folder may be compiled from."""
    sources = sorted(
        {
            *folder.glob("_kernel_*.py"),
            *folder.glob("*codes.py"),
            *folder.parent.glob("machines/*.py"),
            *Path(__file__).parent.glob("*.py"),
        }
    )
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in sources)


def registered_kernels() -> list[Kernel]:
    """Return the kernels of all modules imported so far, by name."""
    return sorted(_KERNELS.values(), key=lambda known: known.name)


def checked(name: str, array: npt.ArrayLike, dtype: npt.DTypeLike, shape: tuple[int | None, ...]) -> Any:
    """Return an array as a writable, contiguous one of exactly the kernel's type.

    Raises
    ------
    KernelError
        When its shape does not match; None in `shape` is any length.
    """
    found = np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED", "WRITEABLE"])
    if len(found.shape) != len(shape) or any(
        want not in (None, got) for want, got in zip(shape, found.shape, strict=True)
    ):
        expected = "(" + ", ".join("any" if want is None else str(want) for want in shape) + ")"
        msg = f"{name} must have the shape {expected}, got {found.shape}"
        raise KernelError(msg)
    return found
