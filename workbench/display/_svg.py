"""Pieces of SVG as strings: escaping, numbers, text that fits, and the document around a body.

Text is measured without a font: widths are those of DejaVu Sans, the widest of the usual interface fonts,
so what fits here fits everywhere. Style rules are scoped to the document by a class made from its content,
so several pictures can stand inline in one page; no element has an id.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape as html_escape

from workbench.display import _palette as palette
from workbench.display._lines import one_line

__all__ = [
    "BOLD",
    "TITLE",
    "document",
    "escape",
    "fit",
    "number",
    "path",
    "rectangle",
    "text",
    "text_width",
    "titled",
]

FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,"DejaVu Sans",sans-serif'
ELLIPSIS = "…"
BOLD, TITLE = 13.7, 16.0  # sizes at which bold text of 12 and 14 pixels is measured
# Advance widths of U+0020 to U+007E in DejaVu Sans, hundredths of an em.
ASCII_WIDTHS = bytes.fromhex(
    "20282e54405f4e1b272732542024202240404040404040404040222254545435644445464d3f3a4d4b1d1d4238564b4f"
    "3c4f453f3d494463453d452722275432323d3f373f3e233f3f1c1c3a1c613f3d3f3f2934273f3b523b3b3440224054"
)
WIDE, NARROW, OTHER = 105, 0, 66

BASE_RULES = f"""\
&{{font:12px {FONT};color:{palette.INK_LIGHT};fill:currentColor;font-variant-numeric:tabular-nums}}
@media(prefers-color-scheme:dark){{&{{color:{palette.INK_DARK}}}}}
& .b{{font-weight:600}}
& .m{{fill:{palette.GREY};font-size:11px}}
& .x{{fill:{palette.VERMILLION}}}
& .r{{text-anchor:end}}
& .c{{text-anchor:middle}}
& .g{{fill:none;stroke:{palette.GREY};stroke-opacity:.3}}
& .z{{fill:{palette.GREY};fill-opacity:.07}}
& .s{{fill:none;stroke:currentColor;stroke-width:1.5}}
& .e{{fill:none;stroke:{palette.VERMILLION};stroke-width:2}}
"""


def escape(value: object) -> str:
    """Return a value as one line of XML text."""
    return html_escape(one_line(value))


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    rounded = f"{value:.1f}".removesuffix(".0")
    return "0" if rounded == "-0" else rounded


def text_width(value: str, size: float = 12) -> float:
    """Return the width of a text in pixels, rather too wide than too narrow."""
    return sum(map(_advance, value)) * size / 100


def fit(value: str, width: float, size: float = 12) -> str:
    """Return a text cut to a width in pixels, with an ellipsis where it was cut."""
    value = one_line(value)
    if text_width(value, size) <= width:
        return value
    room = width - text_width(ELLIPSIS, size)
    end = 0
    while end < len(value) and (room := room - _advance(value[end]) * size / 100) >= 0:
        end += 1
    return value[:end].rstrip() + ELLIPSIS


def text(x: float, y: float, value: str, classes: str = "") -> str:
    """Return a text element whose baseline starts (or ends, or is centred, by class) at a point."""
    return f'<text{_class(classes)} x="{number(x)}" y="{number(y)}">{escape(value)}</text>'


def rectangle(  # noqa: PLR0913 - a rectangle has four numbers
    x: float, y: float, width: float, height: float, classes: str = "", radius: float = 0
) -> str:
    """Return a rectangle element."""
    size = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    corner = f' rx="{number(radius)}"' if radius else ""
    return f"<rect{_class(classes)} {size}{corner}/>"


def path(steps: Iterable[str], classes: str = "") -> str:
    """Return a path element of the given steps, or nothing when there are none."""
    joined = "".join(steps)
    return f'<path{_class(classes)} d="{joined}"/>' if joined else ""


def titled(tip: str, *parts: str, classes: str = "") -> str:
    """Return a group with a tooltip."""
    return f"<g{_class(classes)}><title>{escape(tip)}</title>{''.join(parts)}</g>"


def document(
    body: Sequence[str], *, width: float, height: float, title: str, rules: Sequence[str] = ()
) -> str:
    """Return a complete SVG document; in ``rules``, ``&`` stands for the document itself."""
    style = BASE_RULES + "\n".join(rules)
    inside = f"<title>{escape(title)}</title>" + "\n".join(part for part in body if part)
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    content = f"{size}{style}{inside}"
    name = "wb-" + hashlib.sha256(content.encode()).hexdigest()[:10]
    label = f'role="img" aria-label="{escape(title)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" {label} {size}>\n'
        f"<style>{style.replace('&', '.' + name)}</style>\n{inside}\n</svg>\n"
    )


def _class(classes: str) -> str:
    return f' class="{classes}"' if classes else ""


def _advance(character: str) -> int:
    """Return the width of a character in hundredths of an em."""
    if " " <= character <= "~":
        return ASCII_WIDTHS[ord(character) - 32]
    if unicodedata.east_asian_width(character) in "WF":
        return WIDE
    return NARROW if unicodedata.combining(character) else OTHER
