"""A circuit breaker, of which one may ask: can it stay open for ever.

::

    closed ── too many of the last calls failed ──▶ open ── a call comes after a while ──▶ half open
       ▲                                             ▲                                        │
       └── trial calls are back, few failed ─────────┼────────────────────────────────────────┤
                                                     └── many failed, or not back for long ───┘

These are the transitions of `workbench.reliability.CircuitBreaker` with a window of calls; a duration is
either over or not. Each change of state makes calls that are still out *outdated*: their outcomes are not
counted.

Only a call opens a way out of "open", and only trial calls that come back one out of "half open". So it
closes again if the service recovers, calls keep coming, and calls end. If a trial call hangs, and trials are
waited for without end (`half_open_s` is infinite), it rejects for ever.

Source: M. Nygard, Release It! (2007), chapter 5; this library's own breaker, against which the tests run the
model.
"""

import workbench.model.formal as wb

__all__ = ["CircuitBreaker"]


def CircuitBreaker(
    callers: int = 2, window: int = 2, failures: int = 2, trials: int = 1, *, trials_end: bool = False
) -> type[wb.Model]:
    """Return a breaker with a number of callers, each with one call at a time.

    Parameters
    ----------
    callers : int
        How many calls may be out together.
    window, failures : int
        It opens when `failures` of the last `window` calls failed.
    trials : int
        How many calls a half-open breaker lets through.
    trials_end : bool
        Whether a half-open breaker opens again when its trial calls are not back in time.

    Notes
    -----
    Its invariants: every trial is at hand, out, or back (`trials_are_accounted_for`); outcomes of calls that
    came before it opened are not counted (`open_has_no_current_call`); a closed one has few failures
    (`closed_has_few_failures`). And it never goes from open to closed without a trial
    (`no_way_from_open_to_closed`).
    """
    everybody = range(callers)

    class CircuitBreaker(wb.Model):
        """The breaker, its callers, the service behind it, and whether a while has passed in its state."""

        state = wb.Enum("closed", "open", "half open")
        outcomes = wb.Seq(wb.Bool(), window)  # of the last calls, the oldest first: True for a failure
        trials_left = wb.Int(0, trials)
        trials_back = wb.Int(0, trials)
        trials_failed = wb.Int(0, trials)
        waited = wb.Bool()
        call = wb.Array(callers, wb.Enum("none", "current", "outdated"))
        service_works = wb.Bool()

        def init(s):
            s.service_works = True

        @wb.action(c=everybody, fair="weak")
        def ask(s, c):
            wb.require(s.call[c] == "none")
            if s.state == "open" and s.waited:
                s.change_to("half open")
                s.trials_left = trials
            elif s.state == "half open" and s.trials_left == 0 and s.waited:
                s.change_to("open")
            if s.state == "closed":
                s.call[c] = "current"
            elif s.state == "half open" and s.trials_left > 0:
                s.trials_left -= 1
                s.call[c] = "current"

        @wb.action(c=everybody, fair="strong")
        def come_back(s, c):
            wb.require(s.call[c] != "none")
            counts = s.call[c] == "current"
            s.call[c] = "none"
            if counts and s.state == "closed":
                s.learn(not s.service_works)
            elif counts:
                s.learn_of_trial(not s.service_works)

        @wb.action(c=everybody)
        def cancel(s, c):
            wb.require(s.call[c] != "none")
            if s.call[c] == "current" and s.state == "half open":
                s.trials_left += 1
            s.call[c] = "none"

        @wb.action(fair="weak")
        def a_while_passes(s):
            wb.require(s.state == "open" or (s.state == "half open" and trials_end))
            wb.require(not s.waited)
            s.waited = True

        @wb.action
        def service_breaks(s):
            wb.require(s.service_works)
            s.service_works = False

        @wb.action(fair="weak")
        def service_recovers(s):
            wb.require(not s.service_works)
            s.service_works = True

        def learn(s, failed):
            """Take the outcome of a call into the window, and open if there are too many failures in it."""
            if len(s.outcomes) == window:
                s.outcomes.pop(0)
            s.outcomes.append(failed)
            if s.fails_too_often():
                s.change_to("open")

        def learn_of_trial(s, failed):
            """Count the outcome of a trial call, and decide when all are back."""
            s.trials_back += 1
            if failed:
                s.trials_failed += 1
            if s.trials_back == trials:
                s.change_to("open" if s.trials_failed * window >= failures * trials else "closed")

        def change_to(s, state):
            """Change the state: calls that are out are outdated, and nothing is known of those to come."""
            s.state = state
            s.waited = False
            s.outcomes.clear()
            s.trials_left = 0
            s.trials_back = 0
            s.trials_failed = 0
            for c in everybody:
                if s.call[c] == "current":
                    s.call[c] = "outdated"

        def fails_too_often(s):
            """Tell whether the window is full and has too many failures."""
            return len(s.outcomes) == window and sum(1 for failed in s.outcomes if failed) >= failures

        @wb.invariant
        def trials_are_accounted_for(s):
            out = sum(1 for call in s.call if call == "current")
            return s.state != "half open" or s.trials_left + out + s.trials_back == trials

        @wb.invariant
        def open_has_no_current_call(s):
            return s.state != "open" or "current" not in s.call

        @wb.invariant
        def closed_has_few_failures(s):
            return s.state != "closed" or not s.fails_too_often()

        @wb.action_property
        def no_way_from_open_to_closed(s, after):
            return s.state != "open" or after.state != "closed"

        @wb.predicate
        def is_closed(s):
            return s.state == "closed"

        @wb.predicate
        def is_open(s):
            return s.state == "open"

        @wb.predicate
        def rejects(s):
            return s.state == "open" or (s.state == "half open" and s.trials_left == 0)

        @wb.predicate
        def service_is_up(s):
            return s.service_works

    return CircuitBreaker
