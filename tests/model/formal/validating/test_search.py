"""Whether a behaviour shows some events is what trying all orders says, whatever the model."""

from collections import deque

import pytest
from all_orders import longest, table_model
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench.model.formal as wb
from workbench.model.formal._models import specification
from workbench.model.formal.interpreting.steps import Broken, successor

SIZE = 4


def tables():
    table = st.lists(st.none() | st.integers(0, SIZE - 1), min_size=SIZE, max_size=SIZE)
    return st.lists(st.lists(table, min_size=2, max_size=2), min_size=3, max_size=3)


def events(most=5):
    event = st.tuples(
        st.sampled_from("abc"), st.none() | st.integers(0, 1), st.integers(1, 6), st.integers(0, 4)
    )
    made = st.lists(event, max_size=most, min_size=1)
    return made.map(lambda found: [(name, k, start, start + length) for name, k, start, length in found])


def as_spans(found):
    return [wb.Span(name, start, end, {} if k is None else {"k": k}) for name, k, start, end in found]


def by_name(span):
    return span.name, span.attributes


@settings(max_examples=200)
@given(tables(), events(), st.sets(st.sampled_from("abc")))
def test_it_agrees_with_trying_every_linear_extension(moves, found, hidden):
    only = wb.validate(table_model(SIZE, moves), [as_spans(found)], by_name, hidden=hidden).traces[0]
    best, ends = longest(found, moves, hidden)
    assert only.matched == best
    assert only.shown is (best == len(found))
    if only.shown:
        assert {state.at for state in only.final_states} == ends


@settings(max_examples=100)
@given(tables(), events())
def test_the_behaviour_that_is_reported_is_one_and_shows_the_prefix(moves, found):
    model = table_model(SIZE, moves)
    only = wb.validate(model, [as_spans(found)], by_name, hidden="c").traces[0]
    state = next(specification(model).initial())
    for step, event in only.steps[1:]:
        assert event is not None or step.action == "c"
        if event is not None:
            assert step.action == event.span.name
            assert event.span.attributes.items() <= dict(step.args).items()
        state = _taken(model, state, step)
        assert specification(model).thaw(state) == step.state
    shown = [event for _, event in only.steps if event is not None]
    assert len(shown) == only.matched
    for place, event in enumerate(shown):
        assert not any(later.latest < event.earliest for later in shown[place:])


@settings(max_examples=100)
@given(tables(), events())
def test_no_reported_guard_is_of_an_action_that_could_be_taken(moves, found):
    only = wb.validate(table_model(SIZE, moves), [as_spans(found)], by_name, hidden=()).traces[0]
    if only.shown is False:
        assert only.failed_event is not None
        tried = [each for guards in only.guards for each in guards.tried]
        assert tried
        assert all(each.failed and not each.enabled for each in tried)
        assert only.reason


def _taken(model, state, step):
    declared = specification(model)
    for instance in declared.instances:
        if instance.action.name == step.action and dict(instance.arguments) == dict(step.args):
            return successor(declared, state, instance)
    raise AssertionError(step)


def behaviour(model, data, most):
    """Draw a behaviour of a model: the labels of its steps, as spans in a line."""
    declared = specification(model)
    state = data.draw(st.sampled_from(list(declared.initial())))
    spans = []
    for at in range(most):
        after = {each.number: successor(declared, state, each) for each in declared.instances}
        possible = [
            number for number, each in after.items() if each is not None and not isinstance(each, Broken)
        ]
        if not possible:
            break
        chosen = declared.instances[data.draw(st.sampled_from(possible))]
        spans.append(wb.Span(chosen.action.name, 10 * at + 1, 10 * at + 5, dict(chosen.arguments)))
        state = after[chosen.number]
    return spans


SHIPPED = {
    "jugs": wb.library.DieHard(),
    "two-phase commit": wb.library.TwoPhaseCommit(rm=2),
    "philosophers": wb.library.DiningPhilosophers(3),
    "saga": wb.library.CheckoutSaga(2),
}


def shown(model, spans):
    return wb.validate(model, [spans], by_name, hidden=()).traces[0].shown


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_behaviour_of_a_model_is_shown_also_when_its_spans_are_longer(name, data):
    spans = behaviour(SHIPPED[name], data, 8)
    if not spans:
        return
    assert shown(SHIPPED[name], spans) is True
    longer = [
        wb.Span(
            span.name,
            max(1, span.start_ns - data.draw(st.integers(0, 20))),
            span.end_ns + data.draw(st.integers(0, 20)),
            span.attributes,
        )
        for span in spans
    ]
    assert shown(SHIPPED[name], longer) is True


def is_behaviour(model, spans):
    """Tell whether spans in a line are steps of a model: by following them, and nothing else."""
    declared = specification(model)
    states = set(declared.initial())
    for span in spans:
        step = wb.Step(span.name, span.attributes, None)
        states = {after for state in states if (after := _taken(model, state, step)) is not None}
    return bool(states)


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_changed_behaviour_is_shown_if_and_only_if_it_is_one(name, data):
    model = SHIPPED[name]
    spans = deque(behaviour(model, data, 8))
    if len(spans) < 2:
        return
    place = data.draw(st.integers(0, len(spans) - 2))
    change = data.draw(st.sampled_from(["removed", "swapped", "duplicated"]))
    changed = list(spans)
    if change == "removed":
        del changed[place]
    elif change == "swapped":
        changed[place], changed[place + 1] = changed[place + 1], changed[place]
    else:
        changed.insert(place, changed[place])
    in_line = [
        wb.Span(span.name, 10 * at + 1, 10 * at + 5, span.attributes) for at, span in enumerate(changed)
    ]
    assert shown(model, in_line) is is_behaviour(model, in_line)


SAGA = ["read_cart", "reserve", "charge", "confirm"]


def in_a_line(names):
    return [wb.Span(name, 10 * at + 1, 10 * at + 5) for at, name in enumerate(names)]


@pytest.mark.parametrize(
    ("names", "matched"),
    [
        (SAGA, 4),
        ([name for name in SAGA if name != "reserve"], 1),
        (["reserve", "read_cart", "charge", "confirm"], 0),
        (["read_cart", "reserve", "charge", "charge", "confirm"], 3),
        ([*SAGA, "release"], 4),
    ],
    ids=["as it is", "one removed", "two swapped", "one twice", "one more"],
)
def test_an_order_is_refused_at_the_step_that_it_cannot_take(names, matched):
    only = wb.validate(SHIPPED["saga"], [in_a_line(names)], by_name, hidden=()).traces[0]
    assert only.matched == matched
    assert only.shown is (matched == len(names))


def test_the_refused_event_is_named_with_its_guard_and_what_could_have_been():
    spans = in_a_line(["read_cart", "charge"])
    only = wb.validate(SHIPPED["saga"], [spans], by_name, hidden=()).traces[0]
    assert only.failed_event.span is spans[1]
    assert 's.at == "charge"' in only.reason
    assert "reserve()" in only.instead
    assert "charge()" not in only.instead
    nearest = min(len(each.failed) for guards in only.guards for each in guards.tried)
    assert nearest == 1
