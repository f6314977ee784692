"""Clock skew that was put in is found again, within bounds that contain it."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from systems import CLIENT, MS, START, System

from workbench import otlp

DELAY_MS = st.integers(0, 40)
OFFSET_MS = st.integers(-500, 500)


def call(system, number, client, server, offsets, *, at, there, work, back, error=False, late=0):
    """Add a call in a trace of its own; each service writes times by its own clock."""
    length = there + work + back - late
    system.span(client, number, 1, at_ms=at + offsets[client], ms=length, kind=CLIENT, error=error)
    system.span(server, number, 2, parent=1, at_ms=at + there + offsets[server], ms=work)


def decoded(system):
    return otlp.Traces.from_otlp(system.message.SerializeToString())


def offset_of(row, offsets):
    return offsets[row["service"]] - offsets[row["reference"]]


@st.composite
def skewed_systems(draw, services="abc"):
    offsets = {service: draw(OFFSET_MS) for service in services}
    system = System()
    pairs = st.tuples(st.sampled_from(services), st.sampled_from(services)).filter(
        lambda two: two[0] != two[1]
    )
    for number in range(1, draw(st.integers(1, 12)) + 1):
        client, server = draw(pairs)
        there, work, back = draw(DELAY_MS), draw(DELAY_MS), draw(DELAY_MS)
        given_up = draw(st.booleans())
        late = draw(st.integers(0, there + work + back)) if given_up else 0
        delays = {"there": there, "work": work, "back": back, "late": late, "error": given_up}
        call(system, number, client, server, offsets, at=1000 * number, **delays)
    return system, offsets


@given(skewed_systems())
def test_the_bounds_contain_the_offset_that_was_put_in(skewed):
    """Calls in both directions, given up or not: no bound is ever wrong, and all agree."""
    system, offsets = skewed
    for row in clock_rows(decoded(system)):
        true = offset_of(row, offsets)
        assert row["violated"] == 0
        assert row["lower_ms"] is None or row["lower_ms"] <= true
        assert row["upper_ms"] is None or row["upper_ms"] >= true
        if row["offset_ms"] is not None:
            assert abs(row["offset_ms"] - true) <= (row["upper_ms"] - row["lower_ms"]) / 2
        assert not (row["skewed"] and true == 0)


def clock_rows(traces, **options):
    return otlp.clock_skew(traces, **options).pairs.to_pylist()


@settings(max_examples=30)
@given(st.data(), OFFSET_MS)
def test_the_bounds_contain_it_while_more_than_half_of_the_pairs_are_honest(data, offset):
    """The others, whose servers end after their answers have left, are found out by contradiction."""
    system, offsets = System(), {"a": 0, "b": offset}
    honest = data.draw(st.integers(1, 8))
    for number in range(1, honest + data.draw(st.integers(0, honest - 1)) + 1):
        delays = {name: data.draw(DELAY_MS) for name in ("there", "work", "back")}
        extra = data.draw(st.integers(1, 30)) if number > honest else 0
        call(system, number, "a", "b", offsets, at=1000 * number, **delays)
        spans = system.scopes["b"].spans
        spans[-1].end_time_unix_nano += extra * MS
    (row,) = clock_rows(decoded(system))
    assume(row["violated"])
    assert row["lower_ms"] is None or row["lower_ms"] <= offset
    assert row["upper_ms"] >= offset


def test_pairs_that_contradict_each_other_widen_the_bounds_to_what_most_allow():
    system, offsets = System(), {"a": 0, "b": 0}
    for number in range(1, 10):
        call(system, number, "a", "b", offsets, at=100 * number, there=number, work=20, back=number)
    call(system, 10, "a", "b", offsets, at=5000, there=9, work=20, back=1)
    system.scopes["b"].spans[-1].end_time_unix_nano += 4 * MS  # three after the answer came
    (row,) = clock_rows(decoded(system))
    assert (row["violated"], row["skewed"]) == (1, False)
    assert row["lower_ms"] == -4
    assert row["upper_ms"] == 5


def test_many_calls_narrow_the_offset_down():
    rng = np.random.default_rng(7)
    system, offsets = System(), {"a": 0, "b": 250}
    for number in range(1, 201):
        there, back = 1 + rng.integers(0, 60, 2).tolist()[0], 1 + int(rng.integers(0, 60))
        call(system, number, "a", "b", offsets, at=100 * number, there=there, work=20, back=back)
    (row,) = clock_rows(decoded(system))
    assert (row["reference"], row["service"], row["pairs"], row["skewed"]) == ("a", "b", 200, True)
    assert 248 <= row["lower_ms"] <= 250 <= row["upper_ms"] <= 252


def test_given_up_calls_bound_one_side_only():
    system, offsets = System(), {"a": 0, "b": 0}
    call(system, 1, "a", "b", offsets, at=0, there=5, work=100, back=5, late=80, error=True)
    (row,) = clock_rows(decoded(system))
    assert (row["one_sided"], row["lower_ms"], row["upper_ms"], row["offset_ms"]) == (1, None, 5.0, None)
    assert not row["skewed"]


@pytest.mark.parametrize(("ahead_ms", "said"), [(-100, "-95.000 ms or less"), (100, "-95.000 ms or less")])
def test_a_skew_with_one_bound_only_says_which(ahead_ms, said):
    """Calls given up, from one side to the other: the called clock is behind, but how far nobody knows."""
    system, offsets = System(), {"a": 0, "b": ahead_ms}
    client, server = "ab" if ahead_ms < 0 else "ba"
    call(system, 1, client, server, offsets, at=500, there=5, work=40, back=0, error=True, late=30)
    skew = otlp.clock_skew(decoded(system))
    assert repr(skew) == f"ClockSkew: 1 pair of clocks, {server} {said} from {client}"
    assert skew.plot().get_title(loc="left") == "1 of 1 pairs of clocks are apart"


def test_a_clock_that_was_set_half_way_has_no_offset():
    system = System()
    for number in range(1, 11):
        offsets = {"a": 0, "b": 1000 if number > 5 else -1000}
        call(system, number, "a", "b", offsets, at=5000 * number, there=5, work=10, back=5)
    (row,) = clock_rows(decoded(system))
    assert (row["offset_ms"], row["skewed"], row["violated"]) == (None, False, 5)


def test_the_recording_of_one_machine_has_no_skew(recording):
    skew = otlp.clock_skew(recording)
    assert repr(skew) == "ClockSkew: 3 pairs of clocks, none skewed"
    assert all(row["lower_ms"] < 0 < row["upper_ms"] for row in skew.pairs.to_pylist())
    assert skew.shifts()["shift_ms"].to_pylist() == [0, 0, 0, 0]


def chain():
    system, offsets = System(), {"a": 0, "b": 300, "c": -200, "d": 50}
    for number in range(1, 21):
        for n, (client, server) in enumerate(("ab", "bc")):
            delays = {"there": 1 + number % 3, "work": 20, "back": 1}
            call(system, 100 * n + number, client, server, offsets, at=500 * number, **delays)
    system.span("d", 999, 1, at_ms=50)
    return decoded(system), offsets


def test_shifts_follow_the_calls_from_the_clock_to_trust():
    traces, offsets = chain()
    skew = otlp.clock_skew(traces)
    for reference in "ab":
        for row in skew.shifts(reference).to_pylist():
            true = offsets[row["service"]] - offsets[reference]
            if row["service"] == "d":  # nobody calls it
                assert row["shift_ms"] is None
            else:
                assert row["lower_ms"] <= true <= row["upper_ms"]
                assert row["shift_ms"] == pytest.approx(true, abs=2)
    with pytest.raises(otlp.SkewError, match="no clock is called 'z': there are b, a, c, d"):
        skew.shifts("z")


def test_corrected_times_put_children_into_their_parents():
    traces, _ = chain()
    start, stop = otlp.corrected_times(traces, reference="a")
    structure = traces.structure
    child = np.flatnonzero(structure.parent >= 0)
    above = structure.parent[child]
    assert (start[child] >= start[above]).all()
    assert (stop[child] <= stop[above]).all()
    assert (stop - start == structure.duration).all()
    alone = np.flatnonzero(traces["service.name"].to_numpy(zero_copy_only=False) == "d")
    assert start[alone] == structure.start[alone] == START + 50 * MS
    assert otlp.check_traces(traces).count("early child") == 20


def test_unset_times_keep_and_set_ones_are_corrected_each_by_itself():
    system = System()
    call(system, 1, "a", "b", {"a": 0, "b": 1000}, at=0, there=2, work=10, back=2)
    system.span("b", 2, 1, at_ms=1000).start_time_unix_nano = 0
    system.span("b", 3, 1, at_ms=1000).end_time_unix_nano = 0
    system.span("b", 4, 1, at_ms=1000)
    traces = decoded(system)
    start, stop = (times[-3:].tolist() for times in otlp.corrected_times(traces, reference="a"))
    assert start == [0, START, START]
    assert stop == [START + 10 * MS, 0, START + 10 * MS]


def test_a_column_that_no_span_knows_tells_no_clocks_apart(system):
    call(system, 1, "a", "b", {"a": 0, "b": 90}, at=0, there=2, work=10, back=2)
    with pytest.raises(otlp.UnknownKeyError, match=r"service\.name"):
        otlp.clock_skew(decoded(system), by="service.nane")


def test_spans_of_no_named_service_share_a_clock(system):
    system.span("a", 1, 1)
    system.message.resource_spans[0].resource.ClearField("attributes")
    assert otlp.clock_skew(decoded(system)).clocks == ("unknown_service",)


def test_clocks_can_be_told_apart_by_another_column(system):
    call(system, 1, "a", "b", {"a": 0, "b": 90}, at=0, there=2, work=10, back=2)
    for service in "ab":
        resource = next(
            r for r in system.message.resource_spans if r.scope_spans[0] == system.scopes[service]
        )
        resource.resource.attributes.add(key="host.name").value.string_value = f"host-{service}"
    (row,) = clock_rows(decoded(system), by="host.name")
    assert (row["reference"], row["service"], row["skewed"]) == ("host-a", "host-b", True)


def test_skew_draws_itself():
    traces, _ = chain()
    skew = otlp.clock_skew(traces)
    assert repr(skew) == "ClockSkew: 2 pairs of clocks, c -500.000 ms from b; b +300.000 ms from a"
    assert "+300" in skew._repr_html_()
    assert skew.plot().get_title(loc="left") == "2 of 2 pairs of clocks are apart"
    assert len(skew.to_pandas()) == len(skew) == 2


def test_no_spans_have_no_clocks(shop):
    none = otlp.clock_skew(shop.filter(np.zeros(len(shop), bool)))
    assert len(none) == len(none.shifts()) == 0
    none.plot()
    assert [len(times) for times in otlp.corrected_times(shop.filter(np.zeros(len(shop), bool)))] == [0, 0]
