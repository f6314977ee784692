"""What a file's name says: how it is written, how it is compressed, and which signal it holds.

A name reads from the right: ``checkout-traces.otlp.zst`` is zstd around OTLP protobuf and says "traces".
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.otlp._schema import SIGNALS, Signal
from workbench.otlp.errors import UnknownFormatError

__all__ = [
    "COMPRESSIONS",
    "FORMATS",
    "Compression",
    "FileName",
    "Format",
    "TableLayout",
    "parse_name",
    "signal_in",
]

Format = Literal["protobuf", "json", "parquet", "arrow"]
Compression = Literal["gzip", "zstd"]
TableLayout = Literal["star", "flat"]

FORMATS: dict[str, Format] = {
    ".otlp": "protobuf",
    ".pb": "protobuf",
    ".binpb": "protobuf",
    ".protobuf": "protobuf",
    ".proto": "protobuf",
    ".bin": "protobuf",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".ipc": "arrow",
}
COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file's name says."""

    format: Format
    suffix: str  # of the format, such as ".jsonl"
    compression: Compression | None
    signal: Signal | None  # the one that it names, if it names exactly one


def parse_name(path: Path) -> FileName:
    """Return what a file's name says of its content, without opening it.

    Raises
    ------
    UnknownFormatError
        When it ends in nothing that is known; lists what is.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    inner = suffixes[:-1] if compression else suffixes
    if not inner or inner[-1] not in FORMATS:
        msg = (
            f"{path.name} ends in no known format; expected one of {' '.join(FORMATS)}, "
            "then nothing, .gz, .zst or .zstd"
        )
        raise UnknownFormatError(msg)
    found = FORMATS[inner[-1]]
    if compression and found in ("parquet", "arrow"):
        msg = f"{path.name}: a {inner[-1]} folder is compressed within its files; leave {suffixes[-1]} away"
        raise UnknownFormatError(msg)
    return FileName(found, inner[-1], compression, signal_in(path.name))


def signal_in(name: str) -> Signal | None:
    """Return the signal that a name says, if it says exactly one."""
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    named = [signal for signal in SIGNALS if signal in words]
    return named[0] if len(named) == 1 else None
