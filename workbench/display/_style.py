"""The matplotlib style of all curves: ``workbench.mplstyle``, which lies beside this file."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["new_axes", "plain_text", "use_style"]

ZERO_WIDTH_SPACE = "\u200b"


def use_style() -> None:
    """Apply the workbench style to every matplotlib figure of this session.

    Figures get an opaque white background, so they read on dark pages as well; lines take Okabe and Ito's
    blue, vermillion, green and purple, then grey, each with its own dashes.
    """
    from matplotlib import style  # noqa: PLC0415 - half a second that pictures in SVG need not pay

    style.use(Path(__file__).with_name("workbench.mplstyle"))


def new_axes(ax: "Axes | None" = None, size: tuple[float, float] | None = None) -> "Axes":
    """Return the axes given, or those of a new figure in the workbench style, `size` in inches."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt  # noqa: PLC0415 - half a second

    use_style()
    return plt.figure(figsize=size).subplots()


def plain_text(text: str) -> str:
    r"""Return a text that matplotlib shows letter by letter: a dollar sign in it begins no formula.

    Legends leave out labels that begin with an underscore, so a space of no width stands before it.

    Examples
    --------
    >>> print(plain_text("GET /basket/${id}/$x"))
    GET /basket/\${id}/\$x
    """
    shown = text.replace("$", r"\$")
    return f"{ZERO_WIDTH_SPACE}{shown}" if shown.startswith("_") else shown
