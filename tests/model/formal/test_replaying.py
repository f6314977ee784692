"""A behaviour taken again: by the model as it was, by one that was broken, and by one that was mended."""

import runpy

import pytest
from small_models import Asserting, Bounded, Jugs, Stuck, Tokens

import workbench.model.formal as wb

STATES = [{"n": 0}, {"n": 1}, {"n": 2}]


class LastPlace(Tokens(3)):
    """Claims what is not so, of a step and of states."""

    @wb.action_property
    def nothing_arrives(before, after):
        return after.at[2] == before.at[2]


class Blinking(wb.Model):
    """A light that may stay off for ever."""

    on = wb.Bool()

    @wb.action
    def push(s):
        s.on = not s.on

    @wb.action
    def wait(s):
        pass

    lights_up = wb.eventually(lambda s: s.on)


class FairBlinking(Blinking):
    """The same light, pushed sooner or later."""

    @wb.action(fair="weak")
    def push(s):
        s.on = not s.on


class Ending(wb.Model):
    """Goes one way of two, and stops there."""

    at = wb.Enum("start", "left", "right")

    @wb.action(to=("left", "right"))
    def go(s, to):
        wb.require(s.at == "start")
        s.at = to

    @wb.terminal
    def anywhere(s):
        return True

    gets_right = wb.eventually(lambda s: s.at == "right")
    may_get_back = wb.AG(wb.EF(lambda s: s.at == "start"))


def counter(most, *, guarded=False, more=False, name="n"):
    """Return a counter that should stop before two; `guarded` mends it."""

    def up(s):
        wb.require(not guarded or getattr(s, name) < 1)
        wb.require(getattr(s, name) < most)
        setattr(s, name, getattr(s, name) + 1)

    def below_two(s):
        return getattr(s, name) < 2

    fields = {name: wb.Int(0, most)} | ({"more": wb.Bool()} if more else {})
    members = {"up": wb.action(up), "below_two": wb.invariant(below_two), "end": wb.terminal(lambda s: True)}
    return type(wb.Model)("Counter", (wb.Model,), {**fields, **members})


@pytest.mark.parametrize("model", [Jugs, Stuck, Asserting, Bounded, LastPlace, Blinking, Ending])
def test_every_violation_can_be_taken_again_and_is_one_again(model):
    verdict = wb.check(model)
    assert verdict.holds is False
    for violation in verdict.violations:
        assert wb.replay(model, violation.trace) == violation.trace
        with pytest.raises(AssertionError, match=f"violates {violation.kind} {violation.property}"):
            wb.assert_mended(model, violation)


def test_a_verdict_replays_its_shortest_behaviour():
    verdict = wb.check(Jugs)
    assert verdict.replay() == verdict.trace


def test_a_verdict_without_a_violation_has_nothing_to_replay():
    verdict = wb.check(Tokens(3))
    assert verdict.replay() == []
    with pytest.raises(wb.ReplayError, match="nothing is violated"):
        verdict.as_test()
    with pytest.raises(wb.ReplayError, match="nothing is violated"):
        verdict.sequence()


def test_a_test_of_a_verdict_fails_as_long_as_the_model_is_broken():
    test = wb.check(Jugs).as_test()
    assert test.__name__ == "test_jugs_unsolved"
    with pytest.raises(AssertionError, match=r"6\. big_to_small\(\) -> Jugs\(big=4, small=3\)"):
        test()


def test_a_behaviour_passes_when_the_model_was_mended_by_a_guard():
    (violation,) = wb.check(counter(3)).violations
    wb.assert_mended(counter(3, guarded=True), violation)


def test_a_behaviour_fails_on_a_model_that_has_got_another_field_since():
    (violation,) = wb.check(counter(3)).violations
    with pytest.raises(AssertionError):
        wb.assert_mended(counter(3, more=True), violation)


def test_a_behaviour_passes_when_the_property_was_given_up():
    (violation,) = wb.check(counter(3)).violations
    wb.assert_mended(counter(3), wb.Violation("invariant", "another", violation.trace))


def test_a_model_without_a_recorded_field_is_not_taken_for_mended():
    (violation,) = wb.check(counter(3)).violations
    with pytest.raises(wb.ReplayError, match="Counter has no field n, which was recorded"):
        wb.assert_mended(counter(3, name="m"), violation)


def test_a_behaviour_that_never_ends_passes_when_fairness_forbids_it():
    violation = wb.check(Blinking).violations[0]
    assert violation.loop is not None
    wb.assert_mended(FairBlinking, violation)


