"""Estimates are right on average, and their intervals hold the truth as often as they say."""

import itertools
import math

import matplotlib as mpl
import numpy as np
import pytest

from workbench import otlp
from workbench.otlp import EstimateError, Sampled, TailSampler, estimate
from workbench.otlp import policies as p
from workbench.otlp.sampling._clusters import Clusters
from workbench.otlp.sampling._intervals import total_interval

mpl.use("agg")
Z = 1.959963984540054


def some_of(traces, keep, weight):
    """Return the traces of which `keep` is true, each span of trace t standing for `weight[t]`."""
    trace = traces.structure.trace
    kept = np.asarray(keep)[trace]
    return Sampled(traces.filter(kept), np.asarray(weight, float)[trace[kept]], len(traces), len(keep), 10.0)


@pytest.fixture
def system_of_eight(system, tmp_path):
    """Eight traces of 1 to 8 spans in two services; every third fails, and trace n lasts n seconds."""
    for n in range(1, 9):
        for at in range(n):
            system.span(("a", "b")[at % 2], n, n * 10 + at, at_ms=n, ms=1000 * n + at, error=n % 3 == 0)
    return system.traces(tmp_path)


def test_an_unsampled_recording_is_the_truth(system_of_eight):
    found = estimate(system_of_eight, "service.name").to_pandas().set_index("service.name")
    assert found["count"].to_dict() == {"a": 20.0, "b": 16.0}
    assert (found["count"] == found["count_low"]).all()
    assert (found["error_ratio_low"] == found["error_ratio_high"]).all()
    durations = system_of_eight.structure.duration / 1e6
    whole = estimate(system_of_eight, quantiles=(0.25, 0.5, 0.9)).to_pandas().iloc[0]
    for q in (0.25, 0.5, 0.9):
        exact = np.quantile(durations, q, method="inverted_cdf")
        assert [whole[f"p{100 * q:g}_ms{end}"] for end in ("", "_low", "_high")] == [exact] * 3
    assert whole["rate_hz"] == 36 / whole_seconds(system_of_eight)


def whole_seconds(traces):
    first, last = traces.time_range()
    return (last - first).total_seconds()


def test_totals_and_their_variances_are_unbiased_over_all_samples(system_of_eight):
    """Exhaustively: all 256 samples of eight traces, each with its own probability, weighted by it."""
    trace = system_of_eight.structure.trace
    pi = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 1.0])
    mean = square = variance = 0.0
    for keep in itertools.product([False, True], repeat=8):
        chance = np.prod(np.where(keep, pi, 1 - pi))
        spans = np.flatnonzero(np.array(keep)[trace])
        clusters = Clusters(trace[spans], 1 / pi[trace[spans]])
        mean += chance * clusters.total()
        square += chance * clusters.total() ** 2
        variance += chance * clusters.variance_of_all
    assert mean == pytest.approx(36)
    assert variance == pytest.approx(square - mean**2)


def test_whole_traces_are_counted_as_one(system_of_eight):
    """Spans of one trace say less than as many spans of many traces: the interval is wider."""
    found = some_of(system_of_eight, [True, False] * 4, np.full(8, 2))
    row = estimate(found).to_pandas().iloc[0]
    spans = int(row["spans"])
    alone = Clusters(np.arange(spans), np.full(spans, 2.0))
    clustered = row["count_high"] - row["count_low"]
    ends = total_interval(alone.total(), alone.variance_of_all, 0, Z)
    assert clustered > 1.5 * (ends[1] - ends[0])


def test_groups_selections_and_values(system_of_eight):
    found = some_of(system_of_eight, [True] * 8, np.full(8, 3))
    by_two = estimate(found, ["service.name", "kind"])
    assert by_two.table.column_names[:4] == ["service.name", "kind", "spans", "traces"]
    assert repr(by_two) == "Estimates: 2 groups by service.name, kind, 95% intervals"
    assert repr(estimate(found)) == "Estimates: all spans, 95% intervals"
    roots = estimate(found, of="roots").to_pandas().iloc[0]
    assert (roots["spans"], roots["count"], roots["rate_hz"]) == (36, 108, 10.8)
    failed = found.traces.structure.error
    errors = estimate(found, where=failed).to_pandas().iloc[0]
    assert (errors["count"], errors["error_ratio"]) == (27, 1)
    kinds = estimate(found, value="kind", quantiles=(0.5,)).to_pandas().iloc[0]
    assert kinds["p50"] == 2
    assert len(estimate(found, where=failed & ~failed)) == 0
    narrow, wide = (estimate(found, confidence=c).to_pandas().iloc[0] for c in (0.5, 0.99))
    assert wide["count_low"] < narrow["count_low"] < narrow["count_high"] < wide["count_high"]


def test_values_may_be_negative_where_the_sample_cannot_tell_the_least(system, tmp_path):
    for n in range(1, 9):
        system.span("a", n, n, level=float(n))
    found = some_of(system.traces(tmp_path), [True] * 8, np.full(8, 50))
    row = estimate(found, value="level", quantiles=(0.01,)).table.to_pylist()[0]
    assert (row["p1"], row["p1_low"]) == (1.0, -math.inf)
    assert estimate(found, quantiles=(0.01,)).table["p1_ms_low"].to_pylist() == [0.0]


