"""Promela text: SPIN counts the states that we count, and finds wrong what we find wrong."""

import pytest
import spin_runs

import workbench.model.formal as wb
from workbench.model.formal import library

MODELS = {
    "jugs": library.DieHard,
    "two-phase commit": lambda: library.TwoPhaseCommit(4),
    "philosophers": lambda: library.DiningPhilosophers(6),
    "forks in order: fields that may be None": lambda: library.OrderedPhilosophers(4),
    "Peterson": library.Peterson,
    "ring election: several initial states": library.ChangRoberts,
    "alternating bit: sequences of records, a constraint": library.AlternatingBit,
    "Paxos commit: sets of messages": lambda: library.PaxosCommit(rm=1, acceptors=1),
    "logical clocks: arrays of sequences": library.LamportMutex,
    "game of life: an action property": lambda: library.GameOfLife(2),
    "a saga with compensations": library.CheckoutSaga,
}


def made(name):
    model = MODELS[name]
    return model if isinstance(model, type) else model()


def counted(model, folder, *options):
    """Return what SPIN finds, without the state in which it chooses among initial ones."""
    text = wb.to_promela(model)
    found = spin_runs.explored(text, folder, *options)
    found.states -= "SPIN stores one state more" in text
    return found


@spin_runs.needed
@pytest.mark.parametrize("name", MODELS)
def test_spin_stores_as_many_states_as_there_are(name, tmp_path):
    model = made(name)
    assert counted(model, tmp_path, "-E").states == wb.check(model, engine="python").distinct


@spin_runs.needed
def test_spin_finds_the_deadlock_of_the_philosophers_and_none_where_forks_are_in_order(tmp_path):
    stuck = counted(library.DiningPhilosophers(3), tmp_path)
    assert stuck.errors > 0
    assert "invalid end state" in stuck.text
    assert counted(library.OrderedPhilosophers(3), tmp_path).errors == 0


@spin_runs.needed
def test_spin_finds_a_violated_invariant_by_its_name(tmp_path):
    found = counted(library.DieHard, tmp_path, "-c1")
    assert "assertion violated" in found.text


@spin_runs.needed
def test_a_terminal_state_is_no_deadlock(tmp_path):
    class Counter(wb.Model):
        n = wb.Int(-2, 3)

        @wb.action
        def up(s):
            wb.require(s.n < 3)
            s.n += 1

    assert counted(Counter, tmp_path).errors == 1

    class Ending(Counter):
        @wb.terminal
        def full(s):
            return s.n == 3

    found = counted(Ending, tmp_path)
    assert (found.states, found.errors) == (6, 0)


@spin_runs.needed
def test_assignments_that_read_each_other_happen_at_once(tmp_path):
    class Rotation(wb.Model):
        a = wb.Int(0, 9)
        b = wb.Int(0, 9)
        c = wb.Int(0, 9)

        def init(s):
            s.a, s.b, s.c = 1, 2, 3

        @wb.action
        def rotate(s):
            s.a, s.b, s.c = s.b, s.c, s.a

        @wb.invariant
        def all_are_there(s):
            return s.a + s.b + s.c == 6

    found = counted(Rotation, tmp_path)
    assert (found.states, found.errors) == (3, 0)


@spin_runs.needed
def test_a_value_outside_its_domain_is_an_assertion_violated(tmp_path):
    class Overflow(wb.Model):
        n = wb.Int(0, 3)

        @wb.action
        def up(s):
            s.n += 1

    assert counted(Overflow, tmp_path).errors > 0


@spin_runs.needed
def test_a_variable_that_nothing_reads_counts(tmp_path):
    class Written(wb.Model):
        n = wb.Int(0, 1)

        @wb.action(k=range(2))
        def choose(s, k):
            s.n = k

    assert counted(Written, tmp_path).states == 2


def test_the_text_names_actions_constants_and_properties():
    text = wb.to_promela(library.TwoPhaseCommit(2))
    assert "#define rms_aborted 3" in text
    assert "byte rms[2] = rms_working;" in text
    prepare = "d_step { rms[1] == rms_working -> rms[1] = rms_prepared; sent[1] = true }"
    assert f"/* rm_prepare(r=1) */\n  :: {prepare}" in text
    assert "assert(consistent)" in text


def test_a_field_without_bounds_cannot_be_exported():
    class Free(wb.Model):
        anything = wb.Value()

        @wb.action
        def keep(s):
            pass

    with pytest.raises(wb.NotExportableError, match="anything"):
        wb.to_promela(Free)


def test_what_cannot_be_exported_is_named_with_its_line():
    class Shifting(wb.Model):
        n = wb.Int(1, 8)

        @wb.action
        def double(s):
            wb.require(s.n < 8)
            s.n = s.n << 1

    line = Shifting.double.function.__code__.co_firstlineno + 3
    with pytest.raises(wb.NotExportableError, match=rf"test_promela\.py:{line}: in double"):
        wb.to_promela(Shifting)


def test_a_view_cannot_be_exported():
    class Viewed(wb.Model):
        n = wb.Int(0, 3)

        @wb.action
        def up(s):
            s.n = (s.n + 1) % 4

        @wb.view
        def parity(s):
            return s.n % 2

    with pytest.raises(wb.NotExportableError, match="view"):
        wb.to_promela(Viewed)


def test_what_is_no_model_is_refused():
    with pytest.raises(wb.ModelError):
        wb.to_promela(int)
