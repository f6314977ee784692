"""The matplotlib style of all curves: ``workbench.mplstyle``, which lies beside this file."""

from pathlib import Path

__all__ = ["use_style"]


def use_style() -> None:
    """Apply the workbench style to every matplotlib figure of this session.

    Figures get an opaque white background, so they read on dark pages as well; lines take Okabe and Ito's
    blue, vermillion, green and purple, then grey, each with its own dashes.
    """
    from matplotlib import style  # noqa: PLC0415 - half a second that pictures in SVG need not pay

    style.use(Path(__file__).with_name("workbench.mplstyle"))
