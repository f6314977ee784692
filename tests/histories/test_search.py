"""The search: bounds that stop it, shortcuts that change no answer, engines that agree."""

import gc
import random
import signal

import pytest
from benchmarks.plain_linearizability import PlainSearch
from benchmarks.register_histories import register_history
from histories.brute_force import PLAIN, brute_force, random_history, time_order
from hypothesis import given
from hypothesis import strategies as st

from workbench import histories
from workbench.histories import (
    NIL,
    Counter,
    History,
    HistoryError,
    KeyValue,
    Model,
    ModelError,
    Operation,
    Register,
    Set,
    linearizable,
    sequentially_consistent,
)

WRITES = 26


def endless():
    """A history whose every subset of writes must be tried, for a read that none of them explains."""
    writes = [Operation(k, k / 100, 10 + k / 100, ("cas", ("not", k), k), NIL) for k in range(4)]
    writes += [Operation(k, k / 100, 10 + k / 100, ("append", k), NIL) for k in range(4, WRITES)]
    return History([*writes, Operation("reader", 20, 21, ("read",), "none")])


def hopeless():
    """Writes that may stand in any order, and a read that none explains: the kernel alone is busy."""
    writes = [Operation(k, 0, 10, ("write", k), NIL) for k in range(24)]
    return History([*writes, Operation("reader", 20, 21, ("read",), "none")])


def collect(state, asked, told):
    """A set that is read at once: as many states as there are subsets."""
    if asked[0] == "read":
        return told is None or told == state, state
    return True, state | {asked[-1]}


ENDLESS = Model(collect, frozenset())


@pytest.mark.parametrize("engine", ["compiled", "interpreted"])
@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ({"max_steps": 5_000}, "after max_steps=5,000"),
        ({"timeout_s": 0.05}, "after timeout_s"),
        ({"max_memory_bytes": 300_000}, "with max_memory_bytes=300,000"),
    ],
)
def test_a_bound_that_is_reached_leaves_it_undecided_and_is_named(engine, bound, words):
    verdict = linearizable(endless(), ENDLESS, engine=engine, **bound)
    assert verdict.holds is None
    assert verdict.bound == words
    assert verdict.blocking is None
    assert repr(verdict).startswith(f"Verdict: undecided {words}, ")
    assert len(verdict.prefix) == WRITES
    assert sequentially_consistent(endless(), ENDLESS, engine=engine, **bound).holds is None


def test_a_bound_of_steps_is_kept():
    assert linearizable(endless(), ENDLESS, max_steps=1234).steps <= 1234 + 1


