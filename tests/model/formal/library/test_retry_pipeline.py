"""Retries with a budget as a model, held against the machines that it models."""

import math

import pytest

import workbench.model.formal as wb
from workbench.backoff import Exponential
from workbench.model.formal.library import RetryPipeline
from workbench.reliability.machines import budget, retry

CALLS, ATTEMPTS, BURST, CALLS_A_TOKEN = 2, 3, 1, 2


def machines(calls, attempts, burst, calls_a_token):
    """Return the machines' own decisions: calls (state, attempt, done), missing parts of tokens, retries."""
    policy = retry.parameters_of(Exponential(base_s=0.0, jitter="none"), attempts=attempts)
    tokens = budget.Parameters(ratio=1 / calls_a_token, minimum_hz=0.0, burst=float(burst))

    def decided(attempt, outcome):
        return retry.decide(policy, retry.State(), attempt, outcome, 0.0, 0.0, retry.NO_HINT_S, 0.0, math.inf)

    def successors(state):
        *each, missing, retries = state
        for c, (name, attempt, done) in enumerate(each):
            memory = budget.State(missing=missing / calls_a_token)

            def with_call(call, more=0, c=c, memory=memory):
                return (
                    *each[:c],
                    call,
                    *each[c + 1 :],
                    round(memory.missing * calls_a_token),
                    retries + more,
                )

            if name == "to come":
                budget.deposit(tokens, memory)
                yield with_call(("out", 1, done))
            elif name == "out":
                assert decided(attempt, retry.SUCCEEDED) == retry.DONE
                yield with_call(("succeeded", attempt, done + 1))
                assert decided(attempt, retry.FATAL) == retry.PERMANENT
                yield with_call(("failed", attempt, done))
                yield with_call(("failed for now", attempt, done))
                yield with_call(("failed for now", attempt, done + 1))
            elif name == "failed for now":
                again = decided(attempt, retry.RETRYABLE) >= 0.0 and budget.withdraw(tokens, memory, 0.0)
                yield (
                    with_call(("out", attempt + 1, done), 1)
                    if again
                    else with_call(("failed", attempt, done))
                )

    return [(*[("to come", 0, 0)] * calls, 0, 0)], successors


@pytest.mark.parametrize("sizes", [(1, 3, 1, 2), (2, 3, 1, 2), (2, 2, 2, 1)], ids=str)
def test_the_model_has_the_states_and_steps_of_the_machines_themselves(
    interpreted, counted, breadth_first, sizes
):
    verdict = interpreted(RetryPipeline(*sizes))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*machines(*sizes))


def test_both_engines_agree(checked, counted, breadth_first):
    sizes = (2, 3, 1, 2)
    assert counted(checked(RetryPipeline(*sizes))) == breadth_first(*machines(*sizes))


def test_a_retry_that_does_not_ask_for_a_token_is_not_paid_for(interpreted):
    class Spending(RetryPipeline(calls=2, attempts=3, burst=1, calls_a_token=2)):
        @wb.action(c=range(2))
        def retry(s, c):
            wb.require(s.call[c] == "failed for now")
            wb.require(s.attempt[c] < 3)
            s.retries += 1
            s.attempt[c] += 1
            s.call[c] = "out"

    verdict = interpreted(Spending)
    assert verdict.property == "retries_are_paid_for"
    assert len(verdict.trace) - 1 == 5


def test_a_retry_beyond_the_last_attempt_is_an_error(interpreted):
    class Endless(RetryPipeline(calls=1, attempts=2, burst=3)):
        @wb.action(c=range(1))
        def retry(s, c):
            wb.require(s.call[c] == "failed for now")
            s.attempt[c] += 1
            s.call[c] = "out"

    with pytest.raises(wb.ActionError, match="attempt"):
        interpreted(Endless)


def test_the_work_of_one_call_is_done_twice_after_four_steps(reaches):
    """Fail after the work, retry, succeed: why retries need work that can be repeated."""
    trace = reaches(RetryPipeline(calls=1), "done_twice")
    assert [step.action for step in trace[1:]] == ["begin", "fail", "retry", "succeed"]


def test_a_failure_does_not_mean_that_nothing_was_done(reaches):
    assert reaches(RetryPipeline(calls=1, attempts=1), "done_in_vain") is not None
