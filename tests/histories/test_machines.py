"""Machines answer as the models that they are, and a search is the same whichever machine it drives."""

import random
from dataclasses import replace

import numba
import numpy as np
import pytest
from histories.brute_force import PLAIN, inputs, random_history
from hypothesis import given
from hypothesis import strategies as st

from workbench import histories
from workbench.histories import (
    NIL,
    Counter,
    History,
    KeyValue,
    Lock,
    Model,
    Operation,
    Queue,
    Register,
    Set,
    Stack,
    linearizable,
    sequentially_consistent,
)
from workbench.histories.search import _codes as codes
from workbench.histories.search._kernel_machines import successor
from workbench.histories.search.automaton import Automaton
from workbench.histories.search.choosing import machine_of
from workbench.histories.search.compiled import CompiledSearch
from workbench.histories.search.lanes import Lanes
from workbench.histories.search.needing import needed
from workbench.histories.search.outcome import Bounds

NAMES = sorted(PLAIN)
ODD_ANSWERS = [None, NIL, 0, 1, True, False, 1.0, 2.5, "ok", (), [1], (0, 1), -1, 7]


@numba.njit
def step(kind, state, operations, place, here, table, sequences, pool, slots):
    return successor(kind, state, operations, place, here, table, sequences, pool, slots)


def model_of(name):
    return getattr(histories, name)(*({"Register": (0,)}.get(name, ())))


class Walk:
    """A machine that is driven by hand, one operation at a time."""

    def __init__(self, model, operations):
        self.machine = machine_of(model, History(operations).columns)
        self.here = np.zeros(codes.FIELDS, np.int64)
        self.machine.enter(self.here)
        self.rules = np.zeros((len(operations), codes.OPERATION_COLUMNS), np.int64)
        self.rules[:, codes.RULE :] = self.machine.rules
        self.state = self.machine.start

    def after(self, state, place):
        machine = self.machine
        if machine.kind == codes.SEQUENCE:
            for room, count in ((machine.sequences, codes.SEQUENCES), (machine.pool, codes.POOLED)):
                while len(room) - self.here[count] < 100:
                    assert machine.supply(self.here, float("inf"))
        memory = machine.table, machine.sequences, machine.pool, machine.slots
        found = step(machine.kind, state, self.rules, place, self.here, *memory)
        if found == codes.UNKNOWN:
            self.here[codes.STATE], self.here[codes.MISSED] = state, machine.rules[place, codes.SYMBOL]
            assert machine.supply(self.here, float("inf"))
            return self.after(state, place)
        return found


def one_after_the_other(asked, told):
    return [
        Operation(0, place, place + 0.5, each, answer)
        for place, (each, answer) in enumerate(zip(asked, told, strict=True))
    ]


@given(st.sampled_from(NAMES), st.integers(0, 2**32), st.integers(1, 25))
def test_a_machine_takes_the_steps_that_the_model_takes(name, seed, size):
    """From each state that is reached: the same answer, and only equal states are alike."""
    rng = random.Random(seed)
    model, real = model_of(name), PLAIN[name]()
    asked = [inputs(name, rng) for _ in range(size)]
    told = [real.do(each) if rng.random() < 0.6 else rng.choice(ODD_ANSWERS) for each in asked]
    operations = one_after_the_other(asked, told)
    walk = Walk(model, operations)
    has_append = any(each[0] == "append" for each in asked)
    assert walk.machine.kind == (
        codes.SEQUENCE if name in ("Queue", "Stack") else codes.TABLE if has_append else codes.BITS
    )
    numbers = {model.start: walk.state}
    for _ in range(4):
        state, number = model.start, walk.state
        for place in rng.sample(range(size), size):  # an operation happens once
            ok, after = model.step(state, operations[place].input, operations[place].output)
            found = walk.after(number, place)
            assert (found >= 0) == bool(ok)
            if ok:
                assert numbers.setdefault(after, found) == found
                state, number = after, found
    assert len(set(numbers.values())) == len(numbers)


