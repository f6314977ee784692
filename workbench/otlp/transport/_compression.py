"""Compressed bodies, never inflated past a limit: a gzip bomb costs its reader the limit, not its promise.

gzip is what OTLP names; zstd is what the Collector also sends over HTTP, and Arrow's codec reads it already.
"""

import gzip
import zlib
from typing import Literal, cast

import pyarrow as pa

from workbench.otlp.errors import CompressionError

__all__ = ["CODINGS", "Coding", "OverLimitError", "deflate", "inflate"]

Coding = Literal["gzip", "zstd"]
CODINGS: tuple[Coding, ...] = ("gzip", "zstd")
GZIP = 31  # zlib's window bits: a gzip header, 32 KiB window
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
    if coding is None:
        whole = body
    else:
        whole = _gunzip(body, limit_bytes) if coding == "gzip" else _unzstd(body, limit_bytes)
    if len(whole) > limit_bytes:
        msg = f"the body is larger than {limit_bytes:,} bytes" + (f" after {coding}" if coding else "")
        raise OverLimitError(msg)
    return whole


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = limit_bytes + 1
    rest = body
    while left > 0:  # members may follow one another (RFC 1952 section 2.2)
        member = zlib.decompressobj(GZIP)
        try:
            parts.append(member.decompress(rest, left))
        except zlib.error as error:
            msg = f"the body is not gzip, as its Content-Encoding says: {error}"
            raise CompressionError(msg) from error
        left -= len(parts[-1])
        if not member.eof and left > 0:
            msg = "the gzip stream is cut short"
            raise CompressionError(msg, offset=len(body))
        rest = member.unused_data
        if not rest:
            break
    return b"".join(parts)


def _unzstd(body: bytes, limit_bytes: int) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
        try:
            return cast("bytes", stream.read(limit_bytes + 1))
        except OSError as error:
            msg = f"the body is not zstd, as its Content-Encoding says: {error}"
            raise CompressionError(msg) from error
