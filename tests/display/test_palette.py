"""Every colour in every picture reads on white and on JupyterLab's dark background."""

import re
from itertools import pairwise

import pytest

from workbench.display import _palette as palette
from workbench.display import graph, heatmap, timeline

BACKGROUNDS = ("#ffffff", "#111111")
HALOES = {"#fff", "#111"}  # the page's own colour around text, one rule for each theme


def luminance(colour):
    """Return the relative luminance of WCAG 2.2."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def used_colours():
    pictures = [
        timeline(
            start_ns=range(9),
            duration_ns=[1] * 9,
            parent=[-1] * 9,
            label=["a"] * 9,
            group=list("abcdefghi"),
            error=[True] * 9,
            critical=[True] * 9,
        ),
        graph([("a", "b")] * 9, colour=range(9), highlight=["a"], edge_label=["x"] * 9),
        heatmap([range(9)], x_edges=range(10), y_edges=[0, 1], x_label="x", y_label="y", marks=[(0, 1, "m")]),
    ]
    found = {colour for picture in pictures for colour in re.findall(r"#[0-9A-Fa-f]{3,8}\b", picture.svg)}
    return sorted(found - HALOES)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_every_colour_used_has_three_to_one(background):
    colours = used_colours()
    assert len(colours) >= len(palette.CATEGORIES) + len(palette.RAMP)
    assert {
        colour: round(contrast(colour, background), 2)
        for colour in colours
        if contrast(colour, background) < 3
    } == {}


def test_text_has_four_and_a_half_to_one_where_the_theme_is_known():
    assert contrast(palette.INK_LIGHT, "#ffffff") > 4.5
    assert contrast(palette.INK_DARK, "#111111") > 4.5
    assert contrast(palette.GREY, "#ffffff") > 4.5


def test_no_colour_has_two_meanings():
    assert palette.VERMILLION not in {*palette.CATEGORIES, palette.GREY}
    assert len(set(palette.CATEGORIES)) == len(palette.CATEGORIES)


def test_the_ramp_gets_steadily_lighter():
    lights = [luminance(colour) for colour in palette.RAMP]
    assert all(a < b for a, b in pairwise(lights))
