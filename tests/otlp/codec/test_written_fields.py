"""A field is written wherever a row has it, in however many rows it is empty."""

import pytest
from wire_fuzz import OFFICIAL

from workbench import otlp

ROWS = 150  # more than the encoder looks at before it decides whether to go on

SPAN_FIELDS = {
    "trace_id": b"\x01" * 16,
    "span_id": b"odd",
    "trace_state": "k=v",
    "name": "GET",
    "kind": -1,
    "start_time_unix_nano": 1 << 63,
    "dropped_attributes_count": 1,
    "flags": 1 << 31,
}
HISTOGRAM_FIELDS = {
    "count": 1 << 56,
    "sum": 0.0,
    "min": -0.0,
    "flags": 256,
    "bucket_counts": [0],
    "explicit_bounds": [0.5] * 9,
}
EXPONENTIAL_FIELDS = {"scale": -1, "zero_count": 1 << 40, "zero_threshold": -0.0}


def spans(message):
    found = message.resource_spans.add().scope_spans.add().spans
    return [found.add() for _ in range(ROWS)]


def histogram_points(message):
    found = message.resource_metrics.add().scope_metrics.add().metrics.add().histogram.data_points
    return [found.add() for _ in range(ROWS)]


def exponential_points(message):
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add()
    return [metric.exponential_histogram.data_points.add() for _ in range(ROWS)]


CASES = {
    "traces": (spans, SPAN_FIELDS),
    "metrics": (histogram_points, HISTOGRAM_FIELDS),
    "metrics, exponential": (exponential_points, EXPONENTIAL_FIELDS),
}
NAMES = [(case, name) for case, (_, fields) in CASES.items() for name in fields]


def written(signal, data):
    """Return a message decoded and encoded: as it came, and from tables made of it."""
    decoded = getattr(otlp, signal.capitalize()).from_otlp(data)
    return decoded.to_otlp(), type(decoded)(decoded.tables).to_otlp()


@pytest.mark.parametrize("row", [0, 63, 64, ROWS - 1])
@pytest.mark.parametrize(("case", "name"), NAMES)
def test_one_row_of_many_has_the_field(case, name, row):
    signal = case.partition(",")[0]
    rows_of, fields = CASES[case]
    value, message = fields[name], OFFICIAL[signal]()
    rows = rows_of(message)
    if isinstance(value, list):
        getattr(rows[row], name).extend(value)
    else:
        setattr(rows[row], name, value)
    data = message.SerializeToString()
    assert written(signal, data) == (data, data)


@pytest.mark.parametrize("row", [0, 63, 64, ROWS - 1])
def test_one_row_of_many_has_children_or_a_message_of_its_own(row):
    message = OFFICIAL["traces"]()
    span = spans(message)[row]
    span.events.add().attributes.add(key="k").value.bool_value = False
    span.links.add()
    span.status.SetInParent()
    data = message.SerializeToString()
    assert written("traces", data) == (data, data)


def test_only_some_of_many_metrics_are_monotonic():
    message = OFFICIAL["metrics"]()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    for number in range(700):
        metrics.add().sum.is_monotonic = number == 699
    data = message.SerializeToString()
    assert written("metrics", data) == (data, data)
