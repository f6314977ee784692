"""Machines in both worlds: interpreted over slotted objects, compiled by Numba over NumPy records."""

import copy
from dataclasses import fields

import numba
import numpy as np
import pytest

from workbench.reliability.machines._records import record_of


class BothWorlds:
    """One machine, run twice; each step must return the same, and leave the same state, to the last bit."""

    def __init__(self, compiled, *records, arrays=()):
        self._compiled = compiled
        self.live = [copy.copy(record) for record in records]
        self._records = [record_of(record)[0] for record in records]
        self.lists = [list(values) for values in arrays]
        self._arrays = [np.array(values) for values in arrays]

    def step(self, transition, *arguments, use, rings=()):
        """Run a transition over the records (and arrays) of some positions; return what it returned."""
        live = transition(*(self.live[at] for at in use), *(self.lists[at] for at in rings), *arguments)
        function = self._compiled(transition)
        other = function(*(self._records[at] for at in use), *(self._arrays[at] for at in rings), *arguments)
        assert live == other, (transition.__name__, live, other)
        for mine, record in zip(self.live, self._records, strict=True):
            for field in fields(mine):
                value, twin = getattr(mine, field.name), record[field.name]
                assert value == twin, (transition.__name__, field.name, value, twin)
        for values, array in zip(self.lists, self._arrays, strict=True):
            assert values == array.tolist()
        return live


@pytest.fixture(scope="session")
def both_worlds():
    """Return what makes `BothWorlds`; each transition is compiled once."""
    known = {}

    def compiled(transition):
        if transition not in known:
            known[transition] = numba.njit(transition)
        return known[transition]

    return lambda *records, arrays=(): BothWorlds(compiled, *records, arrays=arrays)
