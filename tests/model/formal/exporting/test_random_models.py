"""Random models have, exported, the states that they have: by a reader of TLA+, and by SPIN."""

import pytest
import spin_runs
from random_models import random_model
from tla_reader import Module

import workbench.model.formal as wb

MOST = 1_000  # states


@pytest.mark.parametrize("block", range(6))
def test_the_module_of_a_random_model_has_its_states(block, tmp_path):
    compared = 0
    for seed in range(12 * block, 12 * block + 12):
        model = random_model(seed, tmp_path)
        verdict = wb.check(model, engine="python", max_states=MOST)
        if verdict.holds:
            assert len(Module(wb.to_tla(model)).reachable()) == verdict.distinct, seed
            compared += 1
    assert compared > 6


@spin_runs.needed
@pytest.mark.slow
@pytest.mark.parametrize("block", range(6))
def test_spin_stores_the_states_of_a_random_model(block, tmp_path):
    largest = None
    for seed in range(12 * block, 12 * block + 12):
        model = random_model(seed, tmp_path)
        verdict = wb.check(model, engine="python", max_states=MOST)
        if verdict.holds and (largest is None or verdict.distinct > largest[1].distinct):
            largest = model, verdict
    model, verdict = largest
    assert verdict.distinct > 1
    stored = spin_runs.explored(wb.to_promela(model), tmp_path, "-E").states
    assert stored == verdict.distinct + 1  # in which SPIN chooses between the initial states
