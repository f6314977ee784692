"""Which change explains which: the cause is further down the calls, and large enough."""

import pytest

from workbench.otlp.analysis._change import Change, ranked

BELOW = {"web": {"cart", "stock"}, "cart": {"stock"}, "stock": set()}


def change(service, impact, what="slower", *, worse=True, call="", name="work"):
    sign = 1 if worse else -1
    return Change(
        service,
        name,
        what,
        before=1,
        after=2,
        contribution=sign * impact,
        impact=impact,
        effect=0.5,
        q=0.001,
        call=call,
    )


def explained(*changes):
    return {(found.service, found.what): found.explained_by for found in ranked(changes, BELOW)}


def test_a_change_further_down_explains_those_above_and_stands_before_them():
    found = ranked([change("web", 3.0), change("cart", 2.0), change("stock", 1.0)], BELOW)
    assert [(one.service, one.explained_by) for one in found] == [
        ("stock", ""),
        ("web", "cart"),
        ("cart", "stock"),
    ]


def test_a_cause_has_a_quarter_of_the_impact_at_least():
    assert explained(change("web", 1.0), change("stock", 0.25))["web", "slower"] == "stock"
    assert explained(change("web", 1.0), change("stock", 0.24))["web", "slower"] == ""


def test_a_caller_explains_nothing():
    assert explained(change("web", 9.0), change("stock", 1.0))["stock", "slower"] == ""


def test_what_got_better_does_not_explain_what_got_worse():
    better = change("stock", 1.0, "faster", worse=False)
    assert explained(change("web", 1.0), better)["web", "slower"] == ""
    assert (
        explained(change("web", 1.0, "fewer errors", worse=False), better)["web", "fewer errors"] == "stock"
    )


def test_calls_that_failed_operations_no_longer_make_are_explained_by_the_errors():
    errors, calls = (
        change("stock", 1.0, "more errors"),
        change("stock", 0.5, "fewer calls", worse=False, call="a > b"),
    )
    assert explained(errors, calls)["stock", "fewer calls"] == "stock"
    assert explained(errors, change("stock", 0.5, "faster", worse=False))["stock", "faster"] == ""


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("slower", "stock work: slower, self time 1 -> 2 ms, +0.5 ms a trace"),
        ("more errors", "stock work: more errors, errors 100.0% -> 200.0%, +50.0 % of traces"),
        ("more traffic", "stock work: more traffic, 100.0% -> 200.0% of traces, +0.5 ms a trace"),
        ("more calls", "stock work: more calls, 1 -> 2 per call, +0.5 ms a trace"),
    ],
)
def test_a_change_says_what_it_is_with_units(what, text):
    assert str(change("stock", 0.5, what)) == text


def test_a_changed_call_is_shown_by_its_caller_and_itself():
    assert change("a", 1.0, "more calls", call="a x > a y > b z", name="y").shown_name == "y > b z"
