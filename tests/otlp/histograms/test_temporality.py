"""Delta and cumulative temporality, both ways: round trips, resets, gaps, and every defect counted."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from strategies import METRICS_DATA
from systems import attribute

from workbench import otlp
from workbench.otlp import ExponentialHistogram, to_cumulative, to_delta

DELTA, CUMULATIVE = 1, 2
SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND


def read(message, folder):
    path = folder / "metrics.binpb"
    path.write_bytes(message.SerializeToString())
    return otlp.read(path, signal="metrics")


class Recording:
    """Builds metrics, one export a point; times in seconds since T0, None is unset."""

    def __init__(self, temporality):
        self.temporality = temporality
        self.message = MetricsData()

    def _metric(self, kind, service="shop", name="requests"):
        envelope = self.message.resource_metrics.add()
        envelope.resource.attributes.append(attribute("service.name", service))
        metric = envelope.scope_metrics.add().metrics.add(name=name, unit="1")
        data = getattr(metric, kind)
        data.aggregation_temporality = self.temporality
        return data

    def _point(self, data, start, time, flags=0, **attributes):
        return data.data_points.add(
            start_time_unix_nano=0 if start is None else T0 + round(start * SECOND),
            time_unix_nano=0 if time is None else T0 + round(time * SECOND),
            flags=flags,
            attributes=[attribute(key, value) for key, value in attributes.items()],
        )

    def sum(self, start, time, value, *, monotonic=True, service="shop", flags=0, **attributes):
        data = self._metric("sum", service)
        data.is_monotonic = monotonic
        point = self._point(data, start, time, flags, **attributes)
        if value is not None:
            setattr(point, "as_double" if isinstance(value, float) else "as_int", value)
        return point

    def explicit(self, start, time, counts, total, bounds=(1.0, 2.0)):
        point = self._point(self._metric("histogram"), start, time)
        point.bucket_counts.extend(counts)
        point.explicit_bounds.extend(bounds)
        point.count = sum(counts)
        point.sum = total
        return point

    def exponential(self, start, time, histogram):
        point = self._point(self._metric("exponential_histogram"), start, time)
        point.count, point.scale, point.zero_count = histogram.count, histogram.scale, histogram.zero_count
        point.sum, point.zero_threshold = histogram.sum, histogram.zero_threshold
        if histogram.min is not None:
            point.min, point.max = histogram.min, histogram.max
        for name in ("positive", "negative"):
            side = getattr(histogram, name)
            getattr(point, name).offset = side.offset
            getattr(point, name).bucket_counts.extend(side.counts.tolist())
        return point


def numbers(metrics):
    """Start, end and value of each number, seconds since T0."""
    rows = metrics.tables["number_data_points"]
    times = (
        [None if t == 0 else (t - T0) / SECOND for t in rows[name].cast(pa.int64()).to_pylist()]
        for name in ("start_time_unix_nano", "time_unix_nano")
    )
    values = [
        i if i is not None else d
        for i, d in zip(rows["int_value"].to_pylist(), rows["double_value"].to_pylist(), strict=True)
    ]
    return list(zip(*times, values, strict=True))


def found(report):
    return {
        name: count for name, count in report._counts().items() if count and name not in ("series", "points")
    }


def temporalities(metrics):
    return metrics.records["aggregation_temporality"].to_pylist()


def test_totals_become_increments_that_follow_each_other(tmp_path):
    recording = Recording(CUMULATIVE)
    for time, value in ((1, 5), (2, 5), (3, 9)):
        recording.sum(0, time, value)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 1, 5), (1, 2, 0), (2, 3, 4)]
    assert temporalities(metrics) == [DELTA] * 3
    assert (report.series, report.points, found(report)) == (1, 3, {})


def test_increments_become_totals_since_the_first_start(tmp_path):
    recording = Recording(DELTA)
    for time, value in ((1, 5.5), (2, 0.0), (3, 4.0)):
        recording.sum(time - 1, time, value)
    metrics, report = to_cumulative(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 1, 5.5), (0, 2, 5.5), (0, 3, 9.5)]
    assert temporalities(metrics) == [CUMULATIVE] * 3
    assert found(report) == {}


@pytest.mark.parametrize(("start", "kept"), [(None, False), (1, False), (0.5, True)])
def test_a_first_total_counts_where_its_start_is_known(tmp_path, start, kept):
    recording = Recording(CUMULATIVE)
    recording.sum(start, 1, 100)
    recording.sum(start, 2, 103)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert numbers(metrics) == ([(0.5, 1, 100)] if kept else []) + [(1, 2, 3)]
    assert found(report) == ({} if kept else {"baselines": 1})
    assert len(metrics) == len(numbers(metrics))  # an export that lost its only point is gone


@pytest.mark.parametrize(("initial", "first"), [("keep", [(None, 1, 100)]), ("drop", [])])
def test_the_first_total_can_be_kept_or_left_out_always(tmp_path, initial, first):
    recording = Recording(CUMULATIVE)
    recording.sum(None, 1, 100)
    recording.sum(None, 2, 103)
    assert numbers(to_delta(read(recording.message, tmp_path), initial=initial).metrics) == [
        *first,
        (1, 2, 3),
    ]


def test_a_new_start_is_a_reset(tmp_path):
    recording = Recording(CUMULATIVE)
    for start, time, value in ((0, 1, 5), (0, 2, 7), (2.5, 3, 10), (2.5, 4, 11), (4, 5, 2)):
        recording.sum(start, time, value)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 1, 5), (1, 2, 2), (2.5, 3, 10), (3, 4, 1), (4, 5, 2)]
    assert found(report) == {"resets": 2, "gaps": 1}


def test_a_reset_at_an_unknown_start_only_says_what_to_subtract(tmp_path):
    recording = Recording(CUMULATIVE)
    for start, time, value in ((0, 1, 5), (3, 3, 40), (3, 4, 42)):
        recording.sum(start, time, value)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 1, 5), (3, 4, 2)]
    assert found(report) == {"resets": 1, "gaps": 1, "baselines": 1}


def test_a_total_that_falls_began_again_since_the_point_before(tmp_path):
    recording = Recording(CUMULATIVE)
    for time, value in ((1, 5), (2, 9), (3, 4), (4, 6)):
        recording.sum(0, time, value)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 1, 5), (1, 2, 4), (2, 3, 4), (3, 4, 2)]
    assert found(report) == {"resets": 1}


def test_a_sum_that_may_fall_just_falls(tmp_path):
    recording = Recording(CUMULATIVE)
    for time, value in ((1, 5), (2, 2), (3, 4)):
        recording.sum(0, time, value, monotonic=False)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 1, 5), (1, 2, -3), (2, 3, 2)]
    assert found(report) == {}
    assert numbers(to_cumulative(metrics).metrics) == [(0, 1, 5), (0, 2, 2), (0, 3, 4)]


def test_overlapping_totals_do_not_overlap_as_increments(tmp_path):
    recording = Recording(CUMULATIVE)
    recording.sum(0, 2, 5)
    recording.sum(1, 3, 7)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 2, 5), (2, 3, 7)]
    assert found(report) == {"resets": 1, "overlaps": 1}


def test_after_a_gap_totals_begin_anew_or_go_on(tmp_path):
    recording = Recording(DELTA)
    for start, time, value in ((0, 1, 5), (1, 2, 1), (4, 5, 2), (5, 6, 3)):
        recording.sum(start, time, value)
    metrics = read(recording.message, tmp_path)
    anew, report = to_cumulative(metrics)
    assert numbers(anew) == [(0, 1, 5), (0, 2, 6), (4, 5, 2), (4, 6, 5)]
    assert found(report) == {"resets": 1, "gaps": 1}
    on, report = to_cumulative(metrics, on_gap="continue")
    assert numbers(on) == [(0, 1, 5), (0, 2, 6), (0, 5, 8), (0, 6, 11)]
    assert found(report) == {"gaps": 1}
    assert found(to_cumulative(metrics, tolerance_s=2).report) == {}


def test_overlapping_increments_are_added_and_reported(tmp_path):
    recording = Recording(DELTA)
    recording.sum(0, 2, 5)
    recording.sum(1, 3, 1)
    metrics, report = to_cumulative(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 2, 5), (0, 3, 6)]
    assert found(report) == {"overlaps": 1}


def test_increments_without_start_times_all_add_up(tmp_path):
    recording = Recording(DELTA)
    recording.sum(None, 1, 5)
    recording.sum(None, 9, 1)
    assert numbers(to_cumulative(read(recording.message, tmp_path)).metrics) == [(None, 1, 5), (None, 9, 6)]


@pytest.mark.parametrize("change", [to_delta, to_cumulative])
def test_a_point_without_a_recorded_value_stays_and_covers_nothing(tmp_path, change):
    cumulative = change is to_delta
    recording = Recording(CUMULATIVE if cumulative else DELTA)
    recording.sum(0, 1, 5)
    recording.sum(0 if cumulative else 1, 2, None, flags=1)
    recording.sum(0 if cumulative else 1, 3, 7 if cumulative else 2)
    metrics, report = change(read(recording.message, tmp_path))
    last, empty = ((1, 3, 2), (2, 2, None)) if cumulative else ((0, 3, 7), (0, 2, None))
    assert numbers(metrics) == [(0, 1, 5), empty, last]
    assert metrics.tables["number_data_points"]["flags"].to_pylist() == [0, 1, 0]
    assert found(report) == {"gaps": 1}


@pytest.mark.parametrize("change", [to_delta, to_cumulative])
def test_points_in_any_order_give_the_same_and_repeats_are_left_out(tmp_path, change):
    cumulative = change is to_delta
    rows = [(0, 1, 5), (0, 2, 8), (0, 3, 9)] if cumulative else [(0, 1, 5), (1, 2, 3), (2, 3, 1)]
    recording = Recording(CUMULATIVE if cumulative else DELTA)
    for at in (0, 2, 1, 1, 2):
        recording.sum(*rows[at])
    metrics, report = change(read(recording.message, tmp_path))
    wanted = [(0, 1, 5), (1, 2, 3), (2, 3, 1)] if cumulative else [(0, 1, 5), (0, 2, 8), (0, 3, 9)]
    assert numbers(metrics) == [wanted[0], wanted[2], wanted[1]]
    assert found(report) == {"duplicates": 2, "out_of_order": 2}


def test_points_without_time_or_value_are_left_out(tmp_path):
    recording = Recording(CUMULATIVE)
    recording.sum(0, None, 3)
    recording.sum(0, 1, None)
    recording.sum(0, 2, 5)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert numbers(metrics) == [(0, 2, 5)]
    assert found(report) == {"unreadable": 2}


def test_series_are_told_apart_by_resource_and_attributes_in_any_order(tmp_path):
    recording = Recording(CUMULATIVE)
    recording.sum(0, 1, 1, a="x", b=1)
    recording.sum(0, 1, 10, a="x", b=2)
    recording.sum(0, 1, 100, a="x", b="1")
    recording.sum(0, 1, 1000, service="cart", a="x", b=1)
    recording.sum(0, 1, 10_000, a="x")
    recording.sum(0, 2, 3, b=1, a="x")
    recording.sum(0, 2, 30, b=2, a="x")
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert [row[2] for row in numbers(metrics)] == [1, 10, 100, 1000, 10_000, 2, 20]
    assert report.series == 5


def test_integers_stay_integers_and_mixtures_become_doubles(tmp_path):
    recording = Recording(DELTA)
    recording.sum(0, 1, 2**62)
    recording.sum(1, 2, 1)
    recording.sum(0, 1, 1, a=1)
    recording.sum(1, 2, 0.5, a=1)
    assert numbers(to_cumulative(read(recording.message, tmp_path)).metrics) == [
        (0, 1, 2**62),
        (0, 2, 2**62 + 1),
        (0, 1, 1.0),
        (0, 2, 1.5),
    ]


def test_sums_too_large_for_an_integer_become_doubles(tmp_path):
    recording = Recording(DELTA)
    recording.sum(0, 1, 2**62)
    recording.sum(1, 2, 2**62)
    assert numbers(to_cumulative(read(recording.message, tmp_path)).metrics)[1] == (0, 2, 2.0**63)


def test_differences_too_large_for_an_integer_become_doubles(tmp_path):
    recording = Recording(CUMULATIVE)
    for time, value in ((1, -(2**62)), (2, 2**62), (3, 2**62 - 1), (4, -(2**62) - 1)):
        recording.sum(0, time, value, monotonic=False)
    metrics = to_delta(read(recording.message, tmp_path)).metrics
    assert numbers(metrics)[1:] == [(1, 2, 2.0**63), (2, 3, -1), (3, 4, -(2**63))]


def test_explicit_buckets_subtract_and_add(tmp_path):
    recording = Recording(CUMULATIVE)
    first = recording.explicit(0, 1, [1, 2, 0], 3.5)
    first.min, first.max = 0.5, 1.5
    recording.explicit(0, 2, [1, 4, 1], 9.5)
    recording.explicit(0, 3, [0, 1, 0], 1.5)  # fell: a reset
    metrics, report = to_delta(read(recording.message, tmp_path))
    points = metrics.tables["histogram_data_points"]
    assert points["bucket_counts"].to_pylist() == [[1, 2, 0], [0, 2, 1], [0, 1, 0]]
    assert points["count"].to_pylist() == [3, 3, 1]
    assert points["sum"].to_pylist() == [3.5, 6.0, 1.5]
    assert points["min"].to_pylist() == [0.5, None, None]
    assert found(report) == {"resets": 1}
    back = to_cumulative(metrics).metrics.tables["histogram_data_points"]
    assert back["bucket_counts"].to_pylist() == [[1, 2, 0], [1, 4, 1], [1, 5, 1]]
    assert back["sum"].to_pylist() == [3.5, 9.5, 11.0]


def test_other_bounds_cannot_be_subtracted_but_begin_anew(tmp_path):
    for temporality, change in ((CUMULATIVE, to_delta), (DELTA, to_cumulative)):
        recording = Recording(temporality)
        recording.explicit(0, 1, [1, 2, 0], 3.5)
        recording.explicit(0 if temporality == CUMULATIVE else 1, 2, [3, 4], 9.5, bounds=(5.0,))
        metrics, report = change(read(recording.message, tmp_path))
        counts = metrics.tables["histogram_data_points"]["count"].to_pylist()
        assert counts == ([3] if change is to_delta else [3, 7])
        assert report.bound_changes == 1


def test_histograms_whose_counts_do_not_add_up_are_left_out(tmp_path):
    recording = Recording(CUMULATIVE)
    recording.explicit(0, 1, [1, 2, 0], 3.5).count = 99
    recording.exponential(0, 1, ExponentialHistogram.of([1.0, 2.0])).count = 99
    recording.exponential(0, 2, ExponentialHistogram.of([1.0])).positive.bucket_counts.append(2**63)
    metrics, report = to_delta(read(recording.message, tmp_path))
    assert len(metrics) == 0
    assert found(report) == {"unreadable": 3}


@given(parts=st.lists(st.lists(st.floats(-1e3, 1e3), max_size=6), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_exponential_increments_add_up_to_the_histogram_of_all_and_come_back(parts, tmp_path_factory):
    recording = Recording(DELTA)
    for at, part in enumerate(parts):
        recording.exponential(at, at + 1, ExponentialHistogram.of(part))
    deltas = read(recording.message, tmp_path_factory.mktemp("otlp"))
    totals, report = to_cumulative(deltas)
    assert found(report) == {}
    last = totals.tables["exp_histogram_data_points"].to_pylist()[-1]
    everything = ExponentialHistogram.of([value for part in parts for value in part])
    assert (last["count"], last["scale"], last["zero_count"]) == (
        everything.count,
        everything.scale,
        everything.zero_count,
    )
    assert last["positive"]["bucket_counts"] == everything.positive.counts.tolist()
    assert last["negative"]["offset"] == everything.negative.offset
    assert (last["min"], last["max"]) == (everything.min, everything.max) or [] in parts
    back, report = to_delta(totals)
    assert found(report) == {}
    assert back.tables["exp_histogram_data_points"]["count"].to_pylist() == [len(part) for part in parts]


@given(values=st.lists(st.integers(0, 10**6), min_size=1, max_size=20), start=st.integers(0, 1))
@settings(max_examples=20, deadline=None)
def test_there_and_back_is_the_same(values, start, tmp_path_factory):
    recording = Recording(DELTA)
    for at, value in enumerate(values):
        recording.sum(start + at, start + at + 1, value)
        recording.explicit(start + at, start + at + 1, [value, 1, 0], float(value))
    deltas = read(recording.message, tmp_path_factory.mktemp("otlp"))
    assert to_delta(to_cumulative(deltas).metrics).metrics == deltas
    totals = to_cumulative(deltas).metrics
    assert to_cumulative(to_delta(totals).metrics).metrics == totals


def test_exemplars_stay_with_their_points(tmp_path):
    recording = Recording(CUMULATIVE)
    for at in (1, 2, 2, 3):
        point = recording.sum(0, at, at)
        point.exemplars.add(
            as_int=10 * at, trace_id=b"t" * 16, filtered_attributes=[attribute("user", f"u{at}")]
        )
    metrics, report = to_delta(read(recording.message, tmp_path))
    exemplars = metrics.tables["number_dp_exemplars"]
    assert exemplars["parent_id"].to_pylist() == [0, 1, 2]
    assert exemplars["int_value"].to_pylist() == [10, 20, 30]
    assert metrics.tables["number_dp_exemplar_attrs"]["parent_id"].to_pylist() == [0, 1, 2]
    assert found(report) == {"duplicates": 1, "lost_exemplars": 1}
    for name in ("number_data_points", "number_dp_exemplars"):
        assert metrics.tables[name]["id"].to_pylist() == [0, 1, 2]


def test_gauges_and_what_has_the_temporality_already_stay_as_they_are(tmp_path):
    recording = Recording(DELTA)
    recording.sum(0, 1, 5)
    gauge = recording.message.resource_metrics.add().scope_metrics.add().metrics.add(name="level").gauge
    gauge.data_points.add(time_unix_nano=T0, as_int=3)
    summary = recording.message.resource_metrics.add().scope_metrics.add().metrics.add(name="old").summary
    summary.data_points.add(time_unix_nano=T0, count=3)
    metrics = read(recording.message, tmp_path)
    same, report = to_delta(metrics)
    assert same == metrics
    assert repr(report) == "TemporalityReport: nothing to change"
    assert temporalities(to_cumulative(metrics).metrics)[1:] == temporalities(metrics)[1:]


@given(message=METRICS_DATA)
@settings(max_examples=25, deadline=None)
def test_any_metrics_at_all_can_be_restated(message, tmp_path_factory):
    message.resource_metrics.add().scope_metrics.add().metrics.add(name="one")
    metrics = read(message, tmp_path_factory.mktemp("otlp"))
    for change, left in ((to_delta, CUMULATIVE), (to_cumulative, DELTA)):
        changed, report = change(metrics)
        kinds = changed.records["metric_type"].to_numpy()
        assert not (np.array(changed.records["aggregation_temporality"].fill_null(0)) == left)[
            np.isin(kinds, [2, 3, 4])
        ].any()
        points = sum(len(table) for name, table in metrics.tables.items() if name.endswith("data_points"))
        left_out = report.baselines + report.duplicates + report.unreadable
        left_out += report.bound_changes if change is to_delta else 0
        now = sum(len(table) for name, table in changed.tables.items() if name.endswith("data_points"))
        assert now == points - left_out


def test_the_report_adds_up_and_shows_itself(tmp_path):
    recording = Recording(CUMULATIVE)
    recording.sum(None, 1, 5)
    recording.sum(None, 2, 6)
    _, report = to_delta(read(recording.message, tmp_path))
    assert repr(report + report) == "TemporalityReport: series 2, points 4, baselines 2"
    assert ">baselines<" in report._repr_html_()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (to_delta, {"initial": "maybe"}, "initial must be auto, keep or drop"),
        (to_cumulative, {"on_gap": "stop"}, "on_gap must be reset or continue"),
        (to_cumulative, {"tolerance_s": -1.0}, "tolerance_s not negative"),
        (to_cumulative, {"tolerance_s": math.nan}, "tolerance_s not negative"),
    ],
)
def test_an_unknown_choice_is_refused(tmp_path, change, options, message):
    recording = Recording(CUMULATIVE)
    recording.sum(0, 1, 5)
    with pytest.raises(ValueError, match=message):
        change(read(recording.message, tmp_path), **options)
