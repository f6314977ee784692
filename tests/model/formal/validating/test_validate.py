"""What `validate` takes and gives: mappings, limits, telemetry, counts, pictures."""

from pathlib import Path

import pytest
from systems import System

import workbench.model.formal as wb


class Door(wb.Model):
    """Is unlocked by one of two keys, opened and closed; nobody sees who locks it."""

    locked = wb.Bool()
    is_open = wb.Bool()
    by = wb.Enum("nobody", "red", "blue")

    def init(s):
        s.locked = True

    @wb.action(key=("red", "blue"))
    def unlock(s, key):
        wb.require(s.locked)
        s.locked = False
        s.by = key

    @wb.action
    def open(s):
        wb.require(not s.locked)
        wb.require(not s.is_open)
        s.is_open = True

    @wb.action
    def close(s):
        wb.require(s.is_open)
        s.is_open = False

    @wb.action
    def lock(s):
        wb.require(not s.is_open)
        s.locked = True

    @wb.terminal
    def is_locked(s):
        return s.locked


NAMES = {"unlock": "unlock", "open": "open", "close": "close", "lock": "lock"}


def line(*names, **attributes):
    return [wb.Span(name, 10 * at + 1, 10 * at + 5, attributes) for at, name in enumerate(names)]


def only(spans, mapping=NAMES, **options):
    return wb.validate(Door, [spans], mapping, **options).traces[0]


def test_a_dictionary_names_actions_and_arguments_that_are_not_given_may_be_any():
    found = only(line("unlock", "open"))
    assert {state.by for state in found.final_states} == {"red", "blue"}
    certain = only(line("unlock", "open"), {**NAMES, "unlock": ("unlock", {"key": "blue"})})
    assert [state.by for state in certain.final_states] == ["blue"]
    assert [step.label for step in certain.behaviour] == ["init", "unlock(key=blue)", "open()"]


def test_a_function_reads_arguments_from_attributes():
    def mapping(span):
        return (span.name, {"key": span.attributes["key"]}) if span.name == "unlock" else span.name

    assert [state.by for state in only(line("unlock", key="red"), mapping).final_states] == ["red"]


def test_what_is_seen_of_the_state_must_be_true_of_it():
    unlocked = {"unlock": wb.Observed("unlock", state={"by": "red"})}
    assert [state.by for state in only(line("unlock"), unlocked, hidden=()).final_states] == ["red"]
    wrong = only(line("unlock"), {"unlock": wb.Observed("unlock", state={"by": "nobody"})}, hidden=())
    assert wrong.shown is False
    assert "by is red, not nobody" in wrong.reason
    seen = {**NAMES, "look": wb.Observed(state={"is_open": True})}
    assert only(line("unlock", "open", "look"), seen).shown is True
    missed = only(line("unlock", "look"), seen)
    assert (missed.shown, missed.matched, missed.reason) == (False, 1, "is_open is False, not True")


def test_a_value_that_the_model_does_not_know_is_refused_and_not_an_error():
    strange = only(line("unlock"), {"unlock": ("unlock", {"key": "green"})}, hidden=())
    assert strange.shown is False
    assert strange.reason == "the model does not know key='green' of unlock"
    nowhere = only(line("unlock"), {"unlock": wb.Observed("unlock", state={"by": "ghost"})}, hidden=())
    assert nowhere.shown is False
    assert "ghost" in nowhere.reason


def test_actions_that_no_name_stands_for_happen_silently():
    names = {name: name for name in ("unlock", "open", "close")}
    found = wb.validate(Door, [line("unlock", "unlock")], names)
    assert found.hidden == ("lock()",)
    assert found.conforms is True
    steps = [step.action for step in found.traces[0].behaviour]
    assert steps == [None, "unlock", "lock", "unlock"]
    assert wb.validate(Door, [line("unlock", "unlock")], names, hidden=()).conforms is False


def test_a_function_hides_what_it_finds_in_no_span():
    found = wb.validate(Door, [line("open")], lambda span: span.name)
    assert found.hidden == ("unlock(key=red)", "unlock(key=blue)", "close()", "lock()")


def test_hidden_steps_may_be_named_with_some_arguments():
    found = wb.validate(Door, [line("open")], NAMES, hidden=[("unlock", {"key": "red"})])
    assert found.hidden == ("unlock(key=red)",)
    assert [state.by for state in found.traces[0].final_states] == ["red"]


def test_a_complete_behaviour_ends_in_a_terminal_state():
    unseen = only(line("unlock", "open"), {"unlock": "unlock", "open": "open"}, complete=True)
    assert unseen.shown is True  # it is closed and locked silently
    left_open = only(line("unlock", "open"), complete=True)
    assert (left_open.shown, left_open.matched, left_open.failed_event) == (False, 2, None)
    assert left_open.reason == "no terminal state is reached"
    assert "close()" in left_open.instead
    assert only(line("unlock", "lock"), complete=True).shown is True


