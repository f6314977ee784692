"""Messages in whatever holds bytes: `bytes`, `bytearray`, `mmap`, NumPy's and Arrow's memory, views."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

__all__ = ["Buffers", "messages_of"]

Buffers: TypeAlias = "bytes | bytearray | memoryview | Iterable[bytes | bytearray | memoryview]"
PLAIN_BYTES = (bytes, bytearray)


def messages_of(data: Any) -> Iterable[bytes | bytearray | memoryview]:
    """Return the one message that a buffer is, in a tuple, or those that an iterable of buffers yields.

    Raises
    ------
    TypeError
        At once or at the message that is neither: text, a number, a message of the official library.
    """
    one = _bytes_of(data)
    if one is not None:
        return (one,)
    if isinstance(data, str) or not isinstance(data, Iterable):
        raise TypeError(_no_bytes(data))
    return _each(data) if isinstance(data, Sequence) else map(_own, _each(data))


def _own(message: bytes | bytearray | memoryview) -> bytes:
    """Return what stays as it is when its buffer is filled again, as with ``readinto``."""
    return message if isinstance(message, bytes) else bytes(message)


def _each(messages: Iterable[Any]) -> Iterator[bytes | bytearray | memoryview]:
    for message in messages:
        found = _bytes_of(message)
        if found is None:
            raise TypeError(_no_bytes(message))
        yield found


def _no_bytes(data: object) -> str:
    name = type(data).__name__
    hint = "; a message's bytes are its .SerializeToString()" if hasattr(data, "SerializeToString") else ""
    return f"expected OTLP as bytes, got {name}{hint}"


def _bytes_of(data: Any) -> bytes | bytearray | memoryview | None:
    """Return a buffer's bytes, one after the other; None for what is no buffer."""
    if isinstance(data, PLAIN_BYTES):
        return data
    try:
        view = memoryview(data)
    except TypeError:
        return None
    if view.ndim == 1 and view.format == "B" and view.contiguous:
        return view
    return view.cast("B") if view.c_contiguous and view.nbytes else view.tobytes()
