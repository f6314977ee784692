"""The table of defaults says what the policies do."""

import inspect
import re

import pytest

from workbench import backoff, reliability
from workbench.reliability import policies

ROW = re.compile(r"^(\S+) +(\w+) +([\d.]+) +(\S.*)$", re.MULTILINE)
ROWS = ROW.findall(policies.__doc__)


def test_the_table_is_read():
    assert len(ROWS) == policies.__doc__.split("===\n")[2].count("\n")


@pytest.mark.parametrize(("policy", "argument", "default", "source"), ROWS)
def test_the_table_is_true_and_names_a_source(policy, argument, default, source):
    kind, _, method = policy.partition(".")
    made = backoff.Exponential if kind == "backoff" else getattr(reliability, kind)
    found = inspect.signature(getattr(made, method) if method else made).parameters[argument].default
    assert found == float(default)
    assert source
