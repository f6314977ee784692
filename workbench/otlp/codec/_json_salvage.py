"""What is left of a JSON document when each record that is not OTLP is left out.

Runs only after a failure: it is slow.
"""

import json
from collections.abc import Iterator
from typing import Any

from workbench.otlp._schema import Signal
from workbench.otlp.codec._json_transcode import parse_json
from workbench.otlp.codec._official import RECORD_PATHS
from workbench.otlp.codec._salvage import Salvaged
from workbench.otlp.errors import OtlpError

__all__ = ["salvage_json"]


def salvage_json(data: bytes, signal: Signal) -> Salvaged:
    """Return a document with the sound records; an empty one where the text is no JSON at all."""
    try:
        document = json.loads(data)
    except ValueError:
        return Salvaged(b"{}", 1)
    path = [_camel(name) for name in RECORD_PATHS[signal]]
    if not isinstance(document, dict):
        return Salvaged(b"{}", 1)
    kept, skipped = _sound(document, path, signal, lambda inner: inner)
    return Salvaged(json.dumps(kept).encode(), skipped)


def _sound(node: dict[str, Any], path: list[str], signal: Signal, wrap: Any) -> tuple[dict[str, Any], int]:
    """Return a node with the sound ones of its records; `wrap` makes a whole document of a node like it."""
    name, rest = path[0], path[1:]
    alone = {key: value for key, value in node.items() if key != name}
    if not _is_sound(wrap(alone), signal):
        return {}, max(1, _count(node, path))  # without its resource or scope a record says something else
    kept, skipped = [], 0
    for child in _children(node.get(name)):
        if rest and isinstance(child, dict):
            found, lost = _sound(child, rest, signal, lambda inner: wrap({**alone, name: [inner]}))
            skipped += lost
            if found or not child:
                kept.append(found)
        elif not rest and _is_sound(wrap({**alone, name: [child]}), signal):
            kept.append(child)
        else:
            skipped += 1
    return ({**alone, name: kept} if name in node else alone), skipped


def _count(node: Any, path: list[str]) -> int:
    """Return how many records a node holds, sound or not."""
    if not path or not isinstance(node, dict):
        return 1
    return sum(_count(child, path[1:]) for child in _children(node.get(path[0])))


def _children(value: Any) -> Iterator[Any]:
    return iter(value if isinstance(value, list) else [value] if value is not None else [])


def _is_sound(document: dict[str, Any], signal: Signal) -> bool:
    try:
        parse_json(signal, json.dumps(document).encode())
    except OtlpError:
        return False
    return True


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
