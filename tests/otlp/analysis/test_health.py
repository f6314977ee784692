"""What is wrong with traces is found, counted and shown; and nothing is found where nothing is wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from systems import CLIENT, System

from workbench import otlp

CONSUMER = 5


def table(health):
    return {(row["problem"], row["where"]): row for row in health.problems.to_pylist()}


def test_sound_traces_have_nothing_wrong(shop):
    health = otlp.check_traces(shop)
    assert repr(health) == "TraceHealth: 25 spans, 5 traces: nothing wrong"
    assert not len(health)
    assert health.count("orphan") == 0


def test_orphans_are_spans_whose_parent_is_not_there(system, tmp_path):
    system.span("a", 1, 1)
    system.span("a", 1, 2, parent=99)
    system.span("a", 2, 3, parent=1)  # that span is of another trace
    health = otlp.check_traces(system.traces(tmp_path))
    assert health.rows["orphan", ""].tolist() == [1, 2]
    assert table(health)["orphan", ""]["traces"] == 2
    assert health.rows["no root", ""].tolist() == [2]
    assert "several roots" not in repr(health)


@given(st.data())
def test_every_orphan_that_is_made_is_found_and_no_other(data):
    """Delete spans from a sound tree: the orphans are the children that they leave behind."""
    size = data.draw(st.integers(2, 15))
    parent = [-1] + [data.draw(st.integers(0, row - 1)) for row in range(1, size)]
    lost = data.draw(st.sets(st.integers(0, size - 1), max_size=size - 1))
    system = System()
    kept = [row for row in range(size) if row not in lost]
    for row in kept:
        system.span("a", 1, row + 1, parent=parent[row] + 1, ms=10)
    health = otlp.check_traces(otlp.Traces.from_otlp(system.message.SerializeToString()))
    assert health.count("orphan") == sum(parent[row] in lost for row in kept)
    assert health.count("no root") == (0 in lost)
    assert health.count("cycle") == health.count("duplicate id") == 0


def test_cycles_are_found_with_all_that_hangs_on_them(system, tmp_path):
    system.span("a", 1, 1, parent=2)
    system.span("a", 1, 2, parent=1)
    system.span("a", 1, 3, parent=2)
    system.span("a", 1, 4, parent=4)
    system.span("a", 1, 5)
    health = otlp.check_traces(system.traces(tmp_path))
    assert health.count("cycle") == 4
    assert health.count("orphan") == 0


def test_ids_that_are_used_twice_or_missing_are_found(system, tmp_path):
    system.span("a", 1, 1)
    system.span("a", 1, 1, parent=1)
    system.span("a", 2, 1).span_id = b""
    system.span("a", 3, 1).trace_id = b""
    health = otlp.check_traces(system.traces(tmp_path))
    assert health.rows["duplicate id", ""].tolist() == [1]
    assert health.rows["no span id", ""].tolist() == [2]
    assert health.rows["no trace id", ""].tolist() == [3]


def test_times_that_cannot_be_are_found_with_the_worst_one(system, tmp_path):
    system.span("a", 1, 1, ms=-5)
    system.span("a", 2, 1, ms=-7)
    system.span("a", 3, 1, ms=0)
    system.span("a", 4, 1).start_time_unix_nano = 0
    system.span("a", 5, 1).end_time_unix_nano = 0
    found = table(otlp.check_traces(system.traces(tmp_path)))
    assert found["negative duration", ""]["spans"] == 2
    assert found["negative duration", ""]["worst_ms"] == pytest.approx(7)
    assert found["negative duration", ""]["example"] == f"{2:032x}"
    counts = {name: row["spans"] for (name, _), row in found.items()}
    assert counts == {"negative duration": 2, "zero duration": 1, "unset start": 1, "unset end": 1}


def test_children_outside_their_parents_are_told_apart_by_service(system, tmp_path):
    system.span("a", 1, 1, at_ms=10, ms=10)
    system.span("a", 1, 2, parent=1, at_ms=8, ms=5)
    system.span("b", 1, 3, parent=1, at_ms=15, ms=30)
    system.span("b", 1, 4, parent=1, at_ms=40, ms=5, kind=CONSUMER)  # later, as it should
    traces = system.traces(tmp_path)
    found = table(otlp.check_traces(traces))
    assert set(found) == {("early child", "same service"), ("late child", "other service")}
    assert found["early child", "same service"]["worst_ms"] == pytest.approx(2)
    assert found["late child", "other service"]["worst_ms"] == pytest.approx(25)
    assert len(otlp.check_traces(traces, tolerance_ms=2)) == 1
    assert len(otlp.check_traces(traces, tolerance_ms=25)) == 0


def test_several_roots_are_a_problem_of_the_trace(system, tmp_path):
    system.span("a", 1, 1)
    system.span("a", 1, 2)
    system.span("a", 2, 3)
    health = otlp.check_traces(system.traces(tmp_path))
    row = table(health)["several roots", ""]
    assert (row["spans"], row["traces"], row["share"]) == (None, 1, 0.5)
    assert repr(health) == "TraceHealth: 3 spans, 2 traces: 1 several roots"


def test_health_draws_itself_as_a_table(system, tmp_path):
    system.span("<a>", 1, 1, at_ms=10, ms=10)
    system.span("b", 1, 2, parent=1, at_ms=9, ms=5, kind=CLIENT)
    health = otlp.check_traces(system.traces(tmp_path))
    assert "1.00 ms" in health._repr_html_()
    assert health.to_pandas()["example"].tolist() == [f"{1:032x}"]
    assert len(health.to_arrow()) == 1


def test_a_negative_tolerance_is_refused(shop):
    with pytest.raises(ValueError, match="tolerance_ms must be zero or more, got -1"):
        otlp.check_traces(shop, tolerance_ms=-1)


def test_no_spans_have_nothing_wrong(shop):
    assert len(otlp.check_traces(shop.filter(np.zeros(len(shop), bool)))) == 0
