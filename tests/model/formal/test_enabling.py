"""Why an action is not enabled: its guards, one by one."""

import pytest
from small_models import Asserting, Bounded, Tokens

import workbench.model.formal as wb


def test_every_guard_is_evaluated_even_behind_one_that_does_not_hold():
    tokens = Tokens(3)
    found = wb.why_not(tokens(at=[0, 2, 0]), "move", i=0)
    (tried,) = found.tried
    assert [(guard.text, guard.held) for guard in tried.guards] == [
        ("s.at[i] > 0", False),
        ("s.at[i + 1] < 2", False),
    ]
    assert tried.guards[1].line == tried.guards[0].line + 1
    assert not tried.enabled
    assert repr(found) == "Guards: move(i=0) is not enabled: 2 of 2 guards not held"


def test_an_enabled_action_says_so():
    found = wb.why_not(Tokens(3)(at=[2, 0, 0]), "move", i=0)
    assert found.tried[0].enabled
    assert repr(found) == "Guards: move(i=0) is enabled"


def test_what_a_guard_protects_may_fail_and_is_said():
    model = wb.library.AlternatingBit()
    found = wb.why_not(model(), "receive")
    assert found.tried[0].reason.startswith("len(s.to_receiver) > 0 (line ")
    assert "not reached: IndexError" in found.tried[0].note
    assert "not reached" in repr(found.table())


def test_a_guard_over_several_lines_is_one_line_of_text():
    class Long(wb.Model):
        n = wb.Int(0, 3)

        @wb.action
        def up(s):
            wb.require(
                s.n > 1 and s.n < 3  # not the last one
            )
            s.n += 1

    assert wb.why_not(Long(), "up").tried[0].guards[0].text == "s.n > 1 and s.n < 3"


def test_without_an_action_all_are_tried_in_a_deadlock():
    verdict = wb.check(wb.library.DiningPhilosophers(3))
    found = wb.why_not(verdict.trace[-1])
    assert len(found.tried) == 12
    assert found.enabled == ()
    assert all(tried.failed for tried in found.tried)
    assert repr(found) == "Guards: 0 of 12 actions enabled"
    assert list(found.to_pandas().columns) == ["action", "enabled", "line", "guard", "held"]
    assert "take_right(i=2)" in found._repr_html_()


def test_parameters_that_are_not_given_take_all_their_values():
    assert [tried.label for tried in wb.why_not(Tokens(4)(), "move").tried] == [
        "move(i=0)",
        "move(i=1)",
        "move(i=2)",
    ]


def test_assertions_and_constraints_are_said():
    assert "two is too many" in wb.why_not(Asserting(n=1), "up").tried[0].note
    assert wb.why_not(Bounded(n=9), "up").tried[0].note == "the state after it is left out by small"


@pytest.mark.parametrize(
    ("action", "args", "words"),
    [
        ("jump", {}, "Tokens has no action 'jump'; its actions are move"),
        ("move", {"k": 1}, "move has no parameter 'k'; it has i"),
        ("move", {"i": 7}, "i=7 is none of the values of move's i: 0, 1"),
        (None, {"i": 0}, "Tokens has no action None"),
    ],
)
def test_what_the_model_does_not_have_is_refused(action, args, words):
    with pytest.raises(wb.ModelError, match=words):
        wb.why_not(Tokens(3)(), action, **args)
