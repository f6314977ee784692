"""What one asks of traces: choose, summarize, draw."""

import datetime as dt
import math
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from systems import CLIENT, System

from workbench import otlp

PRODUCER, CONSUMER = 4, 5


def is_pay(shop):
    return pc.equal(shop["service.name"], "pay")


@pytest.mark.parametrize(
    "convert",
    [
        lambda mask: mask,
        lambda mask: mask.combine_chunks(),
        lambda mask: mask.to_numpy(),
        lambda mask: mask.to_pandas(),
        lambda mask: mask.to_pandas().astype("boolean"),
        lambda mask: mask.to_pylist(),
    ],
    ids=["chunked", "array", "numpy", "pandas", "nullable", "list"],
)
def test_filter_takes_masks_of_any_library(convert, shop):
    assert shop.filter(convert(is_pay(shop)))["service.name"].to_pylist() == ["pay"] * 5


def test_null_is_false(shop):
    mask = pa.array([None, True] + [False] * (len(shop) - 2))
    assert len(shop.filter(mask)) == 1
    assert len(shop.filter(mask.to_pandas())) == 1
    assert len(shop.filter(pd.array([pd.NA, True] + [False] * (len(shop) - 2), "boolean"))) == 1
    assert len(shop.filter(pa.nulls(len(shop)))) == 0


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (True, "the single value True"),
        (np.ones(3, bool), "got 3"),
        (np.ones(25, int), "values of type int64"),
        (["yes"] * 25, "values of type string"),
        (np.ones((25, 1), bool), "mask of booleans|values of type"),
        ("True", "values of type string"),
        (None, "mask of booleans"),
    ],
)
def test_what_is_no_mask_is_refused(mask, message, shop):
    with pytest.raises(otlp.MaskError, match=message):
        shop.filter(mask)


def test_comparing_a_column_with_a_value_is_explained(shop):
    with pytest.raises(otlp.MaskError, match=r"pyarrow\.compute\.equal"):
        shop.filter(shop["service.name"] == "pay")


def test_traces_are_immutable(shop):
    with pytest.raises(AttributeError, match="immutable"):
        shop.spans = None
    with pytest.raises(AttributeError, match="immutable"):
        del shop.skipped
    with pytest.raises(TypeError):
        shop.tables["spans"] = None
    with pytest.raises(TypeError, match="unhashable"):
        hash(shop)
    with pytest.raises(TypeError, match="columns, not a sequence"):
        list(shop)


def test_equality_is_by_content_and_pickling_keeps_it(shop, system, tmp_path):
    assert pickle.loads(pickle.dumps(shop)) == shop
    assert system.traces(tmp_path) == shop
    assert shop != shop.filter(is_pay(shop))
    assert shop != "traces"
    assert not shop == otlp.Logs({})  # noqa: SIM201


def test_nan_equals_nan_and_zero_does_not_equal_minus_zero(system, tmp_path):
    system.span("one", 1, 1, x=float("nan"))
    nan = system.traces(tmp_path)
    assert nan == system.traces(tmp_path)
    system.message.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.double_value = 0.0
    zero = system.traces(tmp_path)
    assert zero != nan


def test_one_trace_by_either_form_of_its_id(shop):
    wanted = (3).to_bytes(16, "big")
    assert len(shop.trace(wanted)) == 5
    assert shop.trace(wanted.hex()) == shop.trace(wanted) == shop.trace(wanted.hex().upper())
    assert len(shop.trace("ff" * 16)) == 0


@pytest.mark.parametrize("wrong", ["abc", "zz" * 16, b"short", 7, None, "00" * 15])
def test_what_is_no_trace_id_is_refused(wrong, shop):
    with pytest.raises(otlp.TraceIdError, match="32 hexadecimal digits or 16 bytes"):
        shop.trace(wrong)


@pytest.mark.parametrize(
    "start",
    [
        1_700_000_003_000_000_000,
        "2023-11-14T22:13:23Z",
        "2023-11-14 22:13:23",
        dt.datetime(2023, 11, 14, 22, 13, 23, tzinfo=dt.UTC),
        dt.datetime(2023, 11, 14, 23, 13, 23, tzinfo=dt.timezone(dt.timedelta(hours=1))),
        np.datetime64("2023-11-14T22:13:23"),
        pd.Timestamp("2023-11-14T22:13:23", tz="UTC"),
    ],
)
def test_between_takes_times_of_any_library_and_is_half_open(start, shop):
    assert len(shop.between(start)) == 15
    assert len(shop.between(start, start)) == 0
    assert len(shop.between(None, start)) == 10
    assert len(shop.between(end="2023-11-14T22:13:23.000000001Z")) == 11