def test_a_model_without_terminal_states_is_never_complete():
    class Endless(wb.Model):
        n = wb.Int(0, 1)

        @wb.action
        def turn(s):
            s.n = 1 - s.n

    with pytest.raises(wb.ModelError, match="no terminal states"):
        wb.validate(Endless, [], {}, complete=True)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"unlock": "unlok"}, "no action 'unlok'; its actions are unlock, open"),
        ({"unlock": ("unlock", {"kye": "red"})}, "no parameter 'kye'; it has key"),
        ({"unlock": wb.Observed("unlock", state={"color": 1})}, "no field 'color'"),
        ({"unlock": 7}, "expected an action's name"),
        ({"unlock": wb.Observed()}, "the state must be seen"),
        ({"unlock": ("unlock", {"key": ["red"]})}, "must be hashable"),
        (lambda span: span.attributes["key"], "the mapping raised KeyError: 'key' for Span"),
        (lambda _: "knock", "no action 'knock'"),
    ],
    ids=["action", "parameter", "field", "form", "nothing", "unhashable", "raises", "function"],
)
def test_a_mapping_that_does_not_fit_is_an_error_that_says_what_would(mapping, said):
    with pytest.raises(wb.MappingError, match=said):
        wb.validate(Door, [line("unlock")], mapping)


def test_other_mistakes_are_named_too():
    with pytest.raises(wb.MappingError, match="at must be one of within, start, end"):
        wb.Observed("open", at="middle")
    with pytest.raises(wb.MappingError, match="no action 'knock'"):
        wb.validate(Door, [], NAMES, hidden=["knock"])
    with pytest.raises(wb.ModelError, match="a model is a class"):
        wb.validate(int, [], NAMES)
    with pytest.raises(wb.ModelError, match="clock_skew_s"):
        wb.validate(Door, [], NAMES, clock_skew_s=-1)


class Counter(wb.Model):
    """Counts silently for ever."""

    n = wb.Int(0, 10**9)

    @wb.action
    def up(s):
        s.n += 1

    @wb.action
    def at_a_hundred(s):
        wb.require(s.n == 100)

    @wb.action
    def never(s):
        wb.require(s.n < 0)


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({"max_states": 50}, "max_states=50"),
        ({"max_hidden": 99}, "max_hidden=99"),
        ({"timeout_s": 0.0}, "timeout_s=0"),
        ({"cancelled": lambda: True}, "cancelled"),
    ],
    ids=["states", "hidden steps", "time", "cancelled"],
)
def test_a_search_that_met_a_bound_is_undecided_and_says_which(options, bound):
    names = {"hundred": "at_a_hundred"}
    found = wb.validate(Counter, [line("hundred")], names, hidden=["up"], **options)
    assert found.conforms is None
    assert found.traces[0].shown is None
    assert found.traces[0].reason == bound
    assert found.traces[0].failed_event is None
    assert bound in found._repr_html_()


def test_what_is_found_within_a_bound_is_found():
    names = {"hundred": "at_a_hundred"}
    assert wb.validate(Counter, [line("hundred")], names, hidden=["up"], max_hidden=100).conforms is True


def test_a_bound_that_cut_nothing_off_leaves_the_answer():
    door = wb.validate(Door, [line("close")], {"close": "close"}, hidden=["lock"], max_hidden=1)
    assert door.conforms is False


def test_steps_that_a_constraint_leaves_out_or_an_assertion_ends_are_no_behaviour():
    class Careful(Door):
        @wb.constraint
        def not_blue(s):
            return s.by != "blue"

        @wb.action
        def open(s):
            assert False, "stuck"  # noqa: B011, PT015 - what the model says

    found = wb.validate(Careful, [line("unlock"), line("unlock", "open")], NAMES)
    assert [state.by for state in found.traces[0].final_states] == ["red"]
    assert found.traces[1].shown is False
    assert "stuck" in found.traces[1].reason


def test_equal_orders_are_searched_once():
    good, bad = line("unlock", "open"), line("open", "unlock")
    found = wb.validate(Door, [good] * 600 + [bad] * 400, NAMES)
    assert (len(found.conforming), len(found.failing), found.patterns) == (600, 400, 2)
    assert found.explored == wb.validate(Door, [good, bad], NAMES).explored
    line_of_guard = _line("wb.require(not s.locked)")
    ((event, reason), traces) = next(iter(found.failures().items()))
    assert (event, len(traces)) == ("open()", 400)
    assert reason == f"open(): not s.locked (line {line_of_guard})"
    assert found.failing[7].events[0].span is bad[0]


def _line(text):
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, each in enumerate(lines, 1) if each.strip() == text)


