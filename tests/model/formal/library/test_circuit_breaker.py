"""The circuit breaker as a model, held against the machine that it models."""

import math

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import CircuitBreaker
from workbench.reliability.machines import breaker as machine

NAMES = {machine.CLOSED: "closed", machine.OPEN: "open", machine.HALF_OPEN: "half open"}
NUMBERS = {name: number for number, name in NAMES.items()}


def machines(callers, window, failures, trials, *, trials_end):
    """Return the machine's own transitions, over states that forget times and old generations."""
    parameters = machine.Parameters(
        window=window,
        minimum_calls=window,
        failure_rate=failures / window,
        slow_rate=2.0,
        slow_s=math.inf,
        open_s=1.0,
        half_open_calls=trials,
        half_open_s=1.0 if trials_end else math.inf,
    )

    def revived(name, outcomes, permits, back, failed):
        memory = machine.State(state=NUMBERS[name], generation=1, permits=permits, changed_s=0.0)
        memory.calls, memory.failed = (
            (back, failed) if name == "half open" else (len(outcomes), sum(outcomes))
        )
        memory.at = len(outcomes) % window
        return memory, [*map(int, outcomes), *[0] * (window - len(outcomes))]

    def forgotten(memory, ring, waited, calls, works):
        name, changed = NAMES[memory.state], memory.generation != 1
        calls = tuple("outdated" if changed and call == "current" else call for call in calls)
        half = name == "half open"
        outcomes = ()
        if name == "closed":
            oldest = memory.at if memory.calls == window else 0
            outcomes = tuple(bool(ring[(oldest + i) % window]) for i in range(memory.calls))
        counts = (memory.permits, memory.calls, memory.failed) if half else (0, 0, 0)
        return name, outcomes, *counts, waited and not changed, calls, works

    def successors(state):
        name, outcomes, permits, back, failed, waited, calls, works = state
        now = 1.0 if waited else 0.0
        for c, call in enumerate(calls):

            def with_call(kind, c=c):
                return (*calls[:c], kind, *calls[c + 1 :])

            memory, ring = revived(name, outcomes, permits, back, failed)
            if call == "none":
                admitted = memory.state == machine.CLOSED or machine.admit(parameters, memory, now)
                after = forgotten(memory, ring, waited, calls, works)
                new = (*after[6][:c], "current" if admitted else "none", *after[6][c + 1 :])
                yield (*after[:6], new, works)
                continue
            generation = 1 if call == "current" else 0
            machine.learn(parameters, memory, ring, generation, 0 if works else 1, now)
            yield forgotten(memory, ring, waited, with_call("none"), works)
            memory, ring = revived(name, outcomes, permits, back, failed)
            machine.release(memory, generation)
            yield forgotten(memory, ring, waited, with_call("none"), works)
        if not waited and (name == "open" or (name == "half open" and trials_end)):
            yield (*state[:5], True, *state[6:])
        yield (*state[:7], not works)

    return [("closed", (), 0, 0, 0, False, ("none",) * callers, True)], successors


SIZES = {
    "one caller": {"callers": 1, "window": 2, "failures": 2, "trials": 1, "trials_end": False},
    "two callers": {"callers": 2, "window": 2, "failures": 1, "trials": 1, "trials_end": True},
    "more trials": {"callers": 2, "window": 3, "failures": 2, "trials": 2, "trials_end": True},
    "trials without end": {"callers": 3, "window": 2, "failures": 2, "trials": 2, "trials_end": False},
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_the_model_has_the_states_and_steps_of_the_machine_itself(interpreted, counted, breadth_first, sizes):
    verdict = interpreted(CircuitBreaker(**sizes))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*machines(**sizes))


def test_both_engines_agree(checked, counted, breadth_first):
    sizes = {"callers": 2, "window": 2, "failures": 2, "trials": 1}
    verdict = checked(CircuitBreaker(**sizes))
    assert counted(verdict) == breadth_first(*machines(**sizes, trials_end=False))


def test_without_generations_an_old_outcome_takes_the_place_of_a_trial(interpreted):
    class Forgetful(CircuitBreaker(trials=2)):
        @wb.action(c=range(2))
        def come_back(s, c):
            wb.require(s.call[c] != "none")
            s.call[c] = "none"
            if s.state == "closed":
                s.learn(not s.service_works)
            elif s.state == "half open":
                s.learn_of_trial(not s.service_works)

    verdict = interpreted(Forgetful)
    assert "trials_are_accounted_for" in {each.property for each in verdict.violations}


def test_a_cancelled_trial_that_keeps_its_permit_is_lost(interpreted):
    class Leaking(CircuitBreaker()):
        @wb.action(c=range(2))
        def cancel(s, c):
            wb.require(s.call[c] != "none")
            s.call[c] = "none"

    verdict = interpreted(Leaking)
    assert verdict.property == "trials_are_accounted_for"
    assert len(verdict.trace) - 1 == 8


def test_it_opens_half_opens_and_closes_again(reaches):
    class Closing(CircuitBreaker(callers=1)):
        opened = wb.Enum("never", "once", "closed again")

        @wb.action(c=range(1))
        def come_back(s, c):
            super().come_back(c)
            if s.state == "open":
                s.opened = "once"
            elif s.opened == "once" and s.state == "closed":
                s.opened = "closed again"

        @wb.predicate
        def closes_again(s):
            return s.opened == "closed again"

    actions = [step.action for step in reaches(Closing, "closes_again")]
    after = actions[actions.index("a_while_passes") :]
    assert [each for each in after if "service" not in each] == ["a_while_passes", "ask", "come_back"]
    assert actions.index("service_breaks") < actions.index("service_recovers")


def test_a_trial_that_hangs_leaves_it_no_way_out_unless_trials_end(interpreted):
    """Half open, without permits, and the others ask for ever: what can still be reached?"""

    def stuck(*, trials_end):
        class Hanging(CircuitBreaker(callers=2, trials_end=trials_end)):
            def init(s):
                s.state = "half open"
                s.call[0] = "current"
                s.service_works = True

            @wb.action(c=(1,))
            def come_back(s, c):
                wb.require(s.call[c] != "none")
                s.call[c] = "none"
                if s.state == "half open":
                    s.learn_of_trial(not s.service_works)

            @wb.action(c=(1,))
            def cancel(s, c):
                wb.require(s.call[c] != "none")
                s.call[c] = "none"

            @wb.invariant
            def rejects_for_ever(s):
                return s.rejects()

        return interpreted(Hanging)

    assert "rejects_for_ever" not in {each.property for each in stuck(trials_end=False).violations}
    assert "rejects_for_ever" in {each.property for each in stuck(trials_end=True).violations}
