"""Colours that read on white and on JupyterLab's dark ``#111``, also where no theme reaches the picture.

Every colour here has a contrast of at least 3:1 (WCAG 2.2, 1.4.11) against both backgrounds, so its relative
luminance lies between 0.117 and 0.30. Within that band lightness cannot carry much, so hue does:
`CATEGORIES` begins with Okabe and Ito's blue, green and purple, and `RAMP` walks blue, violet, red, orange,
which stays ordered on the blue-yellow axis that red-green colour blindness leaves intact. Vermillion is
kept for errors and marks.
"""

__all__ = ["CATEGORIES", "GREY", "INK_DARK", "INK_LIGHT", "RAMP", "VERMILLION"]

INK_LIGHT = "#666666"  # text when the page is light or says nothing
INK_DARK = "#949494"  # text when the page says that it is dark
GREY = "#767676"
VERMILLION = "#D55E00"
CATEGORIES = ("#0072B2", "#009E73", "#CC79A7", "#A6761D", "#7A68C4", "#1590B0", "#5B8C00")
RAMP = ("#226FB3", "#5C64CC", "#8E55CC", "#B848B2", "#D44685", "#DE5555", "#D56F2C")
