"""`CallSite`: where in the user's own code an exception came from.

The innermost frame is most often in a driver or in the standard library, and the same for every caller. The
innermost frame that is in neither, and not in workbench, is the line that a reader can change.
"""

import re
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from workbench.reliability.errors._causes import encodable

__all__ = ["UNKNOWN_SITE", "CallSite", "innermost", "site_of"]

CELL = re.compile(r".*ipykernel_\d+[/\\](\d+)\.py|<ipython-input-(\d+)-.*>")
LIBRARY = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|[/\\]node_modules[/\\]"
    r"|[/\\]lib(?:64)?[/\\]python\d[.\d]*[/\\]"
    r"|\A<(?:frozen|__array|attrs|decorator-gen|fused|workbench)\b",
    re.IGNORECASE,
)
HOMES = tuple(
    f"{Path(home).resolve()}/"
    for home in (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), Path(__file__).parents[2])
)


@dataclass(frozen=True, slots=True, order=True)
class CallSite:
    """A line of code.

    Attributes
    ----------
    file : str
        Its path; ``cell <number>`` in a notebook; empty where it is not known.
    line : int
        From 1; 0 where it is not known.
    function : str
    """

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        if not self.file:
            return "unknown"
        name = self.file.replace("\\", "/").rpartition("/")[2]
        return f"{name}:{self.line} {self.function}".rstrip()


UNKNOWN_SITE = CallSite("", 0, "")


def site_of(*exceptions: BaseException) -> CallSite:
    """Return the innermost line of the user's code that some exceptions passed, a cause after its effect."""
    return innermost(frame for exc in exceptions for frame in _frames(exc))


def innermost(frames: Iterable[CallSite]) -> CallSite:
    """Return the last of some frames, outermost first, that is no library's; where all are, the last."""
    own = last = UNKNOWN_SITE
    for frame in frames:
        last = frame
        if not is_library(frame.file):
            own = frame
    return _tidy(own if own.file else last)


@lru_cache(maxsize=4_096)
def is_library(path: str) -> bool:
    """Return whether a file belongs to the standard library, an installed package or workbench."""
    return bool(LIBRARY.search(path)) or path.startswith(HOMES)


def _frames(exc: BaseException) -> Iterable[CallSite]:
    step = exc.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        yield CallSite(code.co_filename, step.tb_lineno or 0, code.co_name)
        step = step.tb_next


def _tidy(site: CallSite) -> CallSite:
    """Return a site with the same name in every run: kernels put their process id into the paths of cells."""
    cell = CELL.fullmatch(site.file)
    file = f"cell {cell[1] or cell[2]}" if cell else encodable(site.file)
    return CallSite(file, site.line, site.function)
