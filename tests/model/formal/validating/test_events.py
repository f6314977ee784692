"""When events happened, and what that says of their order."""

import pytest

import workbench.model.formal as wb


class Switch(wb.Model):
    """Goes on and off, and on again."""

    on = wb.Bool()
    times = wb.Int(0, 9)

    @wb.action
    def turn_on(s):
        wb.require(not s.on)
        wb.require(s.times < 9)
        s.on = True
        s.times += 1

    @wb.action
    def turn_off(s):
        wb.require(s.on)
        s.on = False

    @wb.terminal
    def off(s):
        return not s.on


def shown(*spans, at="within", **options):
    def mapping(span):
        return wb.Observed(span.name, at=span.attributes.get("at", at))

    return wb.validate(Switch, [list(spans)], mapping, hidden=(), **options).traces[0].shown


def span(name, start, end, service="", **attributes):
    return wb.Span(name, start, end, attributes, service=service)


def test_spans_one_after_the_other_are_in_order():
    assert shown(span("turn_on", 1, 2), span("turn_off", 3, 4)) is True
    assert shown(span("turn_off", 1, 2), span("turn_on", 3, 4)) is False


def test_the_order_of_the_recording_does_not_count():
    assert shown(span("turn_off", 3, 4), span("turn_on", 1, 2)) is True


def test_spans_that_overlap_or_touch_may_be_in_either_order():
    assert shown(span("turn_off", 1, 3), span("turn_on", 2, 4)) is True
    assert shown(span("turn_off", 1, 2), span("turn_on", 2, 4)) is True


def test_ends_and_starts_are_in_order_though_their_spans_overlap():
    assert shown(span("turn_off", 1, 3), span("turn_on", 2, 4), at="end") is False
    assert shown(span("turn_off", 1, 3), span("turn_on", 2, 4), at="start") is False
    assert shown(span("turn_off", 1, 4), span("turn_on", 2, 3), at="end") is True
    assert shown(span("turn_off", 1, 4), span("turn_on", 2, 3, at="start"), at="end") is True


def test_a_span_may_show_its_start_and_its_end_in_whatever_order_they_are_listed():
    both = [wb.Observed("turn_off", at="end"), wb.Observed("turn_on", at="start")]
    for listed in (both, both[::-1]):
        for length in (0, 5):
            made = wb.validate(Switch, [[span("lit", 7, 7 + length)]], {"lit": listed}, complete=True)
            assert made.traces[0].shown is True


def test_events_of_one_span_at_one_time_are_in_the_order_listed():
    def lit(*actions):
        return wb.validate(Switch, [[span("lit", 1, 2)]], {"lit": actions}).traces[0].shown

    assert lit("turn_on", "turn_off", "turn_on") is True
    assert lit("turn_off", "turn_on") is False


def test_clocks_that_differ_loosen_the_order_between_services_and_not_within_one():
    of_two = span("turn_off", 1, 2, "a"), span("turn_on", 4, 5, "b")
    of_one = span("turn_off", 1, 2, "a"), span("turn_on", 4, 5, "a")
    assert shown(*of_two) is False
    assert shown(*of_two, clock_skew_s=1e-9) is False
    assert shown(*of_two, clock_skew_s=3e-9) is True
    assert shown(*of_one, clock_skew_s=3e-9) is False


def test_a_span_without_a_start_has_no_place_in_time():
    assert shown(span("turn_off", 0, 0), span("turn_on", 3, 4)) is True


def test_more_spans_than_a_word_has_bits_are_no_problem():
    spans = [span("turn_on" if at % 2 else "turn_off", 2 * at, 2 * at + 1) for at in range(1, 201)]
    many = wb.validate(Switch, [spans], lambda found: found.name, hidden=()).traces[0]
    assert many.matched == 18
    assert "s.times < 9" in many.reason


@pytest.mark.parametrize("number", [4, 9])
def test_events_that_all_overlap_are_all_tried(number):
    pairs = ["turn_off"] * number + ["turn_on"] * number
    assert shown(*(span(name, 1, 100) for name in pairs)) is True
    assert shown(*(span(name, 1, 100) for name in [*pairs, "turn_off"])) is False


def test_equal_events_that_overlap_are_not_tried_in_every_order():
    spans = [span(name, 1, 100) for name in ["turn_on", "turn_off"] * 9]
    only = wb.validate(Switch, [spans], lambda found: found.name, hidden=()).traces[0]
    assert only.shown is True
    assert only.explored < 200
