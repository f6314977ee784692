"""What the README shows is true: its script runs as it stands, and what it links to is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", "notebooks/README.md", "datasets/checkout/README.md"]
NOTEBOOKS = sorted(
    path for path in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
)


@pytest.mark.slow
def test_the_script_runs_and_names_the_guilty_service(tmp_path):
    script = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    assert re.search(r"payment was slow from [\d:]+ to [\d:]+ UTC", done.stdout)
    assert "<svg" in (tmp_path / "slowest.svg").read_text()
    assert len([line for line in script.splitlines() if line]) <= 10


@pytest.mark.slow
def test_the_second_script_shows_an_outage_that_outlives_itself():
    script = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    hello, result, traces = done.stdout.splitlines()
    assert hello == "hello"
    assert float(re.search(r"offered load ([\d.]+)", result)[1]) > 1
    assert traces.startswith("Traces: ")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / link).exists(), link


@pytest.mark.parametrize("index", ["README.md", "notebooks/README.md"])
def test_every_notebook_is_in_the_index(index):
    text = (ROOT / index).read_text()
    assert all(path.stem in text for path in NOTEBOOKS)
    assert NOTEBOOKS
