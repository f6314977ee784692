"""Texts and where they lie: a copy lies elsewhere, and says so."""

import copy
import pickle

import numpy as np
import pytest

from workbench.otlp.codec._star import NO_STRINGS, Strings, address_of


def strings(*texts):
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    return Strings(offsets, np.frombuffer(b"".join(texts), np.uint8).copy())


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_copy_knows_its_own_places(copied):
    found = copied(strings(b"one", b"", b"three"))
    assert [found[number] for number in range(len(found))] == [b"one", b"", b"three"]
    assert found.places == (address_of(found.offsets), address_of(found.data))


def test_no_strings_are_the_empty_one():
    assert [NO_STRINGS[number] for number in range(len(NO_STRINGS))] == [b""]
