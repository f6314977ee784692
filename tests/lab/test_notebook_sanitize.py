"""What the sanitizer hides, and what it must not."""

import re
import tempfile
from pathlib import Path

import pytest

from workbench.lab._sanitize import normalise, patterns


def sanitized(said, notebook="/srv/project/notebooks/deep/a.ipynb", root="/srv/project"):
    for regex, replacement in patterns(Path(notebook), Path(root)).items():
        said = re.sub(regex, replacement, said)
    return said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<object object at 0x7f3a5c0b2d10>", "<object object at 0x1122334455>"),
        ("/tmp/ipykernel_12/345.py:1: UserWarning", "/scratch/ipykernel_9/1.py:1: UserWarning"),
        ("/srv/project/notebooks/deep/x.csv", "<folder>/x.csv"),
        ("/srv/project/datasets/x.csv", "<root>/datasets/x.csv"),
        (f"{Path.home()}/x.csv", "~/x.csv"),
        (f"{tempfile.gettempdir()}/tmpab_12cd9/x", f"{tempfile.gettempdir()}/tmpzz_12cd9/x"),
        ("PosixPath('/srv/project')", "PosixPath('<root>')"),
        ("/srv/project/notebooks/deep/x.csv", "/data/clone/notebooks/deep/x.csv"),
        (
            "/home/ann/v/lib/python3.11/site-packages/numpy/a.py",
            "/py/lib/python3.13/site-packages/numpy/a.py",
        ),
        ("/usr/lib/python3.11/json/a.py", "/opt/py/lib/python3.12/json/a.py"),
        ("/tmp/run/x", "/private/tmp/run/x"),
        ("/home/ann/x", "/Users/bob/x"),
        ("<A at 0x5>", "<A at 0x7f3a5c0b2d10>"),
    ],
)
def test_addresses_and_places_are_not_compared(one, other):
    assert sanitized(one) == sanitized(other)


@pytest.mark.parametrize(
    "said",
    ["p99 = 12.5 ms", "took 3.1 s", "2026-11-25T21:35:00Z", "2026-11-25", "numpy 2.4.6", "127.0.0.1:4318",
     "0x7f3a", "error at 0xdead", "mask 0xff", "84 spans/s", "/v1/traces", "/srv/projects/x",
     "/mirror/srv/project/x", "3 µs"],
)  # fmt: skip
def test_times_dates_versions_and_networks_are_results(said):
    assert sanitized(said) == said
    assert normalise(said) == said


def test_what_a_recording_stores_compares_equal_to_what_a_kernel_prints():
    said = "<A at 0x7f3a5c0b2d10>\n/tmp/ipykernel_12/345.py:1: W\n/srv/project/notebooks/deep/x"
    assert sanitized(normalise(said)) == sanitized(said)
    assert normalise(normalise(said)) == normalise(said)


def test_a_project_in_the_root_folder_hides_no_slashes():
    assert sanitized("a / b /c", notebook="/a.ipynb", root="/") == "a / b /c"
