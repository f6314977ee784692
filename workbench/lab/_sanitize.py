"""What is not compared inside a text: addresses in memory, and where on this machine files lie.

Nothing else is touched. Times, dates, versions and network addresses are results: a simulated ``12.5 ms``
that becomes ``12.6 ms`` is a failure. The same patterns serve the comparison (`patterns`, applied to both
sides) and the recording (`normalise`, which rewrites only what could never be compared: addresses and names
of cell files).
"""

import re
import tempfile
from pathlib import Path

__all__ = ["normalise", "patterns"]

_ALWAYS = {
    r"\bat 0x(?:[0-9a-fA-F]{8,16}\b|[0-9a-fA-F]+(?=>))": "at 0x...",
    r"(?:[^\s\"'<>]*/)?ipykernel_\d+/\d+\.py": "cell.py",
}


# Where Python, libraries, temporary files and people's homes lie, on whatever machine it was stored.
_ELSEWHERE = {
    r"(?<![\w./-])(?:/[\w.@+-]+)+/site-packages(?![\w-])": "<site-packages>",
    r"(?<![\w./-])(?:/[\w.@+-]+)+/lib/python3\.\d+(?=/)": "<python>",
    r"(?<![\w./-])(?:/private)?(?:/tmp|/var/folders/\w+/\w+/T)(?![\w-])": "<tmp>",
    r"(?<![\w./-])(?:/(?:home|Users)/[\w.-]+|/root)(?![\w-])": "~",
}


def patterns(notebook: Path, root: Path) -> dict[str, str]:
    """Return ``{regex: replacement}`` for the texts of a notebook, in the order in which they apply."""
    folders = {
        str(tempfile.gettempdir()): "<tmp>",
        str(notebook.parent): "<folder>",
        str(root): "<root>",
        str(Path.home()): "~",
    }
    longest_first = sorted(folders, key=len, reverse=True)
    places = {_folder(place): folders[place] for place in longest_first if len(place) > 1}
    places |= _ELSEWHERE
    return _ALWAYS | _moved(notebook.parent) | places | {r"<tmp>/tmp\w{8}\b": "<tmp>/..."}


def _moved(folder: Path) -> dict[str, str]:
    """Return the pattern of the notebook's folder wherever the project lay when it was recorded."""
    if len(folder.parts) < 3:
        return {}
    anywhere = r"(?<![\w./~-])(?:/[\w.@+-]+)+/"
    return {rf"{anywhere}{re.escape(folder.name)}(?![\w-])": "<folder>"}


def normalise(text: str) -> str:
    """Return `text` with addresses and names of cell files as they are stored.

    Examples
    --------
    >>> normalise("<object object at 0x7f3a5c0b2d10> after 12.5 ms")
    '<object object at 0x...> after 12.5 ms'
    """
    for pattern, replacement in _ALWAYS.items():
        text = re.sub(pattern, replacement, text)
    return text


def _folder(path: str) -> str:
    r"""Return a pattern of this folder as the start of a path: not ``/copy/home/ann``, not ``/home/anna``."""
    return rf"(?<![\w./-]){re.escape(path)}(?![\w-])"
