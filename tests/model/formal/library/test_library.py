"""The library as a whole: complete, described, and known to both engines."""

import inspect
import pkgutil
from importlib import import_module

import pytest

import workbench.model.formal as wb
from workbench.model.formal import library
from workbench.model.formal._models import specification
from workbench.model.formal.compiling.programs import written

MODELS = {name: getattr(library, name) for name in library.__all__}


def built(name):
    """Return a model with its parameters as they are unless given."""
    model = MODELS[name]
    return model if isinstance(model, type) else model()


def test_every_model_of_a_file_is_offered():
    for found in pkgutil.iter_modules(library.__path__):
        module = import_module(f"{library.__name__}.{found.name}")
        assert set(module.__all__) <= set(library.__all__)
        assert "Source: " in module.__doc__


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_a_class_of_its_name_that_says_what_it_is(name):
    model = built(name)
    assert issubclass(model, wb.Model)
    assert model.__name__ == name
    assert inspect.getdoc(MODELS[name])
    assert inspect.getdoc(model) != inspect.getdoc(wb.Model)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_what_must_be_true_of_it(name):
    members = {member.kind for member in specification(built(name)).members}
    assert members & {"invariant", "action property"} or name.startswith("BoundedBuffer")


@pytest.mark.parametrize("name", MODELS)
def test_the_compiled_engine_knows_all_that_a_model_uses(name):
    assert "def expand(" in written(specification(built(name))).source


@pytest.mark.parametrize("name", MODELS)
def test_an_action_that_is_written_again_keeps_its_place(name):
    model = built(name)
    first = specification(model).actions[0]
    again = wb.action(fair=first.fair, **first.parameters)(first.function)
    changed = type(name, (model,), {first.name: again})
    assert [action.name for action in specification(changed).actions] == [
        action.name for action in specification(model).actions
    ]


SMALLER = {
    "EWD998": (2, 2),
    "Paxos": (1, 2, 2),
    "PaxosCommit": (1, 1, 2),
    "RaftElection": (3, 1),
    "CoffeeCan": (4,),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_action_of_a_model_can_happen(name):
    """An action that is never enabled is a mistake in its guards."""
    model = MODELS[name](*SMALLER[name]) if name in SMALLER else built(name)
    assert wb.check(model, engine="python").statistics.never_enabled == ()
