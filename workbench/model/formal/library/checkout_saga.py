"""The saga of the checkout recording: an order in steps, each of which can be undone or must be lived with.

::

    cart ──▶ reserve ──▶ charge ──▶ confirm ──▶ confirmed
      │         │           │          └──▶ unconfirmed
      │         ├───────────┴──▶ release ──▶ declined, failed, timed out
      │         └──▶ sold out
      └──▶ failed, timed out

Each step is a call with several attempts. An attempt that is not answered may have arrived, may arrive later,
or never: stock and payment know an order by its number, and do nothing twice. If all attempts of `reserve` or
`charge` fail, the reservation is released.

Two questions that the model answers with a behaviour each: can a customer pay for nothing
(`paid_for_nothing`), can stock be lost (`stock_is_stuck`)? Both can: nobody takes a late charge back, and a
reservation may arrive after its release.

Source: the gateway of `datasets/checkout`, whose spans `reserve`, `charge`, `confirm` and `release` are the
steps; H. Garcia-Molina, K. Salem, Sagas, SIGMOD 1987.
"""

import workbench.model.formal as wb

__all__ = ["CheckoutSaga"]


def CheckoutSaga(attempts: int = 3) -> type[wb.Model]:
    """Return one order, whose calls have so many attempts.

    Its invariants: a card is charged once at most (`charged_at_most_once`); a confirmed order is paid, and
    its goods are taken (`confirmed_is_complete`); who is declined, or finds the goods sold out, does not pay
    (`refused_costs_nothing`).
    """
    reasons = ("failed", "timed out")

    class CheckoutSaga(wb.Model):
        """Where the order is, what its customer is told, what stock and payment know, and late calls."""

        at = wb.Enum("cart", "reserve", "charge", "confirm", "release", "ended")
        unanswered = wb.Int(0, attempts)  # attempts of this step
        outcome = wb.Enum("open", "confirmed", "declined", "sold out", "failed", "timed out", "unconfirmed")
        card_is_good = wb.Bool()
        reservation = wb.Enum("none", "reserved", "confirmed", "released")
        charged = wb.Int(0, attempts + 1)
        on_the_way = wb.Set(("reserve", "charge", "confirm", "release"))

        def init(s):
            for s.card_is_good in (False, True):
                yield

        @wb.action(fair="weak")
        def read_cart(s):
            wb.require(s.at == "cart")
            s.go_to("reserve")

        @wb.action(fair="weak")
        def reserve(s):
            wb.require(s.at == "reserve")
            s.reserve_units()
            s.go_to("charge")

        @wb.action
        def find_sold_out(s):
            wb.require(s.at == "reserve")
            wb.require(s.reservation == "none")
            s.end("sold out")

        @wb.action(fair="weak")
        def charge(s):
            wb.require(s.at == "charge")
            wb.require(s.card_is_good)
            s.charge_card()
            s.go_to("confirm")

        @wb.action(fair="weak")
        def decline(s):
            wb.require(s.at == "charge")
            wb.require(not s.card_is_good)
            s.outcome = "declined"
            s.go_to("release")

        @wb.action(fair="weak")
        def confirm(s):
            wb.require(s.at == "confirm")
            s.confirm_units()
            s.end("confirmed")

        @wb.action(fair="weak")
        def release(s):
            wb.require(s.at == "release")
            s.release_units()
            s.at = "ended"

        @wb.action
        def get_no_answer(s):
            wb.require(s.at != "ended")
            wb.require(s.unanswered < attempts)
            s.unanswered += 1
            if s.at == "reserve":
                s.on_the_way.add("reserve")
            elif s.at == "charge":
                s.on_the_way.add("charge")
            elif s.at == "confirm":
                s.on_the_way.add("confirm")
            elif s.at == "release":
                s.on_the_way.add("release")

        @wb.action(reason=reasons, fair="weak")
        def give_up(s, reason):
            wb.require(s.unanswered == attempts)
            wb.require(s.at == "cart" or s.at == "reserve" or s.at == "charge")
            s.outcome = reason
            if s.at == "cart":
                s.end(reason)
            else:
                s.go_to("release")

        @wb.action(fair="weak")
        def give_up_confirming(s):
            wb.require(s.unanswered == attempts)
            wb.require(s.at == "confirm")
            s.end("unconfirmed")

        @wb.action(fair="weak")
        def give_up_releasing(s):
            wb.require(s.unanswered == attempts)
            wb.require(s.at == "release")
            s.at = "ended"

        @wb.action(call=("reserve", "charge", "confirm", "release"))
        def arrive_late(s, call):
            wb.require(call in s.on_the_way)
            s.on_the_way.discard(call)
            if call == "reserve":
                s.reserve_units()
            elif call == "charge":
                s.charge_card()
            elif call == "confirm":
                s.confirm_units()
            else:
                s.release_units()

        def go_to(s, step):
            """Begin a step."""
            s.at = step
            s.unanswered = 0

        def end(s, outcome):
            """Tell the customer."""
            s.at = "ended"
            s.outcome = outcome

        def reserve_units(s):
            """Do what stock does on a reservation: nothing, if it knows the order."""
            if s.reservation == "none":
                s.reservation = "reserved"

        def confirm_units(s):
            """Do what stock does on a confirmation."""
            if s.reservation == "reserved":
                s.reservation = "confirmed"

        def release_units(s):
            """Do what stock does on a release: nothing, if nothing is reserved."""
            if s.reservation == "reserved":
                s.reservation = "released"

        def charge_card(s):
            """Do what payment does on a charge: nothing, if the order is paid or the card is bad."""
            if s.card_is_good and s.charged == 0:
                s.charged += 1

        @wb.terminal
        def ended(s):
            return s.at == "ended"

        @wb.invariant
        def charged_at_most_once(s):
            return s.charged <= 1

        @wb.invariant
        def confirmed_is_complete(s):
            return s.outcome != "confirmed" or (s.charged == 1 and s.reservation == "confirmed")

        @wb.invariant
        def refused_costs_nothing(s):
            return (s.outcome != "declined" and s.outcome != "sold out") or s.charged == 0

        @wb.predicate
        def is_confirmed(s):
            return s.outcome == "confirmed"

        @wb.predicate
        def paid_for_nothing(s):
            return s.at == "ended" and s.charged > 0 and (s.outcome == "failed" or s.outcome == "timed out")

        @wb.predicate
        def stock_is_stuck(s):
            told = s.outcome != "confirmed" and s.outcome != "unconfirmed"
            return s.at == "ended" and told and s.reservation == "reserved"

    return CheckoutSaga
