"""A picture: one SVG document, and the markup that shows it everywhere.

JupyterLab sanitizes ``text/html`` of notebooks that it does not trust, as every fresh clone is at first:
inline ``<svg>`` and ``<style>`` go, and their text stays behind as litter; GitHub does the same. An ``<img>``
with the SVG as a data URL survives. Inside an image no ``--jp-*`` variable is visible, but JupyterLab puts
``color-scheme`` on the page's body, browsers hand it down, and the picture's own ``prefers-color-scheme``
rule follows the theme.

An image shows no tooltips, so each `Tip` is laid over it as an empty element with a ``title``, placed in per
cent of the picture by the properties that JupyterLab's sanitizer keeps (``left`` and ``top``; not ``inset``).
Where a stricter one takes the placing away, elements without size remain: nothing is lost but the tips.
"""

import base64
import re
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

from workbench.display._svg import escape
from workbench.display.errors import DisplayError

__all__ = ["Picture", "Tip"]

LEAST_SCALE = 0.8  # a picture shrinks with its pane to this share of its size, then scrolls
INNER_TITLES = re.compile(r"(?<=>)<title>[^<]*</title>")
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{title}</title></head>
<body>
{svg}</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Tip:
    """A text that appears over one area of a picture, in pixels."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing that shows itself in notebooks and can be saved.

    Attributes
    ----------
    svg : str
        A complete SVG document with a transparent background, readable on light and dark pages.
    text : str
        One line that says what is drawn, with counts; the ``repr``.

    """

    svg: str
    text: str
    _tips: tuple[Tip, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return self.text

    def save(self, path: str | Path) -> None:
        """Write the picture to a file.

        Parameters
        ----------
        path : str or Path
            A name ending in ``.svg``, or in ``.html`` for a page that follows the reader's light or dark
            setting.

        Raises
        ------
        DisplayError
            If the name ends otherwise.

        """
        target = Path(path)
        pages = {".svg": self.svg, ".html": PAGE.format(title=escape(self.text), svg=self.svg)}
        content = pages.get(target.suffix.lower())
        if content is None:
            msg = f"cannot save a picture as {target.name!r}: give a name that ends in .svg or .html"
            raise DisplayError(msg)
        target.write_text(content, encoding="utf-8", newline="\n")

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        bundle = {"text/html": self._html(), "text/plain": self.text}
        return {
            mime: data
            for mime, data in bundle.items()
            if (not include or mime in include) and not (exclude and mime in exclude)
        }

    def _html(self) -> str:
        """Return the picture as an image with its tips over it."""
        width, height = self._size()
        code = base64.b64encode(INNER_TITLES.sub("", self.svg).encode()).decode()
        image = f'<img src="data:image/svg+xml;base64,{code}" width="{width:g}" alt="{escape(self.text)}">'
        tips = "".join(_tip_html(tip, width, height) for tip in self._tips)
        style = f"position:relative;display:inline-block;max-width:100%;min-width:{LEAST_SCALE * width:.0f}px"
        return f'<div style="{style}">{image}{tips}</div>'

    def _size(self) -> tuple[float, float]:
        found = re.search(r'width="([\d.]+)" height="([\d.]+)"', self.svg)
        return (float(found[1]), float(found[2])) if found else (1.0, 1.0)


def _tip_html(tip: Tip, width: float, height: float) -> str:
    """Return an empty element that covers the area of a tip, in per cent of the picture."""
    box = {
        "left": tip.x / width,
        "top": tip.y / height,
        "width": tip.width / width,
        "height": tip.height / height,
    }
    place = ";".join(f"{side}:{round(100 * share, 2):g}%" for side, share in box.items())
    return f'<span title="{escape(tip.text)}" style="position:absolute;{place}"></span>'
