"""Which attributes go along with chosen spans, against counting by hand."""

import math

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from systems import System

from workbench import otlp
from workbench.otlp.analysis._contrast import contrast


def spans_with(values, key="region"):
    """Make one span for each value; None has no attribute."""
    system = System()
    for number, value in enumerate(values, 1):
        system.span("a", number, 1, **({} if value is None else {key.replace(".", "__"): value}))
    return otlp.Traces.from_otlp(system.message.SerializeToString())


def rows_of(explanation):
    return {(row["key"], row["value"]): row for row in explanation.table.to_pylist()}


def mutual_information(value, target):
    """Return sum of p(x, y) log2 p(x, y) / p(x) p(y), plainly."""
    total = 0.0
    for x in (True, False):
        for y in (True, False):
            joint = np.mean((value == x) & (target == y))
            if joint:
                total += joint * math.log2(joint / (np.mean(value == x) * np.mean(target == y)))
    return total


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(["eu", "us", None]), st.booleans()), min_size=16, max_size=60))
def test_shares_lift_information_and_p_are_those_of_the_table_of_two_by_two(pairs):
    values, chosen = [value for value, _ in pairs], np.array([mark for _, mark in pairs])
    found = rows_of(otlp.explain(spans_with(values), chosen))
    tested = {value for value in ("eu", "us") if values.count(value) >= 8}
    assert {value for key, value in found if key == "region"} == tested
    for value in tested:
        row, has = found["region", value], np.array([other == value for other in values])
        assert (row["targets"], row["others"]) == ((has & chosen).sum(), (has & ~chosen).sum())
        assert row["information"] == pytest.approx(mutual_information(has, chosen), abs=1e-9)
        if chosen.any() and not chosen.all():
            assert row["target_share"] == pytest.approx(has[chosen].mean())
            assert row["lift"] == pytest.approx(has[chosen].mean() / has.mean())
            if min(chosen.sum(), (~chosen).sum()) * min(has.mean(), 1 - has.mean()) < 9 and not has.all():
                cells = [
                    [(has & chosen).sum(), (~has & chosen).sum()],
                    [(has & ~chosen).sum(), (~has & ~chosen).sum()],
                ]
                assert row["p"] == pytest.approx(stats.fisher_exact(cells).pvalue)


def test_the_attribute_that_tells_most_comes_first(shop):
    values = ["eu"] * 30 + ["us"] * 30
    chosen = np.array([True] * 28 + [False] * 32)
    explanation = otlp.explain(spans_with(values), chosen)
    first = explanation.table.to_pylist()[0]
    assert (first["key"], first["value"], first["lift"]) == ("region", "eu", pytest.approx(2))
    assert repr(explanation).endswith("2 values differ; region=eu 100% against 6%")


def test_chosen_at_random_nothing_tells_them_apart():
    """Of twenty splits at random none is explained: the level is corrected for the number of values."""
    rng = np.random.default_rng(11)
    traces = spans_with([f"v{number}" for number in rng.integers(0, 10, 400)])
    for _ in range(20):
        explanation = otlp.explain(traces, rng.random(400) < 0.5)
        assert len(explanation.significant()) == 0
        assert "no attribute tells them apart" in repr(explanation)


def test_numbers_of_many_values_are_cut_at_their_quartiles():
    chosen = np.arange(100) >= 75
    explanation = otlp.explain(spans_with([float(n) for n in range(100)], "cart.total"), chosen)
    first = explanation.table.to_pylist()[0]
    assert (first["key"], first["value"]) == ("cart.total", "74.25 to 99")
    assert (first["target_share"], first["other_share"]) == (1, 0)
    few = otlp.explain(spans_with([n % 3 for n in range(60)], "retries"), np.arange(60) % 3 == 2)
    assert few.table.to_pylist()[0]["value"] == "2"


def test_ids_and_ports_are_not_asked_but_counted():
    explanation = otlp.explain(spans_with([f"order-{n}" for n in range(50)], "order.id"), np.arange(50) < 25)
    assert explanation.untested == ("order.id",)
    ports = otlp.explain(spans_with([n // 25 for n in range(50)], "client.port"), np.arange(50) < 25)
    assert "client.port" not in ports.table["key"].to_pylist()


def test_a_unit_has_the_attributes_of_all_its_spans():
    traces = spans_with(["eu", "us"] * 20)
    unit = np.arange(40) // 2
    table, _ = contrast([traces], unit, np.arange(20) < 10)
    found = {
        row["value"]: (row["targets"], row["others"]) for row in table.to_pylist() if row["key"] == "region"
    }
    assert found == {"eu": (10, 10), "us": (10, 10)}


def test_attributes_of_two_types_in_two_sets_are_compared_as_text():
    numbers, texts = spans_with([5] * 20), spans_with(["5"] * 10 + ["x"] * 10)
    table, _ = contrast([numbers, texts], np.arange(40), np.arange(40) >= 20)
    found = {
        row["value"]: (row["targets"], row["others"]) for row in table.to_pylist() if row["key"] == "region"
    }
    assert found == {"5": (10, 20), "x": (10, 0)}


def test_recorded_time_outs_are_explained(recording):
    calls = recording.filter(pc.equal(recording["name"], "POST"))
    timed_out = pc.equal(calls["error.type"], "ReadTimeout").fill_null(False)
    explanation = otlp.explain(calls, timed_out)
    assert "ReadTimeout" in explanation.significant()["value"].to_pylist()
    assert "error.type" in explanation._repr_html_()
    assert explanation.plot(most=4).get_title(loc="left") == "What tells them apart"
    assert len(explanation.to_pandas()) == len(explanation)


def test_a_mask_of_another_length_is_refused(shop):
    with pytest.raises(otlp.MaskError):
        otlp.explain(shop, [True])


def test_none_or_all_chosen_explain_nothing(shop):
    for chosen in (np.zeros(len(shop), bool), np.ones(len(shop), bool)):
        assert len(otlp.explain(shop, chosen).significant()) == 0
    empty = otlp.explain(shop.filter(np.zeros(len(shop), bool)), [])
    assert len(empty) == 0
    empty.plot()
