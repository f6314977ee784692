"""The matplotlib style: opaque, colour-blind safe, the same bytes each time."""

import matplotlib as mpl
import pytest

from workbench.display import new_axes, plain_text, use_style


@pytest.fixture
def restored():
    with mpl.rc_context():
        yield


@pytest.mark.usefixtures("restored")
def test_figures_are_opaque_and_take_the_safe_colours():
    use_style()
    assert mpl.rcParams["figure.facecolor"] == mpl.rcParams["savefig.facecolor"] == "white"
    colours = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert [colour.lstrip("#").upper() for colour in colours] == [
        "0072B2",
        "D55E00",
        "009E73",
        "CC79A7",
        "767676",
    ]
    assert mpl.rcParams["svg.hashsalt"] == "workbench"
    assert mpl.rcParams["figure.dpi"] == 96


@pytest.mark.usefixtures("restored")
def test_curves_are_told_apart_without_colour():
    use_style()
    styles = mpl.rcParams["axes.prop_cycle"].by_key()["linestyle"]
    assert len(set(styles[:4])) == 4


@pytest.mark.usefixtures("restored")
def test_axes_are_those_given_or_new_ones_in_the_style():
    mpl.use("agg")
    ax = new_axes(None, (9, 2))
    assert new_axes(ax) is ax
    assert mpl.rcParams["figure.facecolor"] == "white"
    assert ax.figure.get_size_inches().tolist() == [9, 2]
    mpl.pyplot.close("all")


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("name", ["GET /${id}/${x}", "$\\frac$", "$", "\\$", "$$", "a"])
def test_names_are_drawn_letter_by_letter(name):
    mpl.use("agg")
    ax = new_axes()
    drawn = ax.set_title(plain_text(name))
    ax.figure.canvas.draw()
    assert drawn._preprocess_math(drawn.get_text()) == (name, False)
    mpl.pyplot.close("all")


@pytest.mark.usefixtures("restored")
def test_names_that_begin_with_an_underscore_are_no_hidden_labels():
    mpl.use("agg")
    ax = new_axes()
    ax.plot([1], label=plain_text("_name"))
    ax.legend()
    ax.figure.canvas.draw()
    (label,) = ax.get_legend().get_texts()
    assert label.get_text().endswith("_name")
    assert len(label.get_text()) == len("_name") + 1
    mpl.pyplot.close("all")
