"""Back-off, jitter, and the reading of Retry-After."""

import math
import random
import time
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import otlp
from workbench.otlp.transport._retrying import grpc_is_retryable, parse_retry_after

policies = st.builds(
    otlp.RetryPolicy,
    initial_s=st.floats(0.001, 1),
    multiplier=st.floats(1, 10),
    max_s=st.floats(1, 1000),
    jitter=st.floats(0, 1),
)


@given(policies, st.integers(1, 10_000), st.integers())
def test_a_delay_is_within_the_jitter_of_the_formula(policy, retry, seed):
    try:
        exact = min(policy.max_s, policy.initial_s * policy.multiplier ** (retry - 1))
    except OverflowError:
        exact = policy.max_s
    delay = policy.delay_s(retry, None, random.Random(seed))
    assert (1 - policy.jitter) * exact - 1e-9 <= delay <= (1 + policy.jitter) * exact + 1e-9


@given(policies, st.integers(1, 100), st.floats(0, 10_000), st.integers())
def test_a_delay_is_never_shorter_than_the_server_asks(policy, retry, asked_s, seed):
    assert policy.delay_s(retry, asked_s, random.Random(seed)) >= asked_s


def test_the_same_seed_gives_the_same_delays():
    policy = otlp.RetryPolicy()
    first, second = ([policy.delay_s(n, None, random.Random(5)) for n in range(1, 9)] for _ in range(2))
    assert first == second


def test_jitter_spreads_clients_over_the_delay():
    rng = random.Random(1)
    delays = [otlp.RetryPolicy(jitter=0.5).delay_s(1, None, rng) for _ in range(1000)]
    assert 0.5 <= min(delays) < 0.55
    assert 1.45 < max(delays) <= 1.5


@pytest.mark.parametrize(
    "options",
    [
        {"initial_s": 0},
        {"initial_s": 31},
        {"multiplier": 0.5},
        {"jitter": 1.5},
        {"jitter": -1},
        {"max_elapsed_s": -1},
    ],
)
def test_a_policy_without_a_meaning_is_refused(options):
    with pytest.raises(otlp.ConfigurationError, match="expected 0 < initial_s"):
        otlp.RetryPolicy(**options)


def test_delays_without_a_longest_one_grow_until_no_number_holds_them():
    free = otlp.RetryPolicy(max_s=math.inf, multiplier=10, jitter=0)
    assert [free.delay_s(retry, None, random.Random(0)) for retry in (1, 4, 999)] == [1, 1000, math.inf]
    assert otlp.RetryPolicy(multiplier=math.inf, jitter=0).delay_s(2, None, random.Random(0)) == 30


@given(st.integers(0, 10**9))
def test_seconds_are_read(seconds):
    assert parse_retry_after(str(seconds), 0.0) == seconds


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.floats(0, 1e9))  # noqa: DTZ001 (made aware below)
def test_dates_are_read(when, now_s):
    when = when.replace(tzinfo=UTC, microsecond=0)
    expected = max(0.0, when.timestamp() - now_s)
    assert parse_retry_after(format_datetime(when, usegmt=True), now_s) == pytest.approx(expected)


@pytest.mark.parametrize(
    "value", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_every_form_of_a_date_is_utc_wherever_the_client_is(value, monkeypatch):
    """RFC 9110 section 5.6.7: a recipient accepts all three, and the last names no zone."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert parse_retry_after(value, 784111777 - 60.0) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "1.5", "١٢", "Thu, 99 Jan 2020 00:00:00 GMT"])
def test_what_is_neither_is_as_if_it_were_not_there(value):
    assert parse_retry_after(value, 0.0) is None


@given(st.text())
def test_no_header_breaks_the_reader(value):
    found = parse_retry_after(value, 0.0)
    assert found is None or found >= 0


def test_resource_exhausted_is_retryable_only_with_a_delay():
    assert not grpc_is_retryable("RESOURCE_EXHAUSTED", None)
    assert grpc_is_retryable("RESOURCE_EXHAUSTED", 0.0)
    assert not grpc_is_retryable("INTERNAL", 1.0)
