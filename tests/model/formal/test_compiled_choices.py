"""Names and None as values of an expression: compiled, they are what Python makes of them."""

import pytest
from agreement import checked_by_both

import workbench.model.formal as wb

pytestmark = pytest.mark.slow


def test_one_of_two_names_goes_into_a_field_that_has_both():
    class Lamp(wb.Model):
        light = wb.Enum("off", "green", "amber", "red")
        fast = wb.Bool()

        @wb.action
        def hurry(s):
            s.fast = not s.fast

        @wb.action
        def switch(s):
            s.light = "red" if s.light == "amber" else ("green" if s.fast else "amber")

        @wb.invariant
        def says_so(s):
            return (s.light if s.fast else "off") != "red"

    verdict = checked_by_both(Lamp)
    assert verdict.distinct == 8
    assert verdict.property == "says_so"


def test_a_name_that_the_field_does_not_have_is_the_same_error():
    class Lamp(wb.Model):
        light = wb.Enum("off", "green")
        lit = wb.Bool()

        @wb.action
        def switch(s):
            s.lit = not s.lit
            s.light = "green" if s.lit else "blue"

    for engine in ("python", "compiled"):
        with pytest.raises(wb.ActionError, match="'blue' is none of"):
            wb.check(Lamp, engine=engine)


def test_none_or_a_number_goes_into_a_field_that_may_be_empty():
    class Seat(wb.Model):
        taken_by = wb.Maybe(range(3))
        reserved_for = wb.Maybe(range(5))
        guests = wb.Set(range(3))

        @wb.action(guest=range(3))
        def sit(s, guest):
            s.taken_by = guest if s.taken_by is None else None

        @wb.action
        def reserve(s):
            s.reserved_for = s.taken_by

        @wb.action
        def leave(s):
            s.taken_by = None if s.taken_by in s.guests else s.taken_by

        @wb.action
        def arrive(s):
            wb.require(s.taken_by is not None)
            s.guests.add(s.taken_by)

        @wb.invariant
        def no_guest_is_first(s):
            return s.reserved_for not in s.guests or s.taken_by == s.reserved_for

    verdict = checked_by_both(Seat)
    assert verdict.property == "no_guest_is_first"
    assert verdict.distinct == 4 * 4 * 8


def test_names_of_two_fields_are_equal_if_they_are_the_same():
    class Vote(wb.Model):
        mine = wb.Enum("open", "yes", "no")
        yours = wb.Enum("no", "yes", "absent")

        @wb.action(answer=("yes", "no"))
        def vote(s, answer):
            s.mine = answer

        @wb.action(answer=("yes", "absent"))
        def answer(s, answer):
            wb.require(s.mine != s.yours)
            s.yours = answer

        @wb.invariant
        def different(s):
            return s.mine != s.yours or s.mine == "no"

    verdict = checked_by_both(Vote)
    assert verdict.property == "different"
    assert verdict.distinct == 9


@pytest.mark.parametrize("size", [3, 2**20], ids=["in one word", "in several words"])
def test_any_element_of_a_sequence_can_be_taken_out(size):
    class Line(wb.Model):
        people = wb.Seq(wb.Int(0, size), 4)

        @wb.action(who=range(2))
        def come(s, who):
            wb.require(len(s.people) < 4)
            s.people.append(who)

        @wb.action(i=range(-1, 4))
        def give_up(s, i):
            wb.require(i < len(s.people) and len(s.people) > 0)
            gone = s.people.pop(i)
            assert gone == 0 or len(s.people) < 3

    verdict = checked_by_both(Line)
    assert verdict.distinct == 2**5 - 1
    assert [each.kind for each in verdict.violations] == ["assertion"]


def test_an_action_whose_parameter_ranges_over_nothing_never_happens():
    class Half(wb.Model):
        n = wb.Int(0, 3)

        @wb.action(up=range(0))
        def jump(s, up):
            s.n += up

        @wb.action
        def turn(s):
            s.n = (s.n + 1) % 4

    verdict = checked_by_both(Half)
    assert verdict.distinct == 4
    assert verdict.statistics.never_enabled == ("jump",)
