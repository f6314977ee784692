"""The house keeps its promises: cheap to import, complete faces, documented and typed names."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
import typing

import pytest

import workbench

ROOMS = [
    "workbench",
    *(f"workbench.{name}" for name in ("display", "histories", "kernels", "lab", "otlp", "reliability")),
    "workbench.model.formal",
    "workbench.model.formal.library",
]
PARTS = {  # folders that only their own room enters
    "compiling",
    "domains",
    "exporting",
    "fusing",
    "interpreting",
    "library",
    "machines",
    "pictures",
    "search",
    "temporal",
    "validating",
}
HEAVY = {
    "numpy",
    "numba",
    "torch",
    "pyarrow",
    "pandas",
    "matplotlib",
    "scipy",
    "networkx",
    "IPython",
    "pytest",
}
MEASURE = """
import json, sys, time
start = time.process_time()
import workbench
print(json.dumps([time.process_time() - start, sorted(name.partition(".")[0] for name in sys.modules)]))
"""


def test_import_costs_under_50_ms_of_cpu_and_loads_nothing_heavy():
    runs = [json.loads(subprocess.check_output([sys.executable, "-c", MEASURE])) for _ in range(5)]
    assert min(seconds for seconds, _ in runs) < 0.050
    assert not HEAVY & set(runs[0][1])


def public_names(room):
    module = importlib.import_module(room)
    return [(room, name, getattr(module, name)) for name in module.__all__]


PUBLIC = [entry for room in ROOMS for entry in public_names(room)]


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_lists_its_names_sorted_and_dir_knows_them(room):
    module = importlib.import_module(room)
    assert module.__all__ == sorted(module.__all__, key=lambda name: (not name.isupper(), name))
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing  # noqa: B018


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_of_a_room_is_exported_by_its_face(room):
    module = importlib.import_module(room)
    for found in pkgutil.walk_packages(module.__path__ if room != "workbench" else [], f"{room}."):
        name = found.name.rpartition(".")[2]
        is_part = bool(PARTS & set(found.name.split(".")))
        if not found.ispkg and not is_part and not name.startswith("_") and name not in module.__all__:
            submodule = importlib.import_module(found.name)
            assert set(submodule.__all__) <= set(module.__all__), found.name


@pytest.mark.parametrize(
    ("room", "name", "value"), PUBLIC, ids=[f"{room}.{name}" for room, name, _ in PUBLIC]
)
def test_every_public_name_is_documented_and_typed(room, name, value):
    if inspect.ismodule(value) or not callable(value):
        assert isinstance(value, str) or value.__doc__
        return
    if typing.get_origin(value) is typing.Literal:
        return
    assert inspect.getdoc(value), f"{room}.{name} has no docstring"
    functions = [value] if inspect.isfunction(value) else _own_methods(value)
    for function in functions:
        untyped = [
            parameter.name
            for parameter in inspect.signature(function).parameters.values()
            if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
        ]
        assert not untyped, f"{function.__qualname__} leaves {untyped} untyped"
        assert "return" in function.__annotations__, f"{function.__qualname__} has no return type"
        assert inspect.getdoc(function), f"{function.__qualname__} has no docstring"


def _own_methods(kind):
    members = [(name, inspect.getattr_static(kind, name)) for name in vars(kind) if not name.startswith("_")]
    plain = [member.fget if isinstance(member, property) else member for _, member in members]
    return [
        member for member in plain if inspect.isfunction(member) and member.__module__.startswith("workbench")
    ]


def test_the_version_is_the_distributions():
    from importlib.metadata import version

    assert version("reliability-workbench") == workbench.__version__


BLOCKED = """
import sys
sys.modules["nbformat"] = None
from workbench import MissingExtraError, lab
try:
    lab.record_notebook
except MissingExtraError as error:
    print(isinstance(error, ImportError), error)
"""


def test_a_room_whose_packages_are_missing_names_the_command_that_installs_them():
    said = subprocess.check_output([sys.executable, "-c", BLOCKED], text=True)
    assert said == "True workbench.lab._record needs nbformat: pip install 'reliability-workbench[lab]'\n"
