"""In a real browser: no text is cut off or meets another, and an image follows the page's colour scheme."""

from itertools import combinations

import numpy as np
import pytest

from workbench.display import graph, heatmap, timeline

MEASURE = """() => {
  const svg = document.querySelector("svg"), frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].map(t => {
    const box = t.getBoundingClientRect();
    const [x, y] = [frame.left, frame.top];
    return [t.textContent, box.left - x, box.top - y, box.right - x, box.bottom - y];
  }).concat([["", 0, 0, frame.width, frame.height]]);
}"""
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(chromium):
    with chromium.new_page(viewport={"width": 1200, "height": 800}) as page:
        yield page


def a_trace(**options):
    rng = np.random.default_rng(5)
    n = 260
    parent = [-1, *(int(rng.integers(max(0, i - 9), i)) for i in range(1, n))]
    return timeline(
        start_ns=np.sort(rng.integers(0, 10**10, n)),
        duration_ns=rng.integers(0, 10**9, n),
        parent=parent,
        label=[f"POST /api/{'MW' * int(k)}/{k}" for k in rng.integers(0, 12, n)],
        group=[f"service number {k}" for k in rng.integers(0, 30, n)],
        error=rng.random(n) < 0.05,
        critical=rng.random(n) < 0.05,
        title="The trace of a request that nobody expected to be this long, and then some more text " * 2,
        **options,
    )


def a_service_map():
    edges = [(f"service-{a}", f"service-{(a * 3 + k) % 14}") for a in range(14) for k in range(2)]
    return graph(
        edges,
        width=range(28),
        colour=np.geomspace(1, 900, 28),
        node_label={"service-3": "12 replicas, 4 of them new"},
        width_name="requests/s",
        colour_name="p99 latency (ms)",
        title="Services",
    )


def a_state_machine():
    edges = [("closed", "open"), ("open", "half-open"), ("half-open", "closed"), ("half-open", "open")]
    labels = ["5 failures", "after 30 s", "2 successes", "failure"]
    return graph([*edges, ("open", "open")], edge_label=[*labels, "call: rejected"], highlight=["open"])


def a_heat_map():
    counts = np.random.default_rng(2).poisson(2, (12, 60))
    return heatmap(
        counts,
        x_edges=np.linspace(0, 123456, 61),
        y_edges=np.geomspace(0.001, 50, 13),
        x_label="time since the start of the experiment (s)",
        y_label="latency of successful requests (s)",
        marks=[
            (20_000, 40_000, "the database is slow"),
            (30_000, 60_000, "retries"),
            (120_000, 123_456, "the end"),
        ],
    )


PICTURES = [a_trace, lambda: a_trace(width=480), a_service_map, a_state_machine, a_heat_map]
IDS = ["trace", "narrow trace", "service map", "state machine", "heat map"]


@pytest.mark.parametrize("draw", PICTURES, ids=IDS)
def test_texts_are_whole_and_apart(page, draw):
    page.set_content(f"<body style='margin:0'>{draw().svg}")
    *texts, (_, _, _, width, height) = page.evaluate(MEASURE)
    assert len(texts) > 3
    cut = [
        text
        for text, left, top, right, bottom in texts
        if left < 0 or top < 0 or right > width or bottom > height
    ]
    assert cut == []
    meeting = [
        (a[0], b[0])
        for a, b in combinations(texts, 2)
        if min(a[3], b[3]) - max(a[1], b[1]) > 1 and min(a[4], b[4]) - max(a[2], b[2]) > 4
    ]
    assert meeting == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_image_follows_the_colour_scheme_of_its_page(page, scheme):
    html = a_state_machine()._repr_mimebundle_()["text/html"]
    looks = []
    for page_scheme in (scheme, "light", "dark"):
        page.set_content(f"<body style='margin:0;color-scheme:{page_scheme}'>{html}")
        page.wait_for_function("document.querySelector('img').complete")
        looks.append(page.locator("img").screenshot())
    assert [looks[0] == look for look in looks[1:]] == [scheme == "light", scheme == "dark"]


def test_tips_lie_over_what_they_tell_of(page):
    picture = a_state_machine()
    page.set_content(f"<body style='margin:0'>{picture._repr_mimebundle_()['text/html']}")
    for tip in picture._tips:
        if " in, " in tip.text:
            point = [tip.x + tip.width / 2, tip.y + tip.height / 2]
            assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).title", point) == tip.text
