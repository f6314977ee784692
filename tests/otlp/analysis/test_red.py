"""RED metrics are counts, shares and bounded quantiles of the right spans, grouped by any attributes."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import otlp
from workbench.otlp import BinError, ExponentialHistogram, UnknownKeyError, red
from workbench.otlp.analysis import _groups
from workbench.otlp.analysis._groups import encode, group_rows
from workbench.otlp.analysis.red import measured

CHECKOUT = Path(__file__).parents[3] / "datasets" / "checkout"
START_S = 1_700_000_000
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.sampled_from([1, 2, None]),
        st.integers(-5, 10**12),
        st.booleans(),
        st.integers(0, 10 * 10**9),
    ),
    max_size=40,
)


def rows_of(found, *names):
    return [tuple(row[name] for name in names) for row in found.to_arrow().to_pylist()]


def test_requests_are_counted_by_service_and_span_name(shop):
    found = red(shop)
    assert rows_of(found, "service.name", "span.name", "count", "errors") == [
        ("shop", "POST /checkout", 5, 0),
        ("stock", "stock work", 5, 0),
        ("pay", "pay work", 5, 1),
    ]
    assert found.seconds == pytest.approx(4.5)
    assert rows_of(found, "rate_per_s")[0][0] == pytest.approx(5 / 4.5)
    assert rows_of(found, "error_ratio")[2] == (0.2,)
    assert repr(found) == "Red: 3 rows by service.name, span.name, 15 spans in 4.5 s"


def test_durations_are_the_histogram_of_their_seconds(shop):
    found = red(shop)
    assert found.histogram(0) == ExponentialHistogram.of([0.1] * 4 + [0.5])
    assert found.histogram({"service.name": "stock"}).count == 5
    assert found.histogram().count == 15
    row = found.to_arrow().to_pylist()[0]
    assert (row["duration_min_s"], row["duration_max_s"]) == (0.1, 0.5)
    assert row["duration_sum_s"] == pytest.approx(0.9)
    assert (row["p50_s"], row["p50_lower_s"], row["p50_upper_s"]) == found.histogram(0).quantile(0.5)
    assert row["p50_lower_s"] <= 0.1 <= row["p50_upper_s"]


def test_any_attribute_groups_and_a_missing_one_is_a_group(shop):
    found = red(shop, ("http.route", "status.code"), kinds=None)
    assert set(rows_of(found, "http.route", "status.code", "count")) == {
        (None, 0, 13),
        (None, 2, 2),
        ("/checkout", 0, 5),
        ("/reserve", 0, 5),
    }
    assert rows_of(red(shop, "amount"), "amount", "count")[0] == (None, 10)


def test_kinds_choose_the_spans(shop):
    assert rows_of(red(shop, "kind", kinds="client"), "kind", "count") == [(3, 10)]
    assert rows_of(red(shop, "span.kind", kinds=["SPAN_KIND_SERVER"]), "span.kind", "count") == [(2, 15)]
    assert rows_of(red(shop, (), kinds=None), "count") == [(25,)]
    with pytest.raises(ValueError, match="no kind of span is called 'SERVANT': there are UNSPECIFIED"):
        red(shop, kinds=["SERVANT"])


def test_windows_begin_at_multiples_of_their_length(shop):
    found = red(shop, "service.name", window_s=2.0)
    assert [
        (name, at.timestamp() - START_S, count)
        for name, at, count in rows_of(found, "service.name", "window_start", "count")
    ] == [(name, at, count) for name in ("shop", "stock", "pay") for at, count in ((0, 1), (2, 2), (4, 2))]
    assert rows_of(found, "rate_per_s")[1] == (1.0,)
    assert "spans in windows of 2 s" in repr(found)


def test_weights_estimate_what_all_spans_would_have_given():
    rng = np.random.default_rng(4)
    n = 40_000
    starts = START_S * 10**9 + np.sort(rng.integers(0, 100 * 10**9, n))
    durations = np.exp(rng.normal(16, 1, n)).astype(np.int64)
    failed, service = rng.random(n) < 0.1, rng.integers(0, 3, n)
    chance = np.where(failed, 1.0, 0.25)  # errors are always kept, the rest one time in four
    kept = rng.random(n) < chance
    codes = encode(pa.array(service))
    everything = measured({"s": codes}, starts, durations, failed).to_pandas().set_index("s")
    sampled = measured(
        {"s": encode(pa.array(service[kept]))}, starts[kept], durations[kept], failed[kept], 1 / chance[kept]
    )
    table = sampled.to_pandas().set_index("s").loc[everything.index]
    assert table["errors"].tolist() == everything["errors"].tolist()
    for name, tolerance in (("count", 0.03), ("error_ratio", 0.03), ("duration_sum_s", 0.05), ("p90_s", 0.1)):
        assert (table[name] / everything[name] - 1).abs().max() < tolerance
    unweighted = measured({}, starts[kept], durations[kept], failed[kept]).to_pandas()
    assert unweighted["error_ratio"][0] > 2 * everything["error_ratio"].max()


def test_weights_follow_the_spans_that_are_chosen(shop):
    weights = np.arange(1.0, len(shop) + 1)
    found = red(shop, "kind", kinds=["CLIENT"], weights=weights)
    clients = shop["kind"].to_numpy() == 3
    assert rows_of(found, "count") == [(weights[clients].sum(),)]
    for wrong in (weights[1:], -weights, np.full(len(shop), np.nan)):
        with pytest.raises(ValueError, match=r"weights must be 25 positive, finite numbers, one a span"):
            red(shop, weights=wrong)


@given(rows=ROWS, window=st.sampled_from([None, 2.5]))
def test_every_group_is_that_of_pandas(rows, window):
    a, b, durations, failed, starts = ([row[k] for row in rows] for k in range(5))
    starts = np.array(starts, np.int64) + START_S * 10**9
    durations = np.array(durations, np.int64)
    columns = {
        "a": encode(pa.array(a, pa.string())),
        "b": encode(pa.chunked_array([pa.array(b, pa.int64())])),
    }
    found = measured(columns, starts, durations, np.array(failed, np.bool_), window_s=window)
    seconds = np.maximum(durations, 0) / 1e9
    frame = pd.DataFrame({"a": a, "b": pd.array(b, "Int64"), "s": seconds, "e": failed})
    keys = ["a", "b"]
    if window:
        frame["w"] = starts // int(window * 1e9) * int(window * 1e9)
        keys.append("w")
    groups = frame.groupby(keys, dropna=False)
    assert len(found) == groups.ngroups
    assert found.backwards == int((durations < 0).sum())
    wanted = {tuple(None if pd.isna(k) else k for k in key): part for key, part in groups}
    for at, row in enumerate(found.to_arrow().to_pylist()):
        key = (row["a"], row["b"])
        if window:
            key = (*key, found.table["window_start"].cast(pa.int64())[at].as_py())
        part = wanted[key]
        assert (row["count"], row["errors"]) == (len(part), part["e"].sum())
        histogram = ExponentialHistogram.of(part["s"])
        ours = found.histogram(at)
        assert ours.sum == pytest.approx(histogram.sum, rel=1e-12)
        for name in ("scale", "positive", "zero_count", "min", "max", "count"):
            assert getattr(ours, name) == getattr(histogram, name)
        for name, q in (("p50", 0.5), ("p99", 0.99)):
            quantile = (row[f"{name}_s"], row[f"{name}_lower_s"], row[f"{name}_upper_s"])
            assert quantile == pytest.approx(tuple(histogram.quantile(q)), rel=1e-12)
        span = window or (float((starts + np.maximum(durations, 0)).max() - starts.min()) / 1e9)
        assert (
            math.isnan(row["rate_per_s"])
            if not span
            else row["rate_per_s"] == pytest.approx(len(part) / span)
        )


@given(rows=ROWS)
def test_groups_too_many_for_digits_are_hashed_to_the_same(rows):
    columns = [encode(pa.array([row[k] for row in rows], pa.string() if k == 0 else None)) for k in (0, 1, 2)]
    dense = group_rows(columns, len(rows))
    before, _groups.DENSE = _groups.DENSE, -1
    try:
        hashed = group_rows(columns, len(rows)) if rows else dense
    finally:
        _groups.DENSE = before
    pairs = set(zip(dense.ids.tolist(), hashed.ids.tolist(), strict=True))
    assert len(pairs) == len(set(dense.ids.tolist())) == len(set(hashed.ids.tolist()))
    for groups in (dense, hashed):
        for column, codes in zip(columns, groups.members, strict=True):
            assert (codes[groups.ids] == column.codes).all()


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["x", None, "y", "x"]),
        pa.array(["x", None, "y", "x"]).dictionary_encode(),
        pa.array(["x", None, "y", "x"]).dictionary_encode(null_encoding="encode"),
        pa.DictionaryArray.from_arrays(pa.array([0, 3, 1, 2], pa.int8()), pa.array(["x", "y", "x", None])),
        pa.DictionaryArray.from_arrays(
            pa.array([0, None, 1, 2], pa.uint16()), pa.array(["x", "y", "x", None])
        ),
        pa.chunked_array(
            [pa.array(["x", None]).dictionary_encode(), pa.array(["y", "x"]).dictionary_encode()]
        ),
        pa.chunked_array([pa.array(["x", None]), pa.array(["y", "x"])]),
    ],
)
def test_a_column_of_any_encoding_has_one_code_for_each_value(column):
    coded = encode(column)
    values = coded.distinct.to_pylist()
    assert [values[code] for code in coded.codes] == ["x", None, "y", "x"]
    assert len(set(values)) == len(values)
    assert coded.codes.dtype == np.int32


@pytest.mark.parametrize("column", [pa.nulls(3), pa.array([1.5, 1.5, None]), pa.array([True, False, None])])
def test_a_column_of_any_type_can_be_encoded(column):
    coded = encode(column)
    assert [coded.distinct[code].as_py() for code in coded.codes] == column.to_pylist()


@pytest.mark.parametrize("window", [None, 1.0])
def test_nothing_gives_no_rows_and_the_same_columns(shop, window):
    nothing = shop.filter([False] * len(shop))
    found = red(nothing, ("service.name", "amount"), window_s=window)
    assert len(found) == 0
    assert (
        found.to_pandas().columns.tolist()
        == red(shop, ("service.name", "amount"), window_s=window).to_pandas().columns.tolist()
    )
    assert "0 rows" in repr(found)
    assert "<table" in found._repr_html_()
    with pytest.raises(KeyError, match="there are no rows"):
        found.histogram()


def test_spans_without_a_start_are_left_out_and_counted(system, tmp_path):
    system.span("shop", 1, 1)
    system.span("shop", 1, 2).start_time_unix_nano = 0
    system.span("shop", 1, 3, ms=-5)
    found = red(system.traces(tmp_path), "service.name")
    assert rows_of(found, "count", "duration_min_s") == [(2, 0.0)]
    assert (found.unstarted, found.backwards) == (1, 1)
    assert repr(found).endswith("1 without a start, 1 backwards")


def test_an_attribute_named_like_a_measure_stays_apart(system, tmp_path):
    system.span("shop", 1, 1, errors="many")
    found = red(system.traces(tmp_path), "errors")
    assert rows_of(found, "attributes.errors", "errors") == [("many", 0)]
    assert found.histogram({"attributes.errors": "many"}).count == 1
    assert "many" in found._repr_html_()


def test_no_key_is_lost_to_another_that_is_called_as_it_would_be(system, tmp_path):
    system.span("shop", 1, 1, **{"count": "short", "attributes.count": "long"})
    found = red(system.traces(tmp_path), ["count", "attributes.count"])
    assert found.by == ("attributes.attributes.count", "attributes.count")
    assert rows_of(found, *found.by, "count") == [("short", "long", 1)]


def test_impossible_questions_are_refused(shop):
    with pytest.raises(UnknownKeyError, match=r"service\.name"):
        red(shop, "service.nane")
    for window in (0, -1.0, math.nan, 1e-12):
        with pytest.raises(BinError, match="window_s must be positive"):
            red(shop, window_s=window)
    with pytest.raises(BinError, match="more than 1,000,000"):
        red(shop, window_s=1e-6)
    found = red(shop)
    with pytest.raises(KeyError, match="no row has"):
        found.histogram({"service.name": "nobody"})
    with pytest.raises(KeyError, match="no column 'service'"):
        found.histogram({"service": "shop"})
    with pytest.raises(IndexError):
        found.histogram(3)
    with pytest.raises(ValueError, match="measure must be one of rate, errors, duration"):
        found.plot(measure="latency")


def test_it_shows_itself(shop):
    page = red(shop)._repr_html_()
    assert "POST /checkout" in page
    assert "20.00%" in page
    assert "more rows" not in page
    many = red(shop, ("trace_id", "span_id"), kinds=None)._repr_html_()
    assert "... 5 more rows" in many
    assert f">{1:032x}<" in many  # an id as hexadecimal digits


@pytest.mark.parametrize("measure", ["rate", "errors", "duration"])
@pytest.mark.parametrize("window", [None, 1.0])
def test_every_measure_can_be_drawn(shop, measure, window):
    from matplotlib import pyplot as plt

    for traces in (shop, shop.filter([False] * len(shop))):
        figure, ax = plt.subplots()
        found = red(traces, "service.name", window_s=window)
        assert found.plot(ax, measure=measure) is ax
        figure.canvas.draw()
        plt.close(figure)
    assert "service.name" in ax.get_title("left") + ax.get_title()  # the style of the session says where


def test_the_recording_gives_the_same_services_as_its_table(checkout):
    found = red(checkout, "service.name", kinds=None)
    counts = dict(rows_of(found, "service.name", "count"))
    assert counts == {row["service"]: row["spans"] for row in checkout.services().to_pylist()}


@pytest.fixture(scope="module")
def checkout():
    return otlp.read(CHECKOUT / "traces.otlp.zst")


def test_groups_whose_names_read_alike_are_drawn_apart(system, tmp_path):
    for number, (service, name) in enumerate((("a b", "c"), ("a", "b c"), ("a", "b c")), 1):
        system.span(service, number, number, at_ms=2000 * number, name=name)
    ax = red(system.traces(tmp_path), window_s=1.0).plot(measure="rate")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0, 0, 1, 0, 1], [1, 0, 0, 0, 0]]


def test_one_window_at_the_end_of_time_can_be_drawn(system, tmp_path):
    span = system.span("shop", 1, 1)
    span.start_time_unix_nano, span.end_time_unix_nano = 2**63 - 10, 2**63 - 1
    assert red(system.traces(tmp_path), window_s=1.0).plot().lines


def test_durations_of_zero_are_drawn_without_a_logarithm(system, tmp_path):
    system.span("shop", 1, 1, ms=0)
    assert red(system.traces(tmp_path), window_s=1.0).plot().get_yscale() == "linear"


def test_spans_of_no_named_service_are_a_group(system, tmp_path):
    system.span("shop", 1, 1)
    system.message.resource_spans[0].resource.ClearField("attributes")
    found = red(system.traces(tmp_path))
    assert rows_of(found, "service.name", "span.name", "count") == [(None, "shop work", 1)]
    with pytest.raises(UnknownKeyError):
        red(system.traces(tmp_path), "service.version")
