"""Logarithmic buckets are exact at every scale: against 60-digit logarithms and integer roots."""

import math
from decimal import Decimal, localcontext
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.kernels import KernelError, log_bucket_bounds, log_bucket_index

SCALES = range(-11, 21)
POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False)


def exact_index(value, scale):
    """``ceil(2**scale * log2(value)) - 1`` in 60 digits; only powers of two are ever on a bound."""
    mantissa, exponent = math.frexp(value)
    if mantissa == 0.5:
        numerator = exponent - 1
        return (numerator << scale) - 1 if scale >= 0 else -(-numerator >> -scale) - 1
    with localcontext() as context:
        context.prec = 60
        place = Decimal(value).ln() / Decimal(2).ln() * Decimal(2) ** scale
        assert abs(place - place.to_integral_value()) > Decimal("1e-30")
        return math.ceil(place) - 1


@given(value=POSITIVE, scale=st.sampled_from(SCALES))
def test_the_index_is_that_of_a_logarithm_in_sixty_digits(value, scale):
    assert log_bucket_index([value], scale).tolist() == [exact_index(value, scale)]


@given(data=st.data(), scale=st.sampled_from(SCALES))
def test_the_index_is_right_next_to_every_bound(data, scale):
    lowest, highest = math.floor(-1074 * 2.0**scale), math.floor(1023 * 2.0**scale)
    bound = float(log_bucket_bounds([data.draw(st.integers(lowest, highest))], scale)[0])
    for _ in range(data.draw(st.integers(0, 2))):
        bound = math.nextafter(bound, data.draw(st.sampled_from([0.0, math.inf])))
    if 0 < bound < math.inf:
        assert log_bucket_index([bound], scale).tolist() == [exact_index(bound, scale)]


@pytest.mark.parametrize("scale", SCALES)
def test_every_power_of_two_is_the_upper_bound_of_its_bucket(scale):
    exponents = np.arange(-1074, 1024)
    values = np.ldexp(1.0, exponents.astype(np.int32))
    wanted = [exact_index(value, scale) for value in values.tolist()]
    assert log_bucket_index(values, scale).tolist() == wanted
    above = np.nextafter(values, np.inf)
    normal = exponents >= -1022  # the next number after a small one may be buckets away
    after = exponents << scale if scale >= 0 else exponents >> -scale
    assert (log_bucket_index(above[normal], scale) == after[normal]).all()
    assert log_bucket_index(above[~normal], scale).tolist() == [
        exact_index(value, scale) for value in above[~normal].tolist()
    ]


@pytest.mark.slow
def test_each_of_the_million_bounds_of_scale_20_is_between_its_two_doubles():
    """The greatest double not above ``2**(j / 2**20)`` is in bucket j - 1, the next one in bucket j."""
    precision = 256
    root = 2 << precision
    for _ in range(20):
        root = math.isqrt(root << precision)
    power, below = 1 << precision, np.empty(1 << 20, np.int64)
    for j in range(1 << 20):
        below[j] = power >> (precision - 52)
        power = power * root >> precision
    assert abs((2 << precision) - power) >> 40 == 0  # the rounding of a million products
    values = below * 2.0**-52
    indices = np.arange(1 << 20)
    assert (log_bucket_index(values, 20) == indices - 1).all()
    assert (log_bucket_index(np.nextafter(values, np.inf), 20) == indices).all()
    assert (np.abs(log_bucket_bounds(indices, 20) - values) <= 2.0**-52).all()


@given(value=POSITIVE, scale=st.integers(-11, 19))
def test_scales_nest(value, scale):
    assert log_bucket_index([value], scale) == log_bucket_index([value], scale + 1) >> 1


@pytest.mark.parametrize("scale", SCALES)
def test_bounds_of_integer_powers_are_exact_and_the_rest_ascends(scale):
    per_octave = max(1 << scale, 1) if scale >= 0 else 1
    exponents = np.arange(-1000, 1001, 50 if scale >= 0 else 1 << -scale)
    exact = log_bucket_bounds(exponents * per_octave if scale >= 0 else exponents >> -scale, scale)
    wanted = exponents if scale >= 0 else exponents >> -scale << -scale
    assert exact.tolist() == [2.0 ** int(e) if e > -1075 else 0.0 for e in wanted]
    near = log_bucket_bounds(np.arange(-200, 200), scale)
    assert all(a < b or a in (0.0, math.inf) for a, b in pairwise(near.tolist()))


def test_subnormal_and_largest_numbers_have_buckets():
    tiny, huge = 5e-324, float(np.finfo(np.float64).max)
    assert log_bucket_index([tiny, huge], 0).tolist() == [-1075, 1023]
    assert log_bucket_index([tiny, huge], -10).tolist() == [-2, 0]
    assert log_bucket_index([tiny, huge], -11).tolist() == [-1, 0]
    assert log_bucket_bounds([-1075, 1024], 0).tolist() == [0.0, math.inf]


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_a_number_without_a_bucket_is_refused(value):
    with pytest.raises(KernelError, match="positive and finite"):
        log_bucket_index([1.0, value], 3)


@pytest.mark.parametrize("scale", [-12, 21])
def test_a_scale_out_of_range_is_refused(scale):
    with pytest.raises(KernelError, match="scale must be"):
        log_bucket_index([1.0], scale)
    with pytest.raises(KernelError, match="scale must be"):
        log_bucket_bounds([1], scale)
