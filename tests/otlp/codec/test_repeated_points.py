"""Data points that repeat a shape, or break it at any byte, are what the official library says."""

import random

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from wire_fuzz import mutate

from workbench import otlp

STEMS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
TAGS = b"\x11\x19\x21\x29\x32\x3a\x42\x4a"  # of data points
PARTS = 8
BASES = 120
MUTANTS = 12


def fill(rng, point, stem, shape):
    """Write a data point; `shape` says which fields it has, so that equal shapes differ in values only."""
    if shape & 1:
        point.start_time_unix_nano = rng.getrandbits(64)
    point.time_unix_nano = rng.getrandbits(64)
    if stem in {"gauge", "sum"}:
        if shape & 2:
            point.as_int = rng.choice((0, rng.randrange(1 << 40)))
        elif shape & 4:
            point.as_double = rng.choice((0.0, rng.random()))
    else:
        point.count = rng.choice((0, rng.randrange(1 << 30)))
        if shape & 2:
            point.sum = rng.choice((0.0, rng.random()))
    if stem == "histogram":
        point.bucket_counts.extend(rng.randrange(9) for _ in range(shape % 17))
        point.explicit_bounds.extend(rng.random() for _ in range(max(0, shape % 17 - 1)))
        if shape & 8:
            point.min, point.max = 0.0, rng.random()
    for number in range(shape % 3):
        value = point.attributes.add(key=rng.choice(("route", "a" * 70, f"key-{number}"))).value
        value.string_value = rng.choice(("x", "", "long" * rng.choice((3, 40))))
        if rng.random() < 0.3:
            value.int_value = rng.getrandbits(rng.choice((3, 40)))


def points_of(rng):
    """Return metrics in which nearly all points of a run have one shape."""
    message = MetricsData()
    scope = message.resource_metrics.add().scope_metrics.add()
    for _ in range(rng.randrange(1, 5)):
        stem, shape = rng.choice(STEMS), rng.getrandbits(8)
        points = getattr(scope.metrics.add(name="m"), stem).data_points
        for _ in range(rng.randrange(1, 9)):
            fill(rng, points.add(), stem, shape if rng.random() < 0.85 else rng.getrandbits(8))
            if rng.random() < 0.05:
                points[-1].flags = 1
    return message


def damaged(rng, data):
    """Return a message with one byte changed, lost or doubled: often a tag or a length of a point."""
    at = rng.randrange(len(data))
    byte = bytes([rng.choice((data[at] ^ (1 << rng.randrange(8)), rng.choice(TAGS)))])
    return data[:at] + rng.choice((byte, b"", data[at : at + 1] * 2)) + data[at + 1 :]


def official(data):
    try:
        return MetricsData.FromString(data).SerializeToString()
    except DecodeError:
        return None


@pytest.mark.parametrize("part", range(PARTS))
def test_rows_of_one_shape_and_rows_that_break_it(part):
    decoder, outcomes = otlp.Decoder("metrics"), set()
    rng = random.Random(f"repeated-{part}")
    for _ in range(BASES):
        data = points_of(rng).SerializeToString()
        cases = [data, *(damaged(rng, data) for _ in range(MUTANTS))]
        cases += [mutate(rng, data, MetricsData.DESCRIPTOR) for _ in range(MUTANTS)]
        for case in cases:
            expected = official(case)
            try:
                found = decoder.decode(case).to_otlp()
            except otlp.OtlpError:
                found = None
            assert found == expected, case.hex()
            outcomes.add(expected is None)
    assert outcomes == {True, False}


def test_each_repeated_point_keeps_its_own_values():
    rng = random.Random("own values")
    message = MetricsData()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for number in range(2000):
        point = metric.histogram.data_points.add(time_unix_nano=number, count=number, sum=number / 7)
        point.bucket_counts.extend((number, rng.getrandbits(64), 0))
        point.explicit_bounds.extend((number / 3, 1e9))
        point.attributes.add(key="n").value.int_value = number
    found = otlp.Metrics.from_otlp(message.SerializeToString()).tables
    table = found["histogram_data_points"].to_pydict()
    points = metric.histogram.data_points
    assert table["count"] == [point.count for point in points]
    assert table["sum"] == [point.sum for point in points]
    assert table["bucket_counts"] == [list(point.bucket_counts) for point in points]
    assert table["explicit_bounds"] == [list(point.explicit_bounds) for point in points]
    assert found["histogram_dp_attrs"]["int"].to_pylist() == list(range(2000))


def gauge_of(*points):
    message = MetricsData()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for point in points:
        metric.gauge.data_points.add(**point)
    return message.SerializeToString()


def test_a_longer_shape_is_learnt_after_a_shorter_one():
    short, longer = {"time_unix_nano": 1}, {"time_unix_nano": 2, "as_double": 0.5, "start_time_unix_nano": 3}
    for points in ([short, longer, longer, {}, short], [{}, longer, {}, {}]):
        data = gauge_of(*points)
        assert otlp.Metrics.from_otlp(data).to_otlp() == data


def test_a_tag_of_several_bytes_is_no_point_of_the_shape():
    """0x8a 0x80 0x00 is the tag 0x0a too; what follows must not be taken for a length."""
    point = b"\x19" + bytes(range(8))
    for tags in ([b"\x0a", b"\x8a\x80\x00", b"\x0a"], [b"\x8a\x00", b"\x0a"]):
        gauge = b"".join(tag + bytes([len(point)]) + point for tag in tags)
        metric = b"\x2a" + bytes([len(gauge)]) + gauge
        scope = b"\x12" + bytes([len(metric)]) + metric
        resource = b"\x12" + bytes([len(scope)]) + scope
        data = b"\x0a" + bytes([len(resource)]) + resource
        assert otlp.Metrics.from_otlp(data).to_otlp() == official(data)
        assert official(data) is not None


@pytest.mark.parametrize("last", [0, 1, 3])
def test_a_long_run_keeps_each_points_attributes(last):
    rng = random.Random(f"long run {last}")
    message = MetricsData()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for number in range(500):
        point = metric.gauge.data_points.add(time_unix_nano=number)
        for key in range(last if number == 499 else rng.choice((0, 1, 1, 2, 3))):
            text = rng.choice((f"text-{number // 9}", f"text-{number}", "same", ""))
            point.attributes.add(key=f"key-{key}").value.string_value = text
    metric.gauge.data_points[300].attributes.add()  # of no bytes
    found = otlp.Metrics.from_otlp(message.SerializeToString())
    assert found.to_otlp() == message.SerializeToString()
    expected = [
        (number, pair.key, pair.value.string_value if pair.HasField("value") else None)
        for number, point in enumerate(metric.gauge.data_points)
        for pair in point.attributes
    ]
    table = found.tables["number_dp_attrs"].to_pydict()
    assert list(zip(table["parent_id"], table["key"], table["str"], strict=True)) == expected
