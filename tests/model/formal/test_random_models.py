"""Random models: the translated text does what Python does, state by state, and both engines say the same."""

import random
import re

import pytest
from agreement import checked_by_both
from random_models import random_model
from written import Written

import workbench.model.formal as wb
from workbench.model.formal.interpreting.steps import Broken, successor

SEEDS = 12  # of a block
STATES = 60  # of a model that are compared


def by_python(declared, state, instance):
    try:
        after = successor(declared, state, instance)
    except wb.ActionError:
        return "error"
    return "assertion" if isinstance(after, Broken) else after


def random_states(declared, seed):
    rng = random.Random(seed)
    values = [list(domain.frozen_values()) for domain in declared.fields.values()]
    return [tuple(map(rng.choice, values)) for _ in range(STATES)]


def written_or_refused(model):
    try:
        return Written(model)
    except wb.NotCompilableError as refusal:
        return str(refusal)


@pytest.mark.parametrize("block", range(6))
def test_the_text_of_a_random_model_does_what_python_does(block, tmp_path):
    refused = taken = 0
    for seed in range(SEEDS * block, SEEDS * (block + 1)):
        written = written_or_refused(random_model(seed, tmp_path))
        if isinstance(written, str):
            assert re.search(rf"random_{seed}\.py:\d+: in act\d: `", written)
            refused += 1
            continue
        for state in random_states(written.declared, seed):
            for instance in written.declared.instances:
                after = by_python(written.declared, state, instance)
                assert written.after(state, instance) == after, (seed, instance.label, state)
                taken += isinstance(after, tuple)
    assert taken > 300
    assert refused < SEEDS / 2


@pytest.mark.parametrize("seed", [7, 47, 65])
def test_both_engines_say_the_same_of_a_random_model(seed, tmp_path):
    assert checked_by_both(random_model(seed, tmp_path), max_states=2000).distinct > 10
