"""environment.yml and constraints.txt say what pyproject.toml says."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch"}
OURS = PROJECT["name"]
PIP_ONLY = ("opentelemetry-",)  # conda-forge follows their weekly releases late


def requirements(*groups):
    listed = [line for group in groups for line in (PROJECT["dependencies"] if not group else EXTRAS[group])]
    return {Requirement(line).name: str(Requirement(line).specifier) for line in listed}


EXTRAS = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
CONDA_SPECIFIERS = {
    re.match(r"[a-z0-9-]+", line)[0]: line[re.match(r"[a-z0-9-]+", line).end() :]
    for line in CONDA
    if isinstance(line, str)
}


def test_conda_installs_the_library_the_laboratory_and_learning_at_the_same_floors():
    wanted = {
        CONDA_NAMES.get(name, name): specifier
        for name, specifier in requirements("", "lab", "learning").items()
        if not name.startswith(PIP_ONLY)
    }
    found = dict(CONDA_SPECIFIERS)
    assert found.pop("python") == PROJECT["requires-python"]
    assert found.pop("pip") == ""
    assert found == wanted


def test_conda_installs_workbench_itself_editable():
    assert {"pip": ["-e ."]} in CONDA


def test_all_is_every_extra():
    assert EXTRAS["all"] == [f"{OURS}[{','.join(name for name in EXTRAS if name != 'all')}]"]


CONSTRAINTS = {
    line.partition("==")[0].lower().replace("_", "-"): line.partition("==")[2]
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
}


@pytest.mark.parametrize("group", ["", *(name for name in EXTRAS if name not in ("all", "bench"))])
def test_constraints_hold_a_tested_version_of_every_dependency(group):
    for name, specifier in requirements(group).items():
        version = CONSTRAINTS[name.lower().replace("_", "-")]
        assert Requirement(f"{name}{specifier}").specifier.contains(version, prereleases=True), name


def test_constraints_are_portable():
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in CONSTRAINTS.values())
    assert OURS not in CONSTRAINTS


def test_every_dependency_stands_with_its_reason():
    text = (ROOT / "pyproject.toml").read_text()
    for line in itertools.chain(PROJECT["dependencies"], *EXTRAS.values()):
        if not line.startswith(OURS):
            assert re.search(rf'^  "{re.escape(line)}", *# \S', text, re.MULTILINE), f"{line} has no reason"


def test_declared_pythons_are_tested():
    declared = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: 3." in line]
    tox = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["tox"]
    assert declared == tox["env_list"] == ["3.11", "3.12", "3.13"]
    assert Version(declared[0]) in Requirement(f"python{PROJECT['requires-python']}").specifier
