"""Parts of kernels: compiled once for their types, and called by kernels only."""

import numba
import pytest

from workbench.kernels.parts import inlined, rare, shared


@pytest.mark.parametrize("declare", [inlined, rare])
def test_a_part_is_called_by_kernels_and_refuses_python(declare):
    @declare
    def more(x):
        return x + 1

    @numba.njit
    def twice(x):
        return more(more(x))

    assert twice(3) == 5
    assert twice(0.5) == 2.5
    for argument in (3, 0.5, "text"):
        with pytest.raises(TypeError, match="more is a part of kernels"):
            more(argument)


def test_a_shared_part_is_called_by_both():
    @shared
    def more(x):
        return x + 1

    @numba.njit
    def twice(x):
        return more(more(x))

    assert twice(3) == more(more(3)) == 5


@pytest.mark.parametrize("declare", [inlined, rare, shared])
def test_numbers_written_in_calls_do_not_compile_a_part_again(declare):
    @declare
    def chosen(x, which):
        return x if which else -x

    @numba.njit
    def both(x):
        return chosen(x, True) + chosen(1, False) + chosen(x, which=True) + chosen(2, x > 0)

    assert both(5) == 5 - 1 + 5 + 2
    assert list(chosen.overloads) == [(numba.int64, numba.boolean)]