def test_groups_whose_names_read_alike_are_drawn_apart(system, tmp_path):
    system.span("a b", 1, 1, name="c")
    system.span("a", 2, 2, name="b c")
    assert len(estimate(system.traces(tmp_path), ["service.name", "name"]).plot().get_yticklabels()) == 2


def test_a_missing_label_is_a_group_of_its_own(shop):
    found = estimate(shop, "http.route").to_pandas()
    assert found["count"].sum() == 25
    assert found["http.route"].isna().sum() == 1


def test_thresholds_in_the_tracestate_are_understood(shop):
    found = otlp.ConsistentProbability(0.5)(shop)
    assert estimate(found).to_pandas()["count"].sum() == 2 * len(found)


def test_unknown_adjusted_counts_are_refused_unless_told(shop):
    limited = TailSampler((p.RateLimiting(10),)).sample(shop)
    with pytest.raises(EstimateError, match="25 of 25 spans have no adjusted count: a limiter kept them"):
        estimate(limited)
    assert estimate(limited, unknown="one").to_pandas()["count"].sum() == 25


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": "traces"}, "of is one of spans, entries, roots"),
        ({"confidence": 1}, "confidence is more than 0"),
        ({"quantiles": (0.5, 1)}, "quantiles are more than 0"),
        ({"value": "name"}, "value is a numeric column"),
    ],
)
def test_questions_without_sense_are_refused(shop, settings, message):
    with pytest.raises(EstimateError, match=message):
        estimate(shop, **settings)
    with pytest.raises(otlp.UnknownKeyError):
        estimate(shop, "no such key")


def test_estimates_draw_themselves(system_of_eight):
    found = estimate(some_of(system_of_eight, [True] * 8, np.full(8, 30)), "service.name")
    assert "p99_ms" in found._repr_html_()
    ax = found.plot("p99_ms", truth=estimate(system_of_eight, "service.name"))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert found.plot().get_xlabel() == "count"
    nothing = estimate(system_of_eight.filter(np.zeros(len(system_of_eight), bool)))
    assert nothing.plot().get_yticklabels() == []
    with pytest.raises(EstimateError, match="nothing called 'p1'"):
        found.plot("p1")
    mpl.pyplot.close("all")


@pytest.fixture(scope="module")
def checkout():
    return otlp.read("datasets/checkout/traces.otlp.zst")


SAMPLES = 150


@pytest.mark.slow
@pytest.mark.parametrize("design", ["head", "tail"])
@pytest.mark.parametrize("of", ["roots", "spans"])
def test_intervals_of_95_percent_hold_the_truth_in_about_95_percent(checkout, design, of):
    """At 20 percent, over 150 seeded samples of the recorded shop, by whole traces.

    Allowed is 95 percent give or take one point for the approximation and 2.6 standard deviations of a
    binomial count of 150, which is 0.046; and the mean estimate of the count within 4 standard errors.
    """
    trace, duration = checkout.structure.trace, checkout.structure.duration[checkout.structure.root]
    certain = np.zeros(len(duration), bool)
    if design == "tail":
        certain[trace[checkout.structure.error]] = True
        certain |= duration > 300e6
    weight = np.where(certain, 1.0, 5.0)
    truth = estimate(checkout, of=of, quantiles=(0.5, 0.9)).to_pandas().iloc[0]
    measures = ("count", "error_ratio", "p50_ms", "p90_ms")
    rng = np.random.default_rng(20)
    rows = [
        estimate(
            some_of(checkout, certain | (rng.random(len(certain)) < 0.2), weight), of=of, quantiles=(0.5, 0.9)
        ).table.to_pylist()[0]
        for _ in range(SAMPLES)
    ]
    for name in measures:
        held = np.mean([row[f"{name}_low"] <= truth[name] <= row[f"{name}_high"] for row in rows])
        assert abs(held - 0.95) <= 0.01 + 2.6 * math.sqrt(0.95 * 0.05 / SAMPLES), name
    counts = np.array([row["count"] for row in rows])
    assert abs(counts.mean() - truth["count"]) < 4 * counts.std() / math.sqrt(SAMPLES)


@pytest.mark.parametrize("key", ["count", "spans", "traces", "p50_ms", "rate_hz_high"])
def test_an_attribute_named_like_an_estimate_stays_apart(key, system, tmp_path):
    for number in (1, 2, 3):
        system.span("a", number, number, **{key: "few" if number < 3 else "one"})
    found = estimate(system.traces(tmp_path), key)
    labels = found.table[f"attributes.{key}"].to_pylist()
    assert found.by == (f"attributes.{key}",)
    assert dict(zip(labels, found.table["count"].to_pylist(), strict=True)) == {"few": 2.0, "one": 1.0}
    assert "few" in found._repr_html_()
    assert [text.get_text() for text in found.plot().get_yticklabels()] == ["few", "one"]


def test_no_label_is_lost_nor_taken_for_an_estimate(system, tmp_path):
    system.span("a", 1, 1, **{"count": "short", "attributes.count": "long", "x": "x", "x_low": "low"})
    found = estimate(system.traces(tmp_path), ["count", "attributes.count", "x", "x_low"])
    assert found.by == ("attributes.attributes.count", "attributes.count", "x", "x_low")
    assert [found.table[name].to_pylist() for name in found.by] == [["short"], ["long"], ["x"], ["low"]]
    assert found.measures == ["count", "rate_hz", "error_ratio", "p50_ms", "p99_ms"]
    assert "low" in found._repr_html_()
