"""Records with the same fields live and compiled: slotted objects here, NumPy records there."""

from dataclasses import fields
from typing import Any

import numpy as np

__all__ = ["record_dtype", "record_of"]

TYPES = {float: np.float64, int: np.int64, bool: np.bool_}


def record_dtype(kind: type) -> np.dtype[Any]:
    """Return the type of the NumPy record with a dataclass's fields: floats, integers and booleans."""
    return np.dtype([(field.name, TYPES[_type(kind, field.name)]) for field in fields(kind)], align=True)


def record_of(value: Any) -> Any:
    """Return a NumPy record with what a dataclass's object holds."""
    dtype = record_dtype(type(value))
    return np.array([tuple(getattr(value, name) for name in dtype.names or ())], dtype)


def _type(kind: type, name: str) -> type:
    found: type = kind.__annotations__[name]
    return found