@given(st.sampled_from(NAMES), st.integers(0, 2**32), st.integers(0, 9))
def test_every_machine_gives_the_verdict_of_the_models_own_table(name, seed, size):
    history = random_history(name, random.Random(seed), size)
    model = model_of(name)
    table = Model(model.step, model.start)
    for judge in (linearizable, sequentially_consistent):
        found, expected = judge(history, model), judge(history, table, max_steps=10_000)
        assert expected.holds in (found.holds, None)
        if judge is linearizable and found.holds is False and found.part is None and expected.blocking:
            assert found.blocking.return_s == expected.blocking.return_s


@pytest.mark.parametrize(
    ("model", "asked", "told"),
    [
        (Register(), [("write", float("nan")), ("read",)], [NIL, float("nan")]),
        (KeyValue(), [("put", "x", NIL), ("delete", "x")], [NIL, 1]),
        (KeyValue(), [("put", "x", "a"), ("append", "x", "b"), ("get", "x")], [NIL, NIL, "ab"]),
        (KeyValue({"x": 1}), [("get", float("nan")), ("get", "x")], [NIL, 1]),
        (Set(), [("add", k) for k in range(70)] + [("contains", 3)], [NIL] * 70 + [True]),
        (Counter(0.5), [("increment",), ("read",)], [NIL, 1.5]),
        (Counter(), [("add", 0.5), ("read",)], [NIL, 0.5]),
        (Counter(1 << 70), [("increment",), ("read",)], [NIL, (1 << 70) + 1]),
        (Counter(), [("add", 1 << 62), ("read",)], [NIL, 1 << 62]),
    ],
)
def test_what_fits_no_machine_of_numbers_is_judged_by_the_table(model, asked, told):
    history = History(one_after_the_other(asked, told))
    assert isinstance(machine_of(model, history.columns), Automaton)
    expected = linearizable(history, model, engine="interpreted").holds
    assert linearizable(history, model).holds is expected
    assert expected is not (float in map(type, told) and type(model) is Register)


def test_values_that_are_no_keys_are_known_by_what_they_hold():
    asked = [("write", [1, {"a": {2}}]), ("read",), ("cas", (1, {"a": {2}}), [3]), ("read",)]
    history = History(one_after_the_other(asked, [NIL, (1, {"a": {2}}), True, [3]]))
    assert machine_of(Register(), history.columns).kind == codes.BITS
    assert linearizable(history, Register()).holds
    queue = History(one_after_the_other([("enqueue", [1]), ("peek",), ("dequeue",)], [NIL, (1,), [1]]))
    assert machine_of(Queue(), queue.columns).kind == codes.SEQUENCE
    assert linearizable(queue, Queue()).holds


@given(st.lists(st.integers(-(1 << 61), 1 << 61), max_size=6), st.integers(-(1 << 40), 1 << 40))
def test_a_counter_counts_exactly_however_large(steps, initial):
    total = initial + sum(steps)
    asked = [*(("add", by) for by in steps), ("read",)]
    for told, right in ((total, True), (total + 1, False), (float(total), float(total) == total)):
        history = one_after_the_other(asked, [*(NIL for _ in steps), told])
        assert linearizable(history, Counter(initial)).holds is right


@pytest.mark.parametrize("keys", [1, 3, 40])
def test_several_keys_are_fields_of_one_state_while_they_fit(keys):
    """Sequential consistency is of all keys together."""
    rng = random.Random(keys)
    held = {}
    asked, told = [], []
    for _ in range(600):
        key = rng.randrange(keys)
        asked.append(rng.choice([("get", key), ("put", key, rng.randrange(4)), ("delete", key)]))
        told.append(held.get(key, NIL) if asked[-1][0] == "get" else NIL)
        if asked[-1][0] == "put":
            held[key] = asked[-1][2]
        elif asked[-1][0] == "delete":
            held.pop(key, None)
    history = History(one_after_the_other(asked, told))
    kind = machine_of(KeyValue(), history.columns).kind
    assert kind == (codes.TABLE if keys == 40 else codes.BITS)
    assert sequentially_consistent(history, KeyValue()).holds
    wrong = Operation(0, 1000, 1001, ("get", 0), "never there")
    assert sequentially_consistent([*history, wrong], KeyValue()).holds is False


