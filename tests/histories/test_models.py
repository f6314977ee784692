"""Models answer as the objects they stand for, and refuse what they do not know."""

import random

import pytest
from histories.brute_force import PLAIN, inputs

from workbench import histories
from workbench.histories import (
    NIL,
    Counter,
    KeyValue,
    Lock,
    Model,
    ModelError,
    Operation,
    Queue,
    Register,
    SequentialModel,
    Set,
    Stack,
    linearizable,
)

MODELS = [Register(0), Counter(), Set(), Queue(), Stack(), Lock(), KeyValue()]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_model_accepts_what_a_real_object_answers_one_after_the_other(model):
    name = type(model).__name__
    rng = random.Random(name)
    for _ in range(50):
        real, state = PLAIN[name](), model.start
        for _ in range(12):
            asked = inputs(name, rng)
            ok, known = model.step(state, asked, real.do(asked))
            accepted, unknown = model.step(state, asked, None)
            assert ok
            assert accepted
            assert known == unknown
            state = known


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("asked", [("fly",), ("read", 1, 2, 3), ("put",), ("enqueue",)])
def test_a_model_says_what_it_knows_where_it_does_not_know(model, asked):
    with pytest.raises(ModelError, match=f"{type(model).__name__} does not know .*; it knows "):
        linearizable([Operation("A", 0, 1, asked, NIL)], model)


@pytest.mark.parametrize("model", [*MODELS, Model(lambda state, asked, told: (True, state))])
def test_all_are_models(model):
    assert isinstance(model, SequentialModel)


@pytest.mark.parametrize(
    ("model", "asked", "told", "ok"),
    [
        (Register(), ("read",), NIL, True),
        (Register(), ("read",), 0, False),
        (Register(), ("cas", None, 1), 1, True),
        (Register(), ("cas", 2, 1), 0, True),
        (Register([1, 2]), ("read",), (1, 2), True),
        (Register({"a": 1}), ("read",), {"a": 1}, True),
        (KeyValue({"x": 1}), ("get", "x"), 1, True),
        (KeyValue(), ("get", "x"), NIL, True),
        (KeyValue(), ("delete", "x"), 0, True),
        (KeyValue({"x": 1}), ("delete", "x"), 0, False),
        (Counter(5), ("read",), 5, True),
        (Counter(5), ("add", 2), 7, True),
        (Counter(5), ("add", 2), 6, False),
        (Counter(5), ("add", 2), "OK", True),
        (Set([1]), ("add", 1), 1, False),
        (Set([1]), ("read",), [1], True),
        (Set(), ("read",), NIL, True),
        (Set(), ("read",), 7, False),
        (Queue([1, 2]), ("dequeue",), 1, True),
        (Stack([1, 2]), ("pop",), 2, True),
        (Queue(), ("dequeue",), NIL, True),
        (Queue([1]), ("dequeue",), NIL, False),
        (Lock(), ("acquire",), NIL, True),
        (Lock(), ("acquire",), False, False),
        (Lock(), ("release", "A"), False, True),
    ],
)
def test_answers_that_are_right_and_wrong(model, asked, told, ok):
    assert model.step(model.start, asked, told)[0] is ok


def test_a_lock_knows_who_holds_it():
    _, held = Lock().step(None, ("acquire", "A"), True)
    assert Lock().step(held, ("release", "B"), False) == (True, held)
    assert Lock().step(held, ("acquire", "B"), False) == (True, held)
    assert Lock().step(held, ("release", "A"), NIL) == (True, None)


def test_text_is_appended_to_text_and_elements_to_tuples():
    step = KeyValue().step
    text = step(step(frozenset(), ("append", "k", "a"), NIL)[1], ("append", "k", "b"), NIL)[1]
    assert step(text, ("get", "k"), "ab")[0]
    numbers = step(step(frozenset(), ("append", "k", 1), NIL)[1], ("append", "k", 2), NIL)[1]
    assert step(numbers, ("get", "k"), [1, 2])[0]


@pytest.mark.parametrize("answer", [True, None, (True,), (True, 0, 0), [True, 0]])
@pytest.mark.parametrize("engine", ["compiled", "interpreted"])
def test_a_step_must_return_a_verdict_and_a_state(answer, engine):
    with pytest.raises(ModelError, match=r"must return \(ok, state\), got .* for read\(\) -> 1 in 0"):
        linearizable([Operation("A", 0, 1, ("read",), 1)], Model(lambda *_: answer, 0), engine=engine)


def test_what_a_users_step_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        linearizable([Operation("A", 0, 1, ("read",), 1)], Model(lambda *_: 1 / 0))


@pytest.mark.parametrize("given", [{"function": 3}, {"function": None}, {"function": len, "part": 3}])
def test_a_model_is_made_of_functions(given):
    with pytest.raises(ModelError, match="must be a function"):
        Model(**given)


def test_a_model_of_ones_own_may_have_parts():
    def step(state, asked, told):
        return (told is None or told == state, state) if asked[0] == "get" else (True, asked[2])

    model = Model(step, None, part=lambda asked: asked[1], name="Store")
    history = [
        Operation("A", 0, 1, ("put", "x", 1), NIL),
        Operation("A", 2, 3, ("get", "y"), NIL),
        Operation("A", 4, 5, ("get", "x"), 2),
    ]
    assert linearizable(history[:2], model).holds
    assert linearizable(history, model).part == "x"
    assert repr(model) == "Store(initial=None)"


def test_every_model_is_exported():
    assert {type(model).__name__ for model in MODELS} <= set(histories.__all__)
