"""Libraries that only an extra of the distribution installs, imported when they are first needed."""

import importlib
from typing import Any

from workbench.errors import MissingExtraError

__all__ = ["import_extra"]


def import_extra(module: str, extra: str, what: str) -> Any:
    """Return a module.

    Raises
    ------
    MissingExtraError
        When it is not installed; names the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        msg = f"{what} needs {error.name}: pip install 'reliability-workbench[{extra}]'"
        raise MissingExtraError(msg, name=error.name) from error
