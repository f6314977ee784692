"""Retries with a budget: how often a call is made, and how often its work is done.

A call is tried again when it failed, until it has had all its attempts, or the budget has no token: a bucket
that gets a part of a token with each call, and gives a whole one for each retry. A failure may come before
the work was done or after it, when only the answer was lost; the caller cannot tell.

These are the decisions of `workbench.reliability.Retry` with a `RetryBudget`; delays are left out.

Source: this library's own policies, against which the tests run the model; the budgets of Finagle.
"""

import workbench.model.formal as wb

__all__ = ["RetryPipeline"]


def RetryPipeline(
    calls: int = 2, attempts: int = 3, burst: int = 1, calls_a_token: int = 2
) -> type[wb.Model]:
    """Return a number of calls that share a budget.

    Parameters
    ----------
    calls : int
        Calls, each made once, all at any time.
    attempts : int
        Attempts a call may have, the first included.
    burst : int
        Tokens that the budget holds; it starts full.
    calls_a_token : int
        How many calls pay for one retry: one by the ratio.

    Notes
    -----
    Its invariants: retries are at most `burst` and a share of the calls (`retries_are_paid_for`); who is told
    of a success had the work done (`success_is_true`). Not invariants, but questions: the work can be done
    twice (`done_twice`), and can be done though the caller is told of a failure (`done_in_vain`).
    """
    everybody = range(calls)
    full = burst * calls_a_token

    class RetryPipeline(wb.Model):
        """Each call's state, attempts, and how often its work was done; the budget in parts of a token."""

        call = wb.Array(calls, wb.Enum("to come", "out", "failed for now", "succeeded", "failed"))
        attempt = wb.Array(calls, wb.Int(0, attempts))
        done = wb.Array(calls, wb.Int(0, attempts))
        missing = wb.Int(0, full)
        retries = wb.Int(0, calls * attempts)

        @wb.action(c=everybody, fair="weak")
        def begin(s, c):
            wb.require(s.call[c] == "to come")
            s.missing = max(s.missing - 1, 0)
            s.attempt[c] = 1
            s.call[c] = "out"

        @wb.action(c=everybody, fair="weak")
        def succeed(s, c):
            wb.require(s.call[c] == "out")
            s.done[c] += 1
            s.call[c] = "succeeded"

        @wb.action(c=everybody, after_the_work=(False, True))
        def fail(s, c, after_the_work):
            wb.require(s.call[c] == "out")
            if after_the_work:
                s.done[c] += 1
            s.call[c] = "failed for now"

        @wb.action(c=everybody)
        def fail_for_good(s, c):
            wb.require(s.call[c] == "out")
            s.call[c] = "failed"

        @wb.action(c=everybody, fair="weak")
        def retry(s, c):
            wb.require(s.call[c] == "failed for now")
            wb.require(s.attempt[c] < attempts)
            wb.require(s.has_token())
            s.missing += calls_a_token
            s.retries += 1
            s.attempt[c] += 1
            s.call[c] = "out"

        @wb.action(c=everybody, fair="weak")
        def give_up(s, c):
            wb.require(s.call[c] == "failed for now")
            wb.require(s.attempt[c] == attempts or not s.has_token())
            s.call[c] = "failed"

        def has_token(s):
            """Tell whether the budget can pay for a retry."""
            return s.missing + calls_a_token <= full

        @wb.terminal
        def all_ended(s):
            return all(call == "succeeded" or call == "failed" for call in s.call)

        @wb.invariant
        def retries_are_paid_for(s):
            begun = sum(1 for attempt in s.attempt if attempt > 0)
            return s.retries * calls_a_token <= full + begun

        @wb.invariant
        def success_is_true(s):
            return all(s.call[c] != "succeeded" or s.done[c] >= 1 for c in everybody)

        @wb.predicate
        def done_twice(s):
            return any(done >= 2 for done in s.done)

        @wb.predicate
        def done_in_vain(s):
            return any(s.call[c] == "failed" and s.done[c] >= 1 for c in everybody)

    return RetryPipeline
