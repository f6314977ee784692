"""Recordings as they come: clocks set back, spans sent twice, long traces, nothing at all; odd options."""

import random
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench.model.formal as wb
from workbench.model.formal.validating import searching
from workbench.model.formal.validating.events import _followers, last_that_need_not_wait, twins_in_line


class Wheel(wb.Model):
    """Turns either way; both at once from three places."""

    at = wb.Int(0, 2)

    @wb.action
    def up(s):
        s.at = (s.at + 1) % 3

    @wb.action
    def down(s):
        s.at = (s.at + 2) % 3


class Once(wb.Model):
    """What can happen once."""

    done = wb.Bool()

    @wb.action
    def do(s):
        wb.require(not s.done)
        s.done = True


NAMES = {"up": "up", "down": "down"}


def test_a_span_that_ends_before_it_began_is_an_instant_and_waits_for_nothing_that_waits_for_it():
    backwards = [wb.Span("up", 10, 5), wb.Span("down", 8, 3)]
    only = wb.validate(Wheel, [backwards], NAMES, hidden=()).traces[0]
    assert only.shown is True
    assert [step.action for step in only.behaviour] == [None, "down", "up"]


def test_a_span_that_was_sent_twice_counts_once():
    span = wb.Span("do", 1, 2, trace_id="ab", span_id="01")
    again = wb.Span("do", 1, 2, trace_id="ab", span_id="01")
    found = wb.validate(Once, [[span, again]], {"do": "do"})
    assert (found.conforms, found.repeated) == (True, 1)
    assert "spans recorded again" in found._repr_html_()


@pytest.mark.parametrize(
    "other",
    [
        wb.Span("do", 3, 4, trace_id="ab", span_id="01"),
        wb.Span("do", 1, 2, trace_id="ab", span_id="02"),
        wb.Span("do", 1, 2, trace_id="ab", span_id="01", kind="server"),
    ],
    ids=["later", "another", "the other side"],
)
def test_spans_that_differ_count_each(other):
    found = wb.validate(Once, [[wb.Span("do", 1, 2, trace_id="ab", span_id="01"), other]], {"do": "do"})
    assert (found.conforms, found.repeated) == (False, 0)


def test_spans_without_an_identity_are_never_the_same():
    assert wb.validate(Once, [[wb.Span("do", 1, 2), wb.Span("do", 1, 2)]], {"do": "do"}).repeated == 0


@pytest.mark.parametrize(
    "recording", [[], [[]], [[wb.Span("other", 1, 2)]]], ids=["none", "empty", "unmapped"]
)
def test_a_recording_that_says_nothing_of_the_model_proves_nothing(recording):
    found = wb.validate(Wheel, recording, NAMES)
    assert found.conforms is None
    assert repr(found) == "Validation(Wheel undecided: no span shows anything of it)"
    assert len(found.to_pandas()) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"clock_skew_s": inf}, "clock_skew_s must be a number of seconds"),
        ({"clock_skew_s": nan}, "clock_skew_s must be a number of seconds"),
        ({"clock_skew_s": "1"}, "clock_skew_s must be a number of seconds"),
        ({"max_states": 0}, "max_states must be an integer of at least 1"),
        ({"max_states": "many"}, "max_states must be an integer"),
        ({"max_hidden": -1}, "max_hidden must be an integer of at least 0"),
        ({"timeout_s": -1}, "timeout_s must be a number of seconds from 0 on"),
        ({"hidden": 3}, "hidden must be a list of actions, got 3"),
    ],
    ids=str,
)
def test_options_without_a_meaning_are_refused(options, said):
    with pytest.raises(wb.FormalError, match=said):
        wb.validate(Wheel, [[wb.Span("up", 1, 2)]], NAMES, **options)


@pytest.mark.parametrize("mapping", [["up"], None, "up"])
def test_a_mapping_that_is_none_is_refused(mapping):
    with pytest.raises(wb.MappingError, match="a dictionary by span names, or a function of a span"):
        wb.validate(Wheel, [[wb.Span("up", 1, 2)]], mapping)


@pytest.mark.parametrize("recording", [["up"], [wb.Span("up", 1, 2)], [3]], ids=["text", "spans", "number"])
def test_a_trace_that_is_no_sequence_of_spans_is_refused_with_its_number(recording):
    with pytest.raises(wb.MappingError, match="trace 0 must be a sequence of Span, got"):
        wb.validate(Wheel, recording, NAMES)


@pytest.mark.parametrize("length", [5, 35], ids=["in a line", "overlapping"])
def test_the_work_for_a_long_trace_grows_with_it_and_not_with_its_square(length, monkeypatch):
    tried = []
    original = searching._One.available

    def counting(self, shown):
        first = (~shown & (shown + 1)).bit_length() - 1
        tried.append(self._last[first] - first if first < len(self._last) else 0)
        return original(self, shown)

    monkeypatch.setattr(searching._One, "available", counting)
    spans = [wb.Span("up" if n % 2 else "down", 10 * n + 1, 10 * n + length) for n in range(3000)]
    assert wb.validate(Wheel, [spans], NAMES, hidden=(), max_states=None).conforms
    assert max(tried) <= 3


def orders(most=40):
    """Return times of events: where each begins and ends."""
    times = st.tuples(st.integers(0, 30), st.integers(0, 12), st.sampled_from("ab"))
    return st.lists(times, min_size=1, max_size=most)


def pattern(found):
    intervals = sorted((start, start + length, key) for start, length, key in found)
    return tuple(
        ((key,), sum(1 << place for place, (_, end, _) in enumerate(intervals) if end < start))
        for start, _, key in intervals
    )


def plain_twins(made):
    """Return what precedes each event by the definition: each pair of equal events is compared."""
    count = len(made)
    after = [sum(1 << f for f in range(count) if made[f][1] >> e & 1) for e in range(count)]
    found = [before for _, before in made]
    for one in range(count):
        for other in range(count):
            same = made[one] == made[other] and after[one] == after[other]
            comes_first = not made[one][1] & ~made[other][1] and not after[other] & ~after[one]
            if one != other and made[one][0] == made[other][0] and comes_first and (one < other or not same):
                found[other] |= 1 << one
    return found


def closed(before):
    """Return all that precedes each event, also by way of others."""
    found = list(before)
    for _ in found:
        for place, each in enumerate(found):
            for other in range(len(found)):
                if each >> other & 1:
                    found[place] |= found[other]
    return found


@given(orders())
def test_equal_events_are_put_in_line_as_the_comparison_of_all_pairs_does(found):
    made = pattern(found)
    assert closed(twins_in_line(made)) == closed(plain_twins(made))


@given(orders())
def test_an_event_waits_for_all_that_come_long_before_it(found):
    before = [each for _, each in pattern(found)]
    last = last_that_need_not_wait(before)
    for event, place in enumerate(last):
        assert not before[place] >> event & 1
        assert all(later >> event & 1 for later in before[place + 1 :])


def test_what_follows_is_the_transpose_of_what_precedes_for_long_traces_too():
    rng = random.Random(1)
    count = 700
    before = [rng.getrandbits(place) if place else 0 for place in range(count)]
    after = _followers(before)
    assert len(after) == count
    assert all((before[f] >> e & 1) == (after[e] >> f & 1) for e in range(count) for f in range(0, count, 7))
