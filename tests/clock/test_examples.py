"""The examples in the docstrings run, and the room stands on nothing but the errors."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import workbench.clock

MODULES = ["_default", "_system", "_virtual"]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    outcome = doctest.testmod(importlib.import_module(f"workbench.clock.{name}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_the_room_imports_nothing_of_the_project_but_the_errors():
    imported = set()
    for module in pkgutil.iter_modules(workbench.clock.__path__):
        source = Path(workbench.clock.__path__[0], f"{module.name}.py").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
    ours = {name for name in imported if name.partition(".")[0] == "workbench"}
    assert {name for name in ours if not name.startswith("workbench.clock")} == {"workbench.errors"}


def test_the_face_is_complete_and_documented():
    face = workbench.clock
    assert len(set(face.__all__)) == len(face.__all__)
    assert set(workbench.clock.errors.__all__) <= set(face.__all__)
    assert all(getattr(face, name).__doc__ for name in face.__all__)
