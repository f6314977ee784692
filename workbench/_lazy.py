"""Lazy public names: a package names what it offers, and imports it when somebody first asks.

PEP 562 gives modules ``__getattr__`` and ``__dir__``. A face (``__init__.py``) writes::

    __all__ = ["Traces", "read"]
    __getattr__, __dir__ = lazy_names(__name__, {"Traces": "traces", "read": "reading"})

where each value is the submodule that holds the name, or the name itself for a submodule that is public.
A function never shares its submodule's name: importing the submodule would hide the function.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType

from workbench.errors import MissingExtraError

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, str], *, extra: str = ""
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package whose public names live in submodules.

    Where a submodule needs packages that only an extra of the distribution installs, `extra` names it.
    """

    def get(name: str) -> object:
        if name not in homes:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg, name=name, obj=sys.modules[package])
        home = _import(f"{package}.{homes[name]}", extra)
        value = home if homes[name] == name else getattr(home, name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names


def _import(module: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not extra or str(error.name).startswith("workbench"):
            raise
        msg = f"{module} needs {error.name}: pip install 'reliability-workbench[{extra}]'"
        raise MissingExtraError(msg, name=error.name) from error
