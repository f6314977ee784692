"""Values of specifications: durations, exceptions and functions by their names; read and written.

::

    250ms, 2s, 1m30s, 1.5 h, inf        durations; a number is seconds
    ConnectionError, CircuitOpenError   exceptions: builtin, or of `workbench.reliability.errors`
    httpx.ConnectError                  others by their qualified name
    ErrorClass.TIMEOUT                  what `classify` makes of an exception
    shop.errors:is_temporary            a function, by its module and name

Names are imported: a specification is trusted as the program is.
"""

import builtins
import importlib
import math
import re
from typing import Any

from workbench.reliability import errors
from workbench.reliability.errors.taxonomy import ErrorClass
from workbench.reliability.pipelines._places import Place
from workbench.reliability.pipelines.errors import ConfigError

__all__ = [
    "read_duration",
    "read_exception",
    "read_function",
    "read_on",
    "read_plain",
    "write_exception",
    "write_function",
    "write_on",
    "write_plain",
]

UNITS_S = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ns|us|µs|ms|min|s|m|h|d)\s*")
PLAIN = (type(None), bool, int, float, str)


def read_duration(value: Any, place: Place) -> Any:
    """Return seconds, from a number of them or a text; None stays None.

    Raises
    ------
    ConfigError
    """
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, str):
        if value.strip() in ("inf", "infinite"):
            return math.inf
        parts = PART.findall(value)
        if parts and not PART.sub("", value):
            # 250 * 1e-3 is the float nearest to 0.25; fsum keeps sums so
            return math.fsum(float(number) * UNITS_S[unit] for number, unit in parts)
    msg = f"expected a duration, as 0.25, '250ms' or '1m30s', got {value!r:.80}"
    raise place.error(msg)


def read_on(value: Any, place: Place) -> Any:
    """Return what counts as a failure, from a name or a list of names.

    Raises
    ------
    ConfigError
    """
    if isinstance(value, list | tuple):
        return tuple(_read_one_on(each, place.item(number)) for number, each in enumerate(value))
    return _read_one_on(value, place)


def write_on(value: Any, place: Place) -> Any:
    """Return names of what counts as a failure.

    Raises
    ------
    ConfigError
    """
    if isinstance(value, tuple | list):
        return [_write_one_on(each, place.item(number)) for number, each in enumerate(value)]
    if isinstance(value, set | frozenset):
        return sorted(_write_one_on(each, place) for each in value)
    return _write_one_on(value, place)


def read_exception(value: Any, place: Place) -> type[BaseException]:
    """Return the exception type of a name.

    Raises
    ------
    ConfigError
    """
    if not isinstance(value, str):
        msg = (
            f"expected the name of an exception, as ConnectionError or httpx.ConnectError, got {value!r:.80}"
        )
        raise place.error(msg)
    found = _named(value, place) if "." in value else getattr(builtins, value, getattr(errors, value, None))
    if found is None:
        msg = f"no exception is named {value!r}: name its module, as httpx.ConnectError"
        raise place.error(msg)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        msg = f"{value} is {found!r:.80}, expected an exception"
        raise place.error(msg)
    return found


def write_exception(value: type[BaseException], place: Place) -> str:
    """Return the name of an exception type.

    Raises
    ------
    ConfigError
        When it cannot be found by its name.
    """
    name = value.__qualname__
    if value in (getattr(builtins, name, None), getattr(errors, name, None)):
        return name
    return _checked_name(f"{value.__module__}.{name}", value, place, read_exception)


def read_function(value: Any, place: Place) -> Any:
    """Return the function of a name, ``module:name``; None stays None.

    Raises
    ------
    ConfigError
    """
    if value is None:
        return None
    if not isinstance(value, str) or value.count(":") != 1:
        msg = f"expected a function as 'module:name', got {value!r:.80}"
        raise place.error(msg)
    module, _, name = value.partition(":")
    found = _imported(module, place)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        msg = f"{module} has no function {name!r}"
        raise place.error(msg)
    return found


def write_function(value: Any, place: Place) -> str | None:
    """Return the name of a function.

    Raises
    ------
    ConfigError
        When it cannot be found by its name: a lambda, a function within another, a method of an object.
    """
    if value is None:
        return None
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return _checked_name(f"{module}:{name}", value, place, read_function)


def read_plain(value: Any, place: Place) -> Any:
    """Return a value that is as it stands: texts, numbers, truth values, None, lists and mappings of them.

    Raises
    ------
    ConfigError
    """
    if isinstance(value, list | tuple):
        return [read_plain(each, place.item(number)) for number, each in enumerate(value)]
    if isinstance(value, dict):
        return {read_plain(key, place): read_plain(each, place.key(key)) for key, each in value.items()}
    if type(value) not in PLAIN:
        msg = f"expected a text, a number, true, false, null, or a list or mapping of them, got {value!r:.80}"
        raise place.error(msg)
    return value


def write_plain(value: Any, place: Place) -> Any:
    """Return a value that is written as it stands.

    Raises
    ------
    ConfigError
    """
    try:
        return read_plain(value, place)
    except ConfigError:
        msg = (
            f"{value!r:.80} cannot be written: expected a text, number, truth value, list or mapping of them"
        )
        raise place.error(msg) from None


def _read_one_on(value: Any, place: Place) -> Any:
    if isinstance(value, str) and ":" in value:
        return read_function(value, place)
    prefix, _, name = str(value).partition(".")
    if prefix == "ErrorClass":
        if name not in ErrorClass.__members__:
            msg = f"no ErrorClass is named {name!r}; there are {', '.join(ErrorClass.__members__)}"
            raise place.error(msg)
        return ErrorClass[name]
    return read_exception(value, place)


def _write_one_on(value: Any, place: Place) -> str | None:
    if isinstance(value, ErrorClass):
        return f"ErrorClass.{value.name}"
    return write_exception(value, place) if isinstance(value, type) else write_function(value, place)


def _named(name: str, place: Place) -> Any:
    """Return what a qualified name means: the longest part that is a module, and attributes of it."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if error.name is not None and ".".join(parts[:cut]).startswith(error.name):
                continue
            raise _not_imported(".".join(parts[:cut]), error, place) from error
        except ImportError as error:
            raise _not_imported(".".join(parts[:cut]), error, place) from error
        for part in parts[cut:]:
            found = getattr(found, part, None)
        return found
    msg = f"{parts[0]} cannot be imported: no module is named so"
    raise place.error(msg)


def _imported(module: str, place: Place) -> Any:
    try:
        return importlib.import_module(module)
    except (ImportError, ValueError) as error:
        raise _not_imported(module, error, place) from error


def _not_imported(module: str, error: Exception, place: Place) -> ConfigError:
    return place.error(f"{module} cannot be imported: {error}")


def _checked_name(name: str, value: Any, place: Place, read: Any) -> str:
    """Return a name under which a value is found again."""
    try:
        same = read(name, place) is value
    except Exception:  # noqa: BLE001 - whatever is wrong, it is not found
        same = False
    if not same:
        msg = f"{value!r:.80} cannot be written: it is not found by a name; define it at the top of a module"
        raise place.error(msg)
    return name
