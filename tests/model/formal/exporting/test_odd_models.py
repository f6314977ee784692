"""Exports of models with odd names, parts within parts and odd values have the states of the model."""

import pytest
import spin_runs
from odd_models import Conditional, LargeSet, OddNames, OddValues
from tla_reader import Module

import workbench.model.formal as wb

MODELS = {each.__name__: each for each in (OddNames, OddValues, LargeSet, Conditional)}


@spin_runs.needed
@pytest.mark.parametrize("name", MODELS)
def test_spin_stores_the_states_of_the_model(name, tmp_path):
    found = spin_runs.explored(wb.to_promela(MODELS[name]), tmp_path, "-E")
    assert found.states == wb.check(MODELS[name], engine="python").distinct


@pytest.mark.parametrize("name", MODELS)
def test_the_module_has_the_states_of_the_model_and_each_is_of_the_declared_types(name):
    module = Module(wb.to_tla(MODELS[name]))
    states = module.reachable()
    assert len(states) == wb.check(MODELS[name], engine="python").distinct
    assert all(module.holds("TypeOK", state) for state in states)


def test_a_module_gives_each_variable_a_name_of_its_own_that_tla_allows():
    names = Module(wb.to_tla(OddNames)).variables
    assert len(set(names)) == len(names) == 18
    assert not {"VIEW", "WF_one"} & set(names)


@spin_runs.needed
@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 255), (-(2**15), 2**15 - 1)])
def test_a_value_outside_its_domain_is_found_where_spin_would_cut_it_to_its_type(low, high, tmp_path):
    class Overflow(wb.Model):
        n = wb.Int(low, high)

        def init(s):
            s.n = high

        @wb.action
        def up(s):
            s.n += 1

    found = spin_runs.explored(wb.to_promela(Overflow), tmp_path, "-c1")
    assert found.errors == 1
    assert "assertion violated" in found.text


def test_a_number_that_promela_cannot_hold_on_the_way_is_named_with_its_line():
    class Square(wb.Model):
        n = wb.Int(0, 100_000)

        @wb.action
        def square(s):
            s.n = s.n * s.n % 100_000

    line = Square.square.function.__code__.co_firstlineno
    wanted = rf"test_odd_models\.py:{line}: in square: n \* n has values from 0 to 10,000,000,000"
    with pytest.raises(wb.NotExportableError, match=wanted):
        wb.to_promela(Square)
    assert "n' = (n * n) % 100000" in wb.to_tla(Square)


@pytest.mark.parametrize("export", [wb.to_promela, wb.to_tla])
def test_a_model_without_an_initial_state_cannot_be_exported(export):
    class Nowhere(wb.Model):
        n = wb.Int(0, 1)

        def init(s):
            yield from ()

        @wb.action
        def up(s):
            s.n = 1

    with pytest.raises(wb.NotExportableError, match="Nowhere has no initial state"):
        export(Nowhere)