def test_coverage_says_what_no_trace_can_have_done():
    found = wb.validate(Door, [line("unlock", "open", key="red")] * 3, _with_key, hidden=())
    coverage = found.coverage()
    assert dict(coverage.steps) == {
        "unlock(key=red)": (3, False),
        "unlock(key=blue)": (0, False),
        "open()": (3, False),
        "close()": (0, False),
        "lock()": (0, False),
    }
    assert coverage.never == ("unlock(key=blue)", "close()", "lock()")
    assert coverage.never_actions == ("close", "lock")
    assert coverage.unseen == {"locked": (), "is_open": (), "by": ("blue",)}
    assert (coverage.visited, coverage.states) == (3, wb.check(Door).distinct)
    assert coverage.to_pandas().traces.tolist() == [3, 0, 3, 0, 0]


def test_coverage_counts_every_reading_of_a_trace_and_no_trace_that_fails():
    either = wb.validate(Door, [line("unlock")], NAMES).coverage()
    assert either.steps["unlock(key=red)"] == either.steps["unlock(key=blue)"] == (1, False)
    assert wb.validate(Door, [line("unlock", "close")], NAMES).coverage().visited == 0
    silent = wb.validate(Door, [line("unlock", "unlock")], {"unlock": "unlock"}).coverage()
    assert silent.steps["lock()"] == (0, True)


def test_coverage_of_a_model_that_is_too_large_says_so():
    coverage = wb.validate(Counter, [line("up")], {"up": "up"}).coverage(max_states=10)
    assert coverage.states is None
    assert coverage.bound == "max_states=10"
    assert "of ? states" in repr(coverage)


def _with_key(span):
    return (span.name, {"key": span.attributes["key"]} if span.name == "unlock" else {})


@pytest.fixture
def recording(tmp_path):
    """Return two days of a door, the second in the wrong order, and a trace of something else."""
    system = System()
    for trace, names in ((1, ("unlock", "open", "close")), (2, ("open", "unlock"))):
        system.span("house", trace, 1, at_ms=0, ms=500, name="day", day=f"day {trace}")
        for at, name in enumerate(names):
            extra = {"key": "red", "rooms": ["hall", "attic"]} if name == "unlock" else {}
            system.span(
                "door", trace, 2 + at, parent=1, at_ms=100 * at + 1, name=name, day=f"day {trace}",
                error=name == "close", **extra,
            )  # fmt: skip
    system.span("garden", 3, 1, name="rain")
    return system.traces(tmp_path)


def test_telemetry_is_taken_as_it_is_read(recording):
    found = wb.validate(Door, recording, NAMES)
    assert [trace.shown for trace in found.traces] == [True, False]
    assert found.without_events == 1
    assert found.not_mapped == {"day": 2, "rain": 1}
    assert found[f"{2:032x}"].failed_event.span.name == "open"
    with pytest.raises(wb.MappingError, match="no trace"):
        found["nothing"]


def test_spans_have_what_a_mapping_asks_for(recording):
    seen = {}

    def mapping(span):
        seen[span.name] = span

    wb.validate(Door, recording, mapping)
    unlock, close = seen["unlock"], seen["close"]
    assert unlock.attributes == {"day": "day 2", "key": "red", "rooms": ["hall", "attic"]}
    assert (unlock.service, unlock.kind, unlock.status, close.status) == ("door", "server", "unset", "error")
    assert unlock.parent.name == "day"
    assert unlock.parent.parent is None
    assert unlock.end_ns - unlock.start_ns == 10_000_000
    assert unlock.trace_id == f"{2:032x}"


def test_an_attribute_may_tell_apart_what_belongs_together(recording):
    found = wb.validate(Door, recording, NAMES, by="day")
    assert {trace.trace_id: trace.shown for trace in found.traces} == {"day 1": True, "day 2": False}


def test_a_trace_without_spans_is_one_without_events():
    assert wb.validate(Door, [[]], NAMES).without_events == 1


def test_it_draws_itself(recording):
    found = wb.validate(Door, recording, NAMES)
    page = found._repr_html_()
    for text in ("1 of 2 traces shown, 1 not shown", "day, rain", "not s.locked", "impossible"):
        assert text in page
    failing = found.failing[0]
    assert "leaves the model after 0 events" in failing._repr_html_()
    assert failing.table().rows[-1][1:3] == ("open", "open()")
    rows = failing.sequence()
    assert repr(rows).startswith("sequence of 2 rows on 2 lifelines")
    assert "shows trace" in found.conforming[0]._repr_html_()


def test_a_row_for_each_trace(recording):
    frame = wb.validate(Door, recording, NAMES).to_pandas()
    assert frame.shown.tolist() == [True, False]
    assert frame.events.tolist() == [3, 2]
    assert frame.matched.tolist() == [3, 0]
    assert frame.failed_event.tolist()[1] == "open()"