def test_a_search_can_be_interrupted():
    def interrupt(*_):
        raise KeyboardInterrupt

    # Compiled first: what is raised in a callback of the compiler is lost, too.
    linearizable(hopeless(), Register(), max_steps=10)
    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # Hypothesis listens to it, and what is raised in a listener is lost
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            linearizable(hopeless(), Register(), max_memory_bytes=1 << 33)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.enable()
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("bound", ["max_steps", "timeout_s", "max_memory_bytes"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_bound_must_be_more_than_zero(bound, value):
    with pytest.raises(HistoryError, match=f"{bound} must be more than zero"):
        linearizable([], Register(), **{bound: value})


def test_an_engine_that_there_is_not_is_refused():
    with pytest.raises(ModelError, match='engine must be "auto"'):
        linearizable([Operation("A", 0, 1, ("read",), 1)], Register(), engine="fast")


def test_what_is_no_model_is_refused():
    with pytest.raises(ModelError, match="expected a model such as"):
        linearizable([], lambda state, asked, told: (True, state))


def test_a_history_of_nothing_holds():
    for judge in (linearizable, sequentially_consistent):
        verdict = judge([], Register())
        assert (verdict.holds, verdict.prefix, verdict.steps) == (True, (), 0)


@pytest.mark.parametrize("seed", range(100))
def test_the_compiled_search_makes_the_steps_that_plain_python_makes(seed):
    history = register_history(seed)
    verdict = linearizable(history, Register())
    assert (verdict.holds, verdict.steps) == PlainSearch(history.operations).run()


@pytest.mark.parametrize("seed", range(12))
def test_engines_agree_on_histories_of_eighty_operations(seed):
    history = register_history(18 * seed + seed % 2)
    found = linearizable(history, Register())
    slow = linearizable(history, Register(), engine="interpreted", max_steps=100_000)
    assert slow.holds in (found.holds, None)
    if slow.holds is False:
        assert slow.blocking == found.blocking
    if found.holds:
        assert_explains(history, found.prefix)


def assert_explains(history, order):
    """An order of all that returned, in time, is what a register does."""
    assert {id(each) for each in history if each.return_s is not None} <= set(map(id, order))
    latest = float("-inf")
    for operation in order:
        latest = max(latest, operation.call_s)
        assert operation.return_s is None or latest <= operation.return_s
    one_by_one = [Operation(0, k, k + 0.5, each.input, each.output) for k, each in enumerate(order)]
    value = None
    for operation in one_by_one:
        name, *given = operation.input
        if name == "read":
            assert operation.output in (value, None)
        elif name == "write" or value == given[0]:
            assert operation.output is not False
            value = given[-1]
        else:
            assert operation.output in (False, None)


def as_list(name):
    """A user's model whose states cannot be hashed: the list of all that was done so far."""
    model = getattr(histories, name)(*((0,) if name == "Register" else ()))

    def step(state, asked, told):
        ok, after = model.step(state[0], asked, told)
        return ok, [after]

    return Model(step, [model.start])


@given(st.sampled_from(sorted(PLAIN)), st.integers(0, 2**32), st.integers(0, 6))
def test_a_model_whose_states_cannot_be_hashed_is_interpreted_with_the_same_answers(name, seed, size):
    history = random_history(name, random.Random(seed), size)
    assert linearizable(history, as_list(name)).holds is brute_force(name, history)
    if size:
        with pytest.raises(ModelError, match="cannot be a key"):
            linearizable(history, as_list(name), engine="compiled")


@given(st.integers(0, 2**32), st.integers(0, 8))
def test_a_random_table_is_judged_alike_by_both_engines(seed, size):
    """A model without any meaning: no shortcut may rest on what objects usually do."""
    rng = random.Random(seed)
    table = {
        (state, name, told): (rng.random() < 0.6, rng.randrange(3))
        for state in range(3)
        for name in "abc"
        for told in (None, 0, 1)
    }
    model = Model(lambda state, asked, told: table[state, asked[0], told], 0)
    shape = random_history("Register", rng, size)
    history = History(
        Operation(each.process, each.call_s, each.return_s, (rng.choice("abc"),), rng.choice([None, 0, 1]))
        for each in shape
    )
    for judge in (linearizable, sequentially_consistent):
        compiled = judge(history, model, engine="compiled")
        interpreted = judge(history, model, engine="interpreted")
        assert compiled.holds is interpreted.holds
        if judge is linearizable and compiled.holds is False:
            assert compiled.blocking.return_s == interpreted.blocking.return_s


def test_states_whose_hashes_are_all_alike_are_told_apart():
    class Clash(int):
        def __hash__(self):
            return 7

    model = Model(lambda state, asked, told: (told in (None, state, "ok"), Clash(state + asked[1])), Clash(0))
    adds = [Operation(k, 0, 1, ("add", 2**k), "ok") for k in range(8)]
    assert linearizable([*adds, Operation("r", 2, 3, ("add", 0), 255)], model).holds
    assert linearizable([*adds, Operation("r", 2, 3, ("add", 0), 254)], model).holds is False


def test_parts_are_judged_by_themselves_and_the_failing_one_is_named():
    good = [Operation("A", k, k + 0.5, ("put", k % 5, k), NIL) for k in range(20)]
    bad = Operation("B", 30, 31, ("get", 3), 13)
    verdict = linearizable([*good, bad, Operation("B", 32, 33, ("get", 4), 19)], KeyValue())
    assert (verdict.holds, verdict.part, verdict.blocking) == (False, (3,), bad)
    assert {operation.input[1] for operation in verdict.history} == {3}
    assert "part (3,)" in repr(verdict)


def test_many_keys_cost_what_each_costs():
    """All puts overlap, of one key only three: their orders do not multiply."""
    puts = [Operation((key, k), 0, 1, ("put", key, k), NIL) for key in range(200) for k in range(3)]
    gets = [Operation(key, 2, 3, ("get", key), 1) for key in range(200)]
    verdict = linearizable([*puts, *gets], KeyValue())
    assert verdict.holds
    assert len(verdict.prefix) == 800
    assert verdict.steps < 10_000


@given(st.integers(0, 2**32), st.sampled_from(["KeyValue", "Set"]))
def test_the_order_of_all_parts_is_one_order(seed, name):
    history = random_history(name, random.Random(seed), 6)
    verdict = linearizable(history, getattr(histories, name)())
    if verdict.holds:
        order = verdict.prefix
        assert {id(each) for each in history if each.return_s is not None} <= set(map(id, order))
        for place, operation in enumerate(order):
            assert not any(time_order(later, operation) for later in order[place + 1 :])


def test_parts_that_contradict_a_process_at_one_instant_are_judged_as_one():
    at = (1, 1)
    history = [
        Operation("A", *at, ("add", "x"), False),
        Operation("A", *at, ("add", "y"), True),
        Operation("B", *at, ("add", "y"), False),
        Operation("B", *at, ("add", "x"), True),
    ]
    assert brute_force("Set", History(history)) is False
    assert linearizable(history, Set()).holds is False


def test_what_never_returned_stands_in_the_order_only_where_it_is_needed():
    idle = [Operation(k, 0, None, ("write", k)) for k in range(5)]
    needed = Operation("w", 0, None, ("write", 9))
    read = Operation("r", 1, 2, ("read",), 9)
    assert linearizable([*idle, needed, read], Register()).prefix == (needed, read)
    assert linearizable([*idle, read], Register()).prefix == ()


def test_thousands_that_never_returned_and_are_alike_cost_little():
    lost = [Operation(k, 0, None, ("increment",)) for k in range(500)]
    reads = [Operation("r", k + 1, k + 1.5, ("read",), k) for k in range(30)]
    verdict = linearizable([*lost, *reads], Counter())
    assert verdict.holds
    assert len(verdict.prefix) == 30 + 29
    assert (
        linearizable([*lost, Operation("r", 1, 2, ("read",), -1)], Counter(), max_steps=100_000).holds
        is False
    )


def test_a_long_history_of_few_at_a_time_is_judged_in_one_pass():
    operations = [Operation(k % 3, k, k + 2.5, ("increment",), NIL) for k in range(20_000)]
    verdict = linearizable(operations, Counter())
    assert verdict.holds
    assert verdict.steps <= 3 * len(operations)