def test_between_refuses_what_is_no_time(shop):
    for wrong in ("yesterday-ish", 1.5, True, pd.NaT, object(), "9999-01-01", np.datetime64("9999-01-01")):
        with pytest.raises(otlp.InstantError):
            shop.between(wrong)
    with pytest.raises(otlp.InstantError, match="ends before it starts"):
        shop.between(2, 1)


def test_slowest_gives_whole_traces_longest_root_first(shop):
    slowest = shop.slowest(2)
    assert len(slowest) == 10
    assert slowest["trace_id"][0].as_py() == (5).to_bytes(16, "big")
    assert slowest["name"][0].as_py() == "POST /checkout"
    assert len(shop.slowest(99)) == len(shop)
    assert len(shop.slowest(0)) == 0
    with pytest.raises(ValueError, match="zero or more"):
        shop.slowest(-1)


def test_roots_are_one_a_trace(shop):
    assert shop.roots()["name"].to_pylist() == ["POST /checkout"] * 5


def test_services_counts_spans_and_errors(shop):
    assert shop.services().to_pylist() == [
        {"service": "shop", "spans": 15, "errors": 1},
        {"service": "pay", "spans": 5, "errors": 1},
        {"service": "stock", "spans": 5, "errors": 0},
    ]


def test_service_map_has_an_edge_for_each_pair_that_calls(shop):
    edges = shop.service_map().edges.to_pylist()
    assert [(edge["caller"], edge["callee"], edge["calls"], edge["errors"]) for edge in edges] == [
        ("shop", "pay", 5, 1),
        ("shop", "stock", 5, 0),
    ]
    assert edges[0]["p50_ms"] == 46
    assert repr(shop.service_map()) == "ServiceMap: 3 services, 2 edges, 10 calls"


def test_everything_draws_itself(shop):
    assert "<svg" in shop.service_map()._repr_mimebundle_()["text/html"] + shop.service_map().picture().svg
    assert "<svg" in shop.timeline((5).to_bytes(16, "big")).svg
    assert "<svg" in shop.latency_heatmap(marks=[(1, 2, "here")]).svg
    assert "<table" in shop._repr_html_()
    assert (
        repr(shop) == "Traces: 25 spans, 5 traces, 3 services, 2 errors, 4.5 s from 2023-11-14 22:13:21 UTC"
    )


def test_timeline_of_a_trace_that_is_not_there_is_refused(shop):
    with pytest.raises(otlp.TraceIdError, match=r"no span of trace ff.* among these 25 spans"):
        shop.timeline("ff" * 16)


def test_no_spans_are_fine(shop):
    none = shop.filter(np.zeros(len(shop), bool))
    assert repr(none) == "Traces: 0 spans"
    assert none.services().num_rows == 0
    assert len(none.service_map().edges) == 0
    assert len(none.slowest(3)) == len(none.roots()) == 0
    assert none.time_range() is None
    assert "<svg" in none.latency_heatmap().svg
    assert len(otlp.find_faults(none)) == 0
    assert len(none.to_pandas()) == 0
    assert none["name"].to_pylist() == []


def test_time_range_spans_first_start_to_last_end(shop):
    first, last = shop.time_range()
    assert (last - first).total_seconds() == 4.5


def test_between_takes_what_a_column_gives(shop):
    assert len(shop.between(shop["start_time_unix_nano"][2])) == 22


def test_structure_cannot_be_changed(shop):
    with pytest.raises(ValueError, match="read-only"):
        shop.structure.root[:] = 0


def test_spans_without_a_start_time_do_not_stretch_the_picture(system, tmp_path):
    for n in range(1, 20):
        system.span("one", n, 1, at_ms=n * 1000)
    system.span("one", 99, 1).start_time_unix_nano = 0
    traces = system.traces(tmp_path)
    assert len(traces.started()) == 19
    assert "Latency of 19 spans" in traces.latency_heatmap().svg
    assert len(otlp.find_faults(traces)) == 0