def steps(count):
    return [wb.Step("up" if number else None, {}, state) for number, state in enumerate(STATES[:count])]


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        ([wb.Step("up", {}, {"n": 0})], r"step 0 is up\(\): a behaviour begins with an initial state"),
        ([wb.Step(None, {}, {"n": 1})], r"step 0: .* is no initial state of Stuck: n was 1 and is now 0"),
        (
            [*steps(2), wb.Step("down", {}, {"n": 0})],
            r"step 2: Stuck has no action 'down'; its actions are up",
        ),
        (
            [*steps(1), wb.Step("up", {"k": 1}, {"n": 1})],
            r"step 1: up\(k=1\) is no choice of up's parameters",
        ),
        ([*steps(1), wb.Step("up", {}, {"n": 3})], r"step 1, up\(\), leads elsewhere: n was 3 and is now 1"),
        (
            [*steps(1), wb.Step("up", {}, {"n": 9})],
            r"step 1, up\(\): field n of the recorded state: 9 is outside",
        ),
        (
            [*steps(3), wb.Step("up", {}, {"n": 3}), wb.Step("up", {}, {"n": 3})],
            r"step 4, up\(\), is not enabled: s\.n < 3 \(line \d+\)",
        ),
        (
            [*steps(1), wb.Step("stays", {}, {"n": 0})],
            r"step 1: nothing could happen .* now up\(\) is enabled",
        ),
    ],
)
def test_a_step_that_cannot_be_taken_says_which_and_why(trace, words):
    with pytest.raises(wb.ReplayError, match=words):
        wb.replay(Stuck, trace)


def test_an_assertion_in_the_middle_of_a_behaviour_is_an_error():
    trace = [wb.Step(None, {}, {"n": 0}), *(wb.Step("up", {}, {"n": n}) for n in (1, 2, 3))]
    with pytest.raises(wb.ReplayError, match=r"step 2, up\(\): an assertion fails: two is too many"):
        wb.replay(Asserting, trace)


@pytest.fixture
def run(pytester):
    """Run the text of a file as pytest does; return how many passed and failed, and what was said."""

    def run(text):
        done = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", pytester.makepyfile(text))
        outcomes = done.parseoutcomes()
        return outcomes.get("passed", 0), outcomes.get("failed", 0), done.stdout.str()

    return run


def test_the_text_of_a_test_runs_and_fails(run):
    text = wb.check(wb.library.DieHard).test_source()
    passed, failed, said = run(text)
    assert (passed, failed) == (0, 1)
    assert "DieHard violates invariant unsolved" in said
    assert "def test_die_hard_unsolved() -> None:" in text


def test_the_text_of_a_test_passes_on_a_mended_model(run):
    text = wb.check(wb.library.DieHard).test_source(
        "type('Mended', (wb.library.DieHard,), {'fill_big': None})"
    )
    assert run(text)[:2] == (1, 0)


def test_a_model_that_a_function_makes_needs_the_call():
    verdict = wb.check(wb.library.DiningPhilosophers(3))
    with pytest.raises(wb.ReplayError, match=r"made by a function: give the call that makes it"):
        verdict.test_source()
    text = verdict.test_source("wb.library.DiningPhilosophers(3)")
    names = {}
    exec(text, names)
    with pytest.raises(AssertionError, match="deadlock"):
        names["test_dining_philosophers_deadlock"]()


MAIN = """
import enum
import workbench.model.formal as wb

MOST = 3

def enough(s):
    return s.n >= MOST

class Counts(wb.Model):
    n = wb.Int(0, MOST)

    @wb.terminal
    def done(s):
        return enough(s)

class Kinds(Counts):
    seen = wb.Set(wb.Record(a=range(2), b=("x", "y")))
    pair = wb.Tuple(range(2), range(2))
    by = wb.Map(("k",), range(3))
    row = wb.Seq(range(3), 2)
    at = wb.Array(2, wb.Maybe(range(2)))

    @wb.action(k=range(2))
    def up(s, k):
        wb.require(s.n < MOST)
        s.n += 1
        s.seen.add({"a": k, "b": "y"})
        s.pair = (1, k)
        s.by["k"] = 2
        s.row = [1]
        s.at[k] = 1

    @wb.invariant
    def few(s):
        return s.n < 2

print(wb.check(Kinds).test_source())
"""


def test_a_model_of_a_script_is_written_out_with_the_constants_it_uses(tmp_path, run, capsys):
    script = tmp_path / "script.py"
    script.write_text(MAIN)
    runpy.run_path(str(script), run_name="__main__")
    text = capsys.readouterr().out
    assert "MOST = 3" in text
    passed, failed, said = run(text)
    assert (passed, failed) == (0, 1)
    assert "Kinds violates invariant few" in said
    assert run(text.replace("MOST = 3", "MOST = 1"))[:2] == (1, 0)
