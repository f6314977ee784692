"""Pictures: markup that survives sanitizers, stable bytes, and no way for text to become code."""

import base64
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.display import DisplayError, graph, heatmap, table, timeline

NASTY = [
    "<script>alert(1)</script>",
    "\" onload='x' & <b>",
    "]]>",
    "\x00\x08\x1b",
    "\ud800",
    "\u202eRTL \u05e2\u05d1\u05e8\u05d9\u05ea",
    "\ufffe",
    "two\nlines\t",
]
texts = st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=40))


def draw_timeline(words):
    return timeline(
        start_ns=[0, 10],
        duration_ns=[50, 20],
        parent=[-1, 0],
        label=words[:2],
        group=words[1:3],
        title=words[0],
    )


def draw_graph(words):
    edges = [(words[0], words[1]), (words[1], words[2])]
    return graph(
        edges,
        edge_label=words[:2],
        node_label={words[0]: words[1]},
        colour=[1, 2],
        width=[1, 2],
        width_name=words[2],
        colour_name=words[0],
        title=words[1],
        highlight=[words[2]],
    )


def draw_heatmap(words):
    return heatmap(
        [[1, 2]],
        x_edges=[0, 1, 2],
        y_edges=[0, 1],
        x_label=words[0],
        y_label=words[1],
        title=words[2],
        value_name=words[0],
        marks=[(0, 1, words[1])],
    )


DRAW = [draw_timeline, draw_graph, draw_heatmap]


@pytest.mark.parametrize("draw", DRAW)
@given(words=st.lists(texts, min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_well_formed_xml_without_code(draw, words):
    picture = draw(words)
    root = ET.fromstring(picture.svg.encode())
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        assert tag in {"svg", "style", "title", "g", "path", "rect", "text", "tspan"}
        assert not any(name.startswith("on") or "href" in name for name in element.attrib)
    html = picture._repr_mimebundle_()["text/html"]
    assert "<script" not in html
    ET.fromstring(re.sub(r"(<img [^>]*)>", r"\1/>", html).encode())
    assert "\n" not in picture.text
    picture.text.encode()


@pytest.mark.parametrize("draw", DRAW)
def test_nothing_outside_is_referenced(draw):
    svg = draw(["a", "b", "c"]).svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|href|url\(|@import|<script|\son\w+=", svg)


@pytest.mark.parametrize("draw", DRAW)
def test_pictures_in_one_page_do_not_share_ids_or_style_scopes(draw):
    one, other = draw(["a", "b", "c"]).svg, draw(["a", "b", "d"]).svg
    scopes = [set(re.findall(r"wb-[0-9a-f]{10}", svg)) for svg in (one, other)]
    assert [len(scope) for scope in scopes] == [1, 1]
    assert scopes[0] != scopes[1]
    assert not re.search(r"\sid=", one)
    style = re.search(r"<style>(.*?)</style>", one, re.DOTALL)[1]
    for rule in re.findall(r"([^{}@]+)\{[^{}]*\}", re.sub(r"@media\([^)]*\)\{", "", style)):
        assert all(part.strip().startswith(".wb-") for part in rule.split(",") if part.strip())


@pytest.mark.parametrize("draw", DRAW)
def test_a_picture_has_a_role_a_name_and_tips(draw):
    picture = draw(["a", "b", "c"])
    assert 'role="img"' in picture.svg
    assert f"<title>{picture.text}</title>" in picture.svg
    assert picture.svg.count("<title>") > 1
    assert repr(picture) == picture.text


def test_html_is_an_image_that_survives_sanitizers_and_empty_tips():
    """Nothing that a sanitizer strips leaves text behind."""
    html = draw_timeline(["a", "b", "c"])._repr_mimebundle_()["text/html"]
    assert re.sub(r"<[^>]*>", "", html).strip() == ""
    code = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)[1]
    inner = base64.b64decode(code).decode()
    assert inner.count("<title>") == 1  # images show no tips, so only the name is kept
    assert html.count('<span title="') == 2


def test_mime_types_can_be_chosen():
    picture = draw_graph(["a", "b", "c"])
    assert set(picture._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert set(picture._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(picture._repr_mimebundle_(exclude={"text/plain"})) == {"text/html"}


def test_a_picture_is_a_value():
    assert draw_graph(["a", "b", "c"]) == draw_graph(["a", "b", "c"])
    with pytest.raises(AttributeError):
        draw_graph(["a", "b", "c"]).svg = ""


def test_saving_writes_svg_or_a_page(tmp_path):
    picture = draw_timeline(["a", "b", "c"])
    picture.save(tmp_path / "trace.svg")
    picture.save(str(tmp_path / "trace.HTML"))
    assert (tmp_path / "trace.svg").read_bytes() == picture.svg.encode()
    assert picture.svg in (tmp_path / "trace.HTML").read_text()


@pytest.mark.parametrize("name", ["trace.png", "trace", "trace.svg.gz"])
def test_saving_under_another_suffix_names_those_that_work(tmp_path, name):
    with pytest.raises(DisplayError, match=r"\.svg or \.html"):
        draw_timeline(["a", "b", "c"]).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import hashlib, numpy as np
from workbench.display import timeline, graph, heatmap, table
r = np.random.default_rng(3)
n = 300
parent = np.array([-1, *(int(r.integers(0, i)) for i in range(1, n))])
words = [f"name {i % 7}" for i in range(n)]
groups = [f"group {i % 11}" for i in range(n)]
edges = [(f"n{a}", f"n{b}") for a, b in r.integers(0, 20, (60, 2))]
pictures = [
    timeline(start_ns=r.integers(0, 10**9, n), duration_ns=r.integers(0, 10**8, n), parent=parent,
             label=words, group=groups, error=r.random(n) < 0.1, critical=r.random(n) < 0.1, max_rows=60),
    graph(edges, colour=r.random(60), width=r.random(60), highlight={"n1", "n2"}, edge_label=words[:60]),
    heatmap(r.poisson(1, (20, 30)), x_edges=range(31), y_edges=np.geomspace(1, 9, 21),
            x_label="x", y_label="y"),
]
for p in pictures:
    print(p, hashlib.sha256((p.svg + p._repr_mimebundle_()["text/html"]).encode()).hexdigest())
print(table(["a", "b"], [[1, 2.5]])._repr_html_())
"""


def test_the_same_input_gives_the_same_bytes_in_every_process():
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert "timeline of 300 spans in 11 groups" in outputs[0]
    assert " at 0x" not in outputs[0]


def test_numbers_have_at_most_one_decimal():
    picture = timeline(
        start_ns=np.arange(0, 7000, 7),
        duration_ns=np.full(1000, 13),
        parent=np.arange(-1, 999),
        label=["s"] * 1000,
        group=["g"] * 1000,
    )
    numbers = re.findall(r' (?:x|y|width|height|d|viewBox)="([^"]*)"', picture.svg)
    assert len(numbers) > 400
    assert not any(re.search(r"\d\.\d\d", value) for value in numbers)


def test_tables_escape_their_cells():
    html = table(["<i>"], [["<script>"]], title="&")._repr_html_()
    assert "<script" not in html
    assert "<i>" not in html