def test_spans_without_a_start_time_last_no_time(system, tmp_path):
    """Trace 2 has a root that only says when it ended; 1970 is not when it began."""
    system.span("one", 1, 1, at_ms=1000, ms=20)
    system.span("one", 2, 1, ms=90_000).start_time_unix_nano = 0
    traces = system.traces(tmp_path)
    assert traces.slowest(1)["trace_id"].to_pylist() == [(1).to_bytes(16, "big")]
    assert len(traces.slowest(2)) == 2
    assert (
        repr(traces) == "Traces: 2 spans, 2 traces, 1 service, 0 errors, 0.0 s from 2023-11-14 22:13:21 UTC"
    )
    assert traces.structure.duration.tolist() == [20 * 10**6, 0]


def test_the_root_of_a_trace_is_none_that_does_not_say_when_it_started(system, tmp_path):
    system.span("one", 1, 1).start_time_unix_nano = 0
    system.span("one", 1, 2, ms=5, name="root")
    assert system.traces(tmp_path).roots()["name"].to_pylist() == ["root"]


def test_traces_that_never_say_when_they_started_have_no_time_in_their_summary(system, tmp_path):
    system.span("one", 1, 1).start_time_unix_nano = 0
    assert repr(system.traces(tmp_path)) == "Traces: 1 span, 1 trace, 1 service, 0 errors"


def test_spans_without_a_start_are_calls_of_no_known_time(tmp_path):
    """An even number of timed calls, so that one more of zero would move the median."""
    one = System()
    for number in (1, 2):
        one.span("a", number, 1, ms=100, kind=CLIENT)
        one.span("b", number, 2, parent=1, ms=10 * number)
    one.span("a", 3, 1, ms=100, kind=CLIENT)
    one.span("b", 3, 2, parent=1).start_time_unix_nano = 0
    one.span("c", 4, 1, ms=100, kind=CLIENT)
    one.span("d", 4, 2, parent=1).start_time_unix_nano = 0
    traces = one.traces(tmp_path)
    mapped = {row["callee"]: row for row in traces.service_map().edges.to_pylist()}
    assert (mapped["b"]["calls"], mapped["b"]["p50_ms"]) == (3, 15)
    assert (mapped["d"]["calls"], math.isnan(mapped["d"]["p50_ms"])) == (1, True)
    picture = traces.service_map().picture().svg
    assert "3 calls, p50 15 ms" in picture
    assert ">1 call<" in picture
    graphed = {row["server"]: row for row in otlp.service_graph(traces).edges.to_pylist()}
    assert (graphed["b"]["requests"], graphed["b"]["server_p50_ms"], graphed["b"]["network_p50_ms"]) == (
        3,
        15,
        85,
    )
    assert (graphed["d"]["requests"], graphed["d"]["server_p50_ms"], graphed["d"]["client_p50_ms"]) == (
        1,
        None,
        100,
    )
    estimated = otlp.estimate(traces, by="service.name", quantiles=(0.0001,)).table.to_pylist()
    lowest = {row["service.name"]: row["p0.01_ms"] for row in estimated}
    assert lowest["b"] == 10


def test_a_message_without_a_start_was_in_the_queue_for_no_known_time(tmp_path):
    one = System()
    for number in (1, 2):
        one.span("a", number, 1, ms=100, kind=PRODUCER)
        received = one.span("b", number, 2, parent=1, at_ms=400, kind=CONSUMER)
    received.start_time_unix_nano = 0
    (edge,) = otlp.service_graph(one.traces(tmp_path)).edges.to_pylist()
    assert (edge["requests"], edge["network_p50_ms"], edge["network_p99_ms"]) == (2, 300, 300)


def test_spans_without_a_start_stand_at_the_beginning_of_a_trace(tmp_path):
    one = System()
    one.span("one", 1, 1, at_ms=1000, ms=20)
    one.span("one", 1, 2, parent=1, at_ms=1005, ms=90).start_time_unix_nano = 0
    drawn = one.traces(tmp_path).timeline((1).to_bytes(16, "big")).svg
    assert "2 spans in 1 group, 20.0 ms" in drawn
    assert "0 ns from 0 ns<" in drawn
    assert drawn.count("on the critical path<") == 1


def test_more_than_a_million_bins_are_refused(system, tmp_path):
    system.span("one", 1, 1)
    system.span("one", 2, 1).start_time_unix_nano = 5
    traces = system.traces(tmp_path)
    for ask in (otlp.find_faults, lambda spans: spans.latency_heatmap(bin_s=1)):
        with pytest.raises(otlp.BinError, match="more than 1,000,000"):
            ask(traces)
    assert "<svg" in traces.latency_heatmap().svg
    with pytest.raises(otlp.BinError, match="must be positive"):
        traces.latency_heatmap(bin_s=0)
