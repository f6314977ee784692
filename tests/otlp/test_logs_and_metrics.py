"""Logs and metrics: their columns, their points, their one-line summaries."""

import pyarrow as pa
import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from systems import START, attribute

from workbench import otlp


@pytest.fixture
def logs(tmp_path):
    message = LogsData()
    envelope = message.resource_logs.add()
    envelope.resource.attributes.append(attribute("service.name", "shop"))
    records = envelope.scope_logs.add().log_records
    for number, (severity, body) in enumerate([(9, "started"), (17, "failed"), (13, "retried"), (0, "?")]):
        records.add(
            observed_time_unix_nano=START + number * 10**9,
            severity_number=severity,
            body=AnyValue(string_value=body),
            trace_id=bytes([number] * 16),
        )
    records[0].time_unix_nano = START - 10**9
    (tmp_path / "logs.pb").write_bytes(message.SerializeToString())
    return otlp.read(tmp_path / "logs.pb")


def test_logs_summarize_themselves(logs):
    assert repr(logs) == "Logs: 4 log records, 1 UNSPECIFIED, 1 INFO, 1 WARN, 1 ERROR"
    assert "<table" in logs._repr_html_()
    assert logs["body"].to_pylist() == ["started", "failed", "retried", "?"]
    assert logs["service.name"].to_pylist() == ["shop"] * 4


def test_unknown_severity_numbers_below_zero_are_unspecified():
    message = LogsData()
    records = message.resource_logs.add().scope_logs.add().log_records
    for number in (-100, -4, -1, 0, 1, 24, 100):
        records.add(severity_number=number)
    logs = otlp.Logs.from_otlp(message.SerializeToString())
    assert repr(logs) == "Logs: 7 log records, 4 UNSPECIFIED, 1 TRACE, 2 FATAL"
    assert "UNSPECIFIED" in logs._repr_html_()


def test_logs_of_one_trace(logs):
    assert logs.trace("01" * 16)["body"].to_pylist() == ["failed"]
    assert len(logs.trace("ee" * 16)) == 0


def test_logs_between_uses_the_observed_time_where_the_event_has_none(logs):
    assert logs.between(START - 10**9, START + 2 * 10**9)["body"].to_pylist() == ["started", "failed"]
    first, last = logs.time_range()
    assert (last - first).total_seconds() == 4


@pytest.fixture
def metrics(tmp_path):
    message = MetricsData()
    envelope = message.resource_metrics.add()
    envelope.resource.attributes.append(attribute("service.name", "shop"))
    found = envelope.scope_metrics.add().metrics
    for export in range(2):
        counter = found.add(name="orders", unit="{order}").sum
        counter.is_monotonic, counter.aggregation_temporality = True, 2
        for outcome, count in (("paid", 5 + export), ("declined", 1)):
            point = counter.data_points.add(as_int=count, time_unix_nano=START + export * 10**9)
            point.attributes.append(attribute("outcome", outcome))
    histogram = found.add(name="duration", unit="s").histogram
    histogram.data_points.add(count=3, sum=1.5, bucket_counts=[1, 2], explicit_bounds=[0.5])
    (tmp_path / "metrics.pb").write_bytes(message.SerializeToString())
    return otlp.read(tmp_path / "metrics.pb")


def test_metrics_summarize_themselves(metrics):
    assert repr(metrics) == "Metrics: 3 metrics, 2 names, 5 data points"
    assert metrics.names() == ["duration", "orders"]
    assert "monotonic" not in metrics._repr_html_()
    assert "histogram" in metrics._repr_html_()
    assert (metrics.time_range()[1] - metrics.time_range()[0]).total_seconds() == 1


def test_points_of_one_metric_carry_all_their_attributes(metrics):
    points = metrics.points("orders").to_pandas()
    assert points["int_value"].tolist() == [5, 1, 6, 1]
    assert points["outcome"].tolist() == ["paid", "declined"] * 2
    assert points["service.name"].tolist() == ["shop"] * 4
    assert metrics.points("duration")["bucket_counts"].to_pylist() == [[1, 2]]


def test_points_of_an_unknown_metric_name_near_ones(metrics):
    with pytest.raises(otlp.UnknownKeyError, match="no metric is called 'order'; near names: orders"):
        metrics.points("order")


def test_points_of_two_kinds_and_clashing_names_are_all_there(tmp_path):
    message = MetricsData()
    found = message.resource_metrics.add().scope_metrics.add().metrics
    found.add(name="x").gauge.data_points.add(as_int=1).attributes.append(attribute("flags", "kept"))
    found.add(name="x").histogram.data_points.add(count=3)
    (tmp_path / "metrics.pb").write_bytes(message.SerializeToString())
    points = otlp.read(tmp_path / "metrics.pb").points("x")
    assert len(points) == 2
    assert "kept" in points["attributes.flags"].to_pylist()
    assert points["flags"].to_pylist() == [0, 0]


def points_of(gauge, histogram):
    """Return the point of a gauge, then that of a histogram of the same name, with these attributes."""
    message = MetricsData()
    found = message.resource_metrics.add().scope_metrics.add().metrics
    point = found.add(name="x").gauge.data_points.add(as_int=1)
    point.attributes.extend(attribute(key, value) for key, value in gauge.items())
    point = found.add(name="x").histogram.data_points.add(count=3, time_unix_nano=1)
    point.attributes.extend(attribute(key, value) for key, value in histogram.items())
    return otlp.Metrics.from_otlp(message.SerializeToString()).points("x").sort_by("time_unix_nano")


@pytest.mark.parametrize(
    ("of_gauge", "of_histogram", "expected", "kind"),
    [
        (7, "seven", ["7", "seven"], pa.string()),
        (True, 1, ["true", "1"], pa.string()),
        (7, 1.5, [7.0, 1.5], pa.float64()),
        (7, 8, [7, 8], pa.int64()),
    ],
)
def test_an_attribute_of_points_of_two_kinds_is_one_column_of_their_types(
    of_gauge, of_histogram, expected, kind
):
    column = points_of({"k": of_gauge}, {"k": of_histogram})["k"]
    assert (column.to_pylist(), column.type) == (expected, kind)


def test_an_attribute_called_as_a_column_of_another_kind_of_points_stays_apart():
    points = points_of({"count": 5, "only": "here"}, {"int_value": "text"})
    assert points["count"].to_pylist() == [None, 3]
    assert points["attributes.count"].to_pylist() == [5, None]
    assert points["int_value"].to_pylist() == [1, None]
    assert points["attributes.int_value"].to_pylist() == [None, "text"]
    assert points["only"].to_pylist() == ["here", None]


def test_no_two_columns_of_points_share_a_name():
    points = points_of({"flags": "short", "attributes.flags": "long"}, {"attributes.flags": "other"})
    assert len(set(points.column_names)) == len(points.column_names)
    assert points["flags"].to_pylist() == [0, 0]
    assert points["attributes.flags"].to_pylist() == ["long", "other"]
    assert points["attributes.attributes.flags"].to_pylist() == ["short", None]