@pytest.mark.parametrize(
    ("model", "put", "take"), [(Queue(), "enqueue", "dequeue"), (Stack(), "push", "pop")]
)
def test_a_search_of_many_sequences_finds_none_that_is_not_there(model, put, take):
    """All is concurrent, so every sequence is tried; room for them is made again and again."""
    puts = [Operation(("put", k), 0, 9, (put, k), NIL) for k in range(6)]
    takes = [Operation(("take", k), 0, 9, (take,), k) for k in range(4)]
    late = [Operation("A", 10, 11, (take,), 4), Operation("A", 12, 13, (take,), 5)]
    assert linearizable([*puts, *takes, *late], model).holds
    verdict = linearizable([*puts, *takes, *late, Operation("A", 14, 15, (take,), 5)], model)
    assert (verdict.holds, verdict.blocking.call_s) == (False, 14)
    assert verdict.steps > 10_000


@pytest.mark.parametrize(
    ("model", "put", "take"), [(Queue(), "enqueue", "dequeue"), (Stack(), "push", "pop")]
)
def test_the_memory_of_sequences_is_bounded_and_said(model, put, take):
    operations = [Operation(k, 0, 9, (put, k), NIL) for k in range(14)]
    history = [*operations, Operation("A", 10, 11, (take,), "none")]
    verdict = linearizable(history, model, max_memory_bytes=1_000_000)
    assert (verdict.holds, verdict.bound) == (None, "with max_memory_bytes=1,000,000")


@given(st.sampled_from(NAMES), st.integers(0, 2**32), st.booleans())
def test_what_an_order_needs_is_what_the_models_own_steps_say(name, seed, as_table):
    history = random_history(name, random.Random(seed), 9)
    model = model_of(name)
    judged = Model(model.step, model.start) if as_table else model
    columns = History(
        Operation(each.process, each.call_s, each.return_s if place % 3 else None, each.input, each.output)
        for place, each in enumerate(one_process_each(history))
    ).columns
    machine = machine_of(judged, columns)
    search = CompiledSearch(Lanes.of(columns, machine, by_time=True), machine)
    bounds = Bounds.of(2_000, None, 1 << 30)
    while search._advance(bounds) == codes.MISSING:
        machine.supply(search.here, float("inf"))
    places = search.stack[: search.here[codes.DEPTH], codes.PLACE]
    placed = search.operations[places, codes.ROW].tolist()
    found = search.operations[search._needed(places), codes.ROW].tolist()
    assert found == needed(placed, columns.operations, judged)


def one_process_each(history):
    """Return the same operations, none after one that never returned."""
    return [replace(each, process=place) for place, each in enumerate(history)]


def test_a_long_queue_is_followed():
    size = 5_000
    puts = [Operation(0, k, k + 0.5, ("enqueue", k), NIL) for k in range(size)]
    takes = [Operation(0, size + k, size + k + 0.5, ("dequeue",), k) for k in range(size)]
    assert linearizable([*puts, *takes], Queue()).holds
    assert (
        linearizable([*puts, *takes[:-1], Operation(0, 3 * size, 3 * size, ("dequeue",), 0)], Queue()).holds
        is False
    )


def test_a_lock_without_names_is_held_by_nobody_in_particular():
    asked = [
        ("acquire",),
        ("acquire", None),
        ("release", None),
        ("release",),
        ("acquire", [1]),
        ("release", (1,)),
    ]
    history = one_after_the_other(asked, [True, False, False, True, True, True])
    assert linearizable(history, Lock()).holds
    assert machine_of(Lock(), History(history).columns).kind == codes.BITS


def test_answers_that_are_equal_and_of_other_types_are_not_alike():
    """1.0 says nothing of what a delete did, True says that it did something."""
    asked = [("append", "x", "a"), ("delete", "x"), ("delete", "x"), ("delete", "x")]
    for told, right in (([True, 1.0, 1.0], True), ([1.0, 1.0, True], False)):
        history = History(one_after_the_other(asked, [NIL, *told]))
        assert isinstance(machine_of(KeyValue(), history.columns), Automaton)
        assert linearizable(history, KeyValue()).holds is right
        assert linearizable(history, KeyValue(), engine="interpreted").holds is right
