"""The saga of the checkout, and the recording that it is of."""

from collections import Counter
from pathlib import Path

import pytest

import workbench.model.formal as wb
from workbench import otlp
from workbench.model.formal.library import CheckoutSaga

RECORDING = Path(__file__).parents[4] / "datasets" / "checkout" / "traces.otlp.zst"
STEPS = ("reserve", "charge", "confirm", "release")


def saga(attempts):  # noqa: C901 - the order again, in one piece
    """Where, unanswered, outcome, whether the card is good, the reservation, charges, calls on their way."""

    def arrived(call, card, held, charged):
        if call == "reserve" and held == "none":
            held = "reserved"
        elif call == "confirm" and held == "reserved":
            held = "confirmed"
        elif call == "release" and held == "reserved":
            held = "released"
        elif call == "charge" and card:
            charged = 1
        return held, charged

    def answered(state):
        at, _, outcome, card, held, charged, late = state
        held, charged = arrived(at, card, held, charged) if at != "charge" or card else (held, charged)
        world = (card, held, charged, late)
        if at == "cart":
            yield ("reserve", 0, outcome, *world)
        elif at == "reserve":
            yield ("charge", 0, outcome, *world)
            if state[4] == "none":
                yield ("ended", state[1], "sold out", *state[3:])
        elif at == "charge":
            yield ("confirm", 0, outcome, *world) if card else ("release", 0, "declined", *world)
        elif at == "confirm":
            yield ("ended", state[1], "confirmed", *world)
        elif at == "release":
            yield ("ended", state[1], outcome, *world)

    def given_up(state):
        at, tried, outcome, *world = state
        if at == "confirm":
            yield ("ended", tried, "unconfirmed", *world)
        elif at == "release":
            yield ("ended", tried, outcome, *world)
        elif at != "ended":
            for reason in ("failed", "timed out"):
                yield ("ended", tried, reason, *world) if at == "cart" else ("release", 0, reason, *world)

    def successors(state):
        at, tried, outcome, card, held, charged, late = state
        yield from answered(state)
        if at != "ended" and tried < attempts:
            yield at, tried + 1, outcome, card, held, charged, late | ({at} - {"cart"})
        if tried == attempts:
            yield from given_up(state)
        for call in late:
            yield at, tried, outcome, card, *arrived(call, card, held, charged), late - {call}

    return [("cart", 0, "open", card, "none", 0, frozenset()) for card in (False, True)], successors


@pytest.mark.parametrize("attempts", [1, 3])
def test_it_has_the_states_of_an_independent_count(interpreted, counted, breadth_first, attempts):
    verdict = interpreted(CheckoutSaga(attempts))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*saga(attempts))


def test_both_engines_agree(checked, counted, breadth_first):
    assert counted(checked(CheckoutSaga(2))) == breadth_first(*saga(2))


def test_a_payment_that_does_not_know_its_orders_charges_twice(interpreted):
    class Repeating(CheckoutSaga()):
        def charge_card(s):
            if s.card_is_good:
                s.charged += 1

    verdict = interpreted(Repeating)
    assert verdict.property == "charged_at_most_once"
    assert len(verdict.trace) - 1 == 5


def test_a_late_charge_is_paid_for_nothing(reaches):
    """The card is charged, all answers are lost, the reservation is released: nobody gives the money back."""
    trace = reaches(CheckoutSaga(), "paid_for_nothing")
    assert [step.action for step in trace[1:-5]] == ["read_cart", "reserve", "get_no_answer"]
    assert [step.action for step in trace[-5:]] == [
        "get_no_answer",
        "get_no_answer",
        "give_up",
        "release",
        "arrive_late",
    ]


def test_a_reservation_that_arrives_after_its_release_is_stuck(reaches):
    assert reaches(CheckoutSaga(), "stock_is_stuck")[-1].state.reservation == "reserved"


def test_without_late_arrivals_and_lost_releases_no_stock_is_stuck(interpreted):
    class Prompt(CheckoutSaga()):
        @wb.action
        def get_no_answer(s):
            wb.require(s.at in {"charge", "cart"})
            wb.require(s.unanswered < 3)
            s.unanswered += 1

        @wb.invariant
        def stock_is_never_stuck(s):
            return not s.stock_is_stuck()

    assert interpreted(Prompt).holds is True


def orders():
    """Yield of each recorded order its steps in order, as (name, outcome, retries), and how it ended."""
    spans = otlp.read(RECORDING)
    rows = spans.sql("""
        select hex(parent_span_id) as parent, hex(span_id) as id, name, start_time_unix_nano as start,
               "checkout.step.outcome" as step, "checkout.outcome" as ended, "retry.count" as retries
        from spans where name in ('checkout', 'reserve', 'charge', 'confirm', 'release')
        order by start
    """).to_pandas()
    steps = {}
    for row in rows[rows.name != "checkout"].itertuples():
        steps.setdefault(row.parent, []).append((row.name, row.step, int(row.retries)))
    for row in rows[rows.name == "checkout"].itertuples():
        yield steps.get(row.id, []), row.ended.replace("_", " ")


def take(state, name, outcome, retries):
    """Take the steps of the model that a span stands for."""
    for _ in range(retries):
        state.get_no_answer()
    if outcome in ("failed", "timed_out"):
        state.get_no_answer()
        state.give_up(outcome.replace("_", " "))
    elif outcome == "declined":
        state.card_is_good = False  # the card was never good: nobody can have seen it before
        state.decline()
    elif outcome == "sold_out":
        state.find_sold_out()
    else:
        getattr(state, name)()


@pytest.mark.slow
def test_every_recorded_order_is_a_behaviour_of_the_model_and_ends_as_it_says():
    endings = Counter()
    for steps, ended in orders():
        state = CheckoutSaga()(card_is_good=True)
        state.read_cart()
        for step in steps:
            take(state, *step)
        assert state.at == "ended"
        assert state.outcome == ended
        endings[ended] += 1
    assert sum(endings.values()) == 957
    assert endings["confirmed"] == 895
