"""SPIN, run on Promela text: how many states it stores, and what it finds wrong."""

import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest

needed = pytest.mark.skipif(
    shutil.which("spin") is None or shutil.which("gcc") is None, reason="spin or gcc is not installed"
)


@dataclass
class Found:
    """What the verifier printed."""

    states: int
    errors: int
    text: str


def explored(text, folder, *options):
    """Let SPIN explore every state of a model, without any reduction, full states kept."""
    (folder / "model.pml").write_text(text)
    made = run(["spin", "-a", "model.pml"], folder)
    assert "rror" not in made, made
    asked = re.findall(r"-DVECTORSZ=\d+", text)
    run(["gcc", "-O1", "-w", "-DSAFETY", "-DNOREDUCE", *asked, "-o", "pan", "pan.c"], folder)
    text = run(["./pan", "-c0", "-m100000", "-w20", *options], folder)
    states, errors = re.search(r"(\d+) states, stored", text), re.search(r"errors: (\d+)", text)
    return Found(int(states[1]), int(errors[1]), text)


def run(command, folder):
    """Run a program to its end, and return what it prints."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120).stdout
