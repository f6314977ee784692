"""Names in recordings are anybody's: no picture of them may fail."""

import matplotlib as mpl
import pytest

from workbench import otlp
from workbench.otlp import policies as p

FORMULA = "$\\frac$ ${id}"


@pytest.fixture
def halves(system, tmp_path):
    """Forty requests before and forty after, slower and failing, all named like a broken formula."""
    for half, slower in enumerate((0, 50)):
        for number in range(40):
            trace = 40 * half + number + 1
            names = {"name": FORMULA, "key": f"{FORMULA}{half}", "$a_$": "x"}
            system.span(f"a{FORMULA}", trace, 3 * trace, ms=100 + slower, kind=3, **names)
            child = {"parent": 3 * trace, "at_ms": 1, "ms": 80 + slower + number % 7, "error": bool(half)}
            system.span(f"b{FORMULA}", trace, 3 * trace + 1, **child, **names)
    traces = system.traces(tmp_path)
    late = traces.structure.trace >= 40
    return traces.filter(~late), traces.filter(late)


DRAW = {
    "operations": lambda one, _: otlp.critical_paths(one).plot(),
    "flame": lambda one, _: otlp.critical_paths(one).flame(),
    "groups": lambda one, _: otlp.red(one, kinds=None).plot(),
    "keys": lambda one, _: otlp.red(one, "$a_$", kinds=None).plot(),
    "windows": lambda one, _: otlp.red(one, kinds=None, window_s=1.0).plot(),
    "comparison": lambda one, other: otlp.compare(one, other).plot(),
    "explanation": lambda one, other: otlp.compare(one, other).explain().plot(),
    "skew": lambda one, _: otlp.clock_skew(one).plot(),
    "estimates": lambda one, _: otlp.estimate(one, "service.name").plot(),
    "policies": lambda one, _: otlp.TailSampler((p.AlwaysSample(name=FORMULA),)).sample(one).plot(),
}


@pytest.mark.parametrize("picture", DRAW)
def test_names_like_formulas_are_drawn_as_they_are(halves, picture):
    figure = DRAW[picture](*halves).figure
    figure.canvas.draw()
    shown = [text.get_text() for text in figure.findobj(mpl.text.Text)]
    assert any("\\$" in text for text in shown)


@pytest.mark.parametrize(
    "draw",
    [
        lambda traces: otlp.critical_paths(traces).flame(),
        lambda traces: otlp.red(traces, "service.name", window_s=1.0).plot(),
    ],
    ids=["flame", "windows"],
)
def test_a_name_that_begins_with_an_underscore_is_in_the_legend(draw, system, tmp_path):
    system.span("_hidden", 1, 1)
    ax = draw(system.traces(tmp_path))
    ax.figure.canvas.draw()
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [label.strip("\u200b") for label in shown] == ["_hidden"]
