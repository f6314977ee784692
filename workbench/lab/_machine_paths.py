r"""Machine paths: absolute paths that exist on one machine, told apart from routes, URLs and portable paths.

A path is a machine path if it starts with a folder that people or systems keep their files in
(``/home/ann/``, ``/tmp/x``, ``C:\Users``), if it is a ``file://`` address, or if it lies in a folder of this
machine that the notebook could know: its own, those above it, the home folder, this Python. ``/checkout``,
``/v1/traces``, ``https://host/tmp/x``, ``/dev/null`` and ``./data/x.csv`` are none.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["machine_paths"]

# Not inside a longer path, URL, word or closing tag.
_START = r"(?<![\w./:~%+<{}\])-])"
_REST = r"[\w./@+%=-]*"

_KNOWN = re.compile(
    _START
    + r"""(?:
        /(?:home|Users)/[\w.-]+/\w
      | /root/[\w.]
      | /tmp/\w
      | /private/(?:tmp|var)/\w
      | /var/(?:cache|folders|lib|log|run|spool|tmp|www)/\w
      | /(?:opt|mnt|media|Volumes)/\w
      | /usr/(?:bin|include|lib|lib64|libexec|local|sbin|share|src)/\w
    )"""
    + _REST,
    re.VERBOSE,
)
_WINDOWS = re.compile(
    r"(?<![\w\\/])[A-Z]:(?:\\{1,2}|/)(?:[A-Z]\w{2,}|tmp|temp|dev|src|work|data)\b[\w\\. -]*"
)
# The argument of a call that opens a file: any absolute path, drive or share, wherever it lies.
_OPENED = re.compile(
    r"""\b(?:open|Path|read_\w+|load\w*|savefig|to_(?:csv|json|parquet|excel|pickle)|chdir|listdir|glob)\(\s*
    [rbuf]*["'](?P<path>/(?!dev/null)[^"'\n]+|~/[^"'\n]*|[A-Za-z]:[\\/][^"'\n]*|\\\\[^"'\n]+)["']""",
    re.VERBOSE,
)
_FILE_URL = re.compile(r"\bfile:///?[\w~]" + _REST)
_ROUTE = re.compile(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT)\s+$")


def machine_paths(text: str, notebook: Path) -> Iterator[str]:
    """Yield the machine paths in `text`, in the order of their kinds.

    Examples
    --------
    >>> here = Path("notebooks/tour.ipynb")
    >>> list(machine_paths("read('/home/ann/x.csv'); get('/v1/traces'); get('https://host/tmp/x')", here))
    ['/home/ann/x.csv']
    """
    for pattern in (_KNOWN, _WINDOWS, _FILE_URL, _OPENED, _of_this_machine(notebook)):
        for match in pattern.finditer(text):
            if not _ROUTE.search(text[: match.start()][-10:]):
                yield match.groupdict().get("path") or match.group()


def _of_this_machine(notebook: Path) -> re.Pattern[str]:
    """Return the pattern of paths in folders of this machine that the notebook could know."""
    folder = notebook.absolute().parent
    homes = {folder, *folder.parents, folder.resolve(), Path.home(), Path(sys.prefix), Path(sys.base_prefix)}
    known = sorted((str(home) for home in homes if len(home.parts) > 2), key=len, reverse=True)
    places = "|".join(map(re.escape, known)) or r"(?!)"
    return re.compile(_START + rf"(?:{places})(?![\w.-])" + _REST)
