"""Compressed bodies, never inflated past a limit: a gzip bomb costs its reader the limit, not its promise.

gzip is what OTLP names; zstd is what the Collector also sends over HTTP. Arrow's codecs read both, and many
short gzip members in one pass, which Python's copy the rest of the body for.
"""

import gzip
from typing import Literal, cast

import pyarrow as pa

from workbench.otlp.errors import CompressionError

__all__ = ["CODINGS", "Coding", "OverLimitError", "deflate", "inflate"]

Coding = Literal["gzip", "zstd"]
CODINGS: tuple[Coding, ...] = ("gzip", "zstd")
GZIP_MAGIC = b"\x1f\x8b"
LEVEL = 6


class OverLimitError(ValueError):
    """Raised when a body is larger than its limit, decompressed or as it is."""


def deflate(body: bytes, coding: Coding | None) -> bytes:
    """Return the body compressed; the same body gives the same bytes."""
    if coding is None:
        return body
    if coding == "gzip":
        return gzip.compress(body, LEVEL, mtime=0)
    return bytes(pa.Codec("zstd").compress(body, asbytes=True))


def inflate(body: bytes, coding: Coding | None, limit_bytes: int) -> bytes:
    """Return the body decompressed, at most `limit_bytes` of it.

    Raises
    ------
    OverLimitError
        As soon as there is one byte more than the limit.
    CompressionError
        When the stream is damaged, cut short, or followed by something else.
    """
    whole = body if coding is None else _decompressed(body, coding, limit_bytes + 1)
    if len(whole) > limit_bytes:
        msg = f"the body is larger than {limit_bytes:,} bytes" + (f" after {coding}" if coding else "")
        raise OverLimitError(msg)
    return whole


def _decompressed(body: bytes, coding: Coding, most_bytes: int) -> bytes:
    if not body or (coding == "gzip" and not body.startswith(GZIP_MAGIC)):  # Arrow would take zlib's as well
        msg = f"the body is not {coding}, as its Content-Encoding says: it starts with {body[:4].hex(' ')!r}"
        raise CompressionError(msg)
    with pa.CompressedInputStream(pa.BufferReader(body), coding) as stream:
        try:
            return cast("bytes", stream.read(most_bytes))
        except OSError as error:
            msg = f"the body is not {coding}, as its Content-Encoding says: {error}"
            raise CompressionError(msg) from error
