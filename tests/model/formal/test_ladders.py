"""A ladder predicts the states of the next size: exactly, where theory says so."""

from dataclasses import replace

import matplotlib as mpl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import Cube

import workbench.model.formal as wb
from workbench.model.formal import library
from workbench.model.formal.ladders import Ladder, Rung
from workbench.model.formal.verdicts import Verdict

mpl.use("agg")
TWO_PHASE = (288, 1_568, 8_832, 50_816, 296_448, 1_745_408, 10_340_352, 61_515_776)  # published, RM = 3..10


def climbed(states, first=1, bound=""):
    """Return a ladder as it would be with such counts."""
    verdicts = [Verdict(library.DieHard, True, count, count, 1, bound=bound) for count in states]
    rungs = tuple(Rung(first + number, verdict, None, 0.0) for number, verdict in enumerate(verdicts))
    return Ladder(library.TwoPhaseCommit, rungs)


@pytest.fixture(scope="module")
def two_phase():
    return wb.ladder(library.TwoPhaseCommit, range(1, 5), engine="python")


def test_each_rung_is_the_model_of_its_size(two_phase):
    assert two_phase.values == (1, 2, 3, 4)
    assert two_phase.states[2:] == TWO_PHASE[:2]
    assert all(rung.verdict.holds and rung.seconds > 0 for rung in two_phase.rungs)


def test_a_rung_keeps_what_the_ones_before_it_predicted(two_phase):
    assert [rung.predicted for rung in two_phase.rungs[:2]] == [None, None]
    below = Ladder(two_phase.factory, two_phase.rungs[:3], two_phase.options)
    assert two_phase.rungs[3].predicted == below.predict()
    assert two_phase.rungs[3].error == below.predict().states / 1568 - 1


def test_ten_million_states_are_predicted_from_six_smaller_sizes():
    prediction = climbed(TWO_PHASE[:6], first=3).predict()
    assert (prediction.value, prediction.states, prediction.order) == (9, TWO_PHASE[6], 3)
    assert not prediction.confirmed


def test_a_rung_more_than_it_takes_confirms_the_recurrence():
    prediction = climbed(TWO_PHASE[:7], first=3).predict()
    assert (prediction.states, prediction.confirmed) == (TWO_PHASE[7], True)
    assert climbed(TWO_PHASE[:6], first=3).predict(ahead=2).states == TWO_PHASE[7]


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(1, 9), min_size=3, max_size=3),
)
def test_sums_of_powers_are_predicted_exactly(bases, weights):
    def term(n):
        return sum(weight * base**n for weight, base in zip(weights, bases, strict=False))

    ladder = climbed([term(n) for n in range(1, 2 * len(bases) + 2)])
    assert ladder.predict().states == term(2 * len(bases) + 2)
    assert ladder.predict().confirmed
    assert ladder.predict(ahead=4).states == term(2 * len(bases) + 5)


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=9))
def test_any_counts_give_a_prediction_that_is_no_less_than_nothing(states):
    prediction = climbed(sorted(states)).predict()
    assert prediction.states >= 0
    assert prediction.order <= len(states) // 2


def test_two_rungs_give_a_geometric_progression():
    assert climbed([10, 30]).predict().states == 90


def test_a_ladder_stops_before_a_size_that_is_too_large():
    ladder = wb.ladder(library.DiningPhilosophers, range(2, 30), max_states=1_000, engine="python")
    assert ladder.states == tuple(3**n - 1 for n in range(2, 7))
    assert ladder.stopped == "7 would have 2,186 states"
    assert "7 would have 2,186 states" in repr(ladder)


@pytest.mark.parametrize("engine", ["python", "compiled"])
def test_memory_is_predicted_within_a_doubling(engine):
    for rung in wb.ladder(library.DiningPhilosophers, range(3, 7), engine=engine).rungs[2:]:
        assert 0.5 < rung.verdict.memory_bytes / rung.predicted.memory_bytes < 1.1


def test_memory_of_the_compiled_engine_is_that_of_the_next_power_of_two():
    last = replace(wb.check(library.DieHard), distinct=TWO_PHASE[6], memory_bytes=28 << 24, engine="compiled")
    ladder = climbed(TWO_PHASE[:6], first=3)
    ladder = replace(ladder, rungs=(*ladder.rungs, Rung(9, last, None, 0.0)))
    assert ladder.predict().memory_bytes == 28 << 26


def test_sizes_grow_in_equal_steps(two_phase):
    with pytest.raises(wb.ModelError, match="equal steps, got 1, 2, 3, 4, 6"):
        two_phase.climb(6)
    with pytest.raises(wb.ModelError, match="equal steps, got 3, 2"):
        wb.ladder(library.DiningPhilosophers, (3, 2), engine="python")


def test_predictions_need_whole_rungs_and_two_of_them():
    with pytest.raises(wb.ModelError, match="needs 2 rungs"):
        climbed([7]).predict()
    with pytest.raises(wb.ModelError, match="1 or more steps ahead"):
        climbed([7, 8]).predict(ahead=0)
    with pytest.raises(wb.ModelError, match="ended by timeout_s=1"):
        climbed([7, 8], bound="timeout_s=1").predict()


def test_a_ladder_shows_itself(two_phase):
    page = two_phase._repr_html_()
    assert "1,568" in page
    assert "predicted" in page
    assert list(two_phase.to_pandas()["states"]) == list(two_phase.states)
    assert repr(two_phase) == "Ladder(sizes 1 to 4: 12 to 1,568 states)"


@pytest.mark.parametrize("of", ["states", "memory"])
def test_a_plot_has_what_was_counted_and_what_was_predicted(two_phase, of):
    counted, predicted = two_phase.plot(of=of).lines
    assert list(counted.get_xdata()) == [1, 2, 3, 4]
    assert list(predicted.get_xdata()) == [3, 4]


def test_a_ladder_of_searches_that_forget_is_predicted_as_well():
    ladder = wb.ladder(Cube, range(2, 6), storage="bitstate")
    assert [rung.verdict.distinct for rung in ladder.rungs] == [8, 27, 64, 125]
    assert all(rung.verdict.holds is None for rung in ladder.rungs)
    assert ladder.predict().value == 6
