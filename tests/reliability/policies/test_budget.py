"""`RetryBudget`: the law of its machine is in the machine's tests; here is what is around it."""

import sys
import threading

import pytest

from workbench.clock import VirtualClock
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policy import PolicyError


def test_time_and_calls_fill_it():
    clock = VirtualClock()
    budget = RetryBudget(ratio=0.5, minimum_hz=2.0, burst=3.0, clock=clock)
    assert [budget.try_withdraw() for _ in range(4)] == [True, True, True, False]
    assert budget.wait_s() == 0.5
    budget.deposit()
    assert (budget.left(), budget.wait_s()) == (0.5, 0.25)
    clock.advance(0.25)
    assert budget.try_withdraw()
    clock.advance(100.0)
    assert budget.left() == 3.0


def test_without_time_or_calls_it_stays_empty():
    budget = RetryBudget(ratio=0.0, minimum_hz=0.0, burst=1.0)
    assert budget.try_withdraw()
    assert budget.wait_s() is None


def test_reset_fills_it():
    budget = RetryBudget(ratio=0.0, minimum_hz=0.0, burst=1.0)
    budget.try_withdraw()
    budget.reset()
    assert budget.statistics.to_dict() == {"calls": 0, "granted": 0, "refused": 0, "left": 1.0}


def test_threads_never_get_more_than_there_is():
    budget, granted = RetryBudget(ratio=0.25, minimum_hz=0.0, burst=7.0), []
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work():
        for number in range(2000):
            if number % 2:
                budget.deposit()
            elif budget.try_withdraw():
                granted.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    try:
        for each in workers:
            each.start()
    finally:
        for each in workers:
            each.join()
        sys.setswitchinterval(before)
    found = budget.statistics
    assert (found.calls, found.granted, found.granted + found.refused) == (4000, len(granted), 4000)
    assert len(granted) <= 7 + 0.25 * 4000


@pytest.mark.parametrize(
    ("name", "value"),
    [("ratio", -0.1), ("ratio", 1.5), ("minimum_hz", -1.0), ("burst", 0.5), ("burst", float("nan"))],
)
def test_arguments_that_make_no_sense_are_refused_by_name(name, value):
    with pytest.raises(PolicyError, match=name):
        RetryBudget(**{name: value})


def test_it_shows_what_it_allows():
    assert repr(RetryBudget()) == "RetryBudget(ratio=0.2, minimum_hz=1, burst=10)"
    assert "granted" in RetryBudget().statistics._repr_html_()
