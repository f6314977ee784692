"""When callees want to be asked again."""

from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability import BudgetExhaustedError, CircuitOpenError, RateLimitedError, retry_after_s

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)


def clock():
    return NOW.timestamp()


def response(text):
    request = httpx.Request("GET", "http://127.0.0.1/")
    return httpx.Response(503, headers={"Retry-After": text}, request=request)


@given(st.integers(0, 10**9))
def test_seconds(seconds):
    assert retry_after_s(response(f" {seconds} ")) == seconds


@given(st.integers(-(10**6), 10**6))
def test_a_date_counts_from_the_clock_and_is_never_negative(seconds):
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s(response(date), clock=clock) == max(0, seconds)


@pytest.mark.parametrize(
    "text", ["", "soon", "-5", "1.5", "+3", "1e3", "٣", "9" * 400, "Sat, 99 Mar 2025 12:00:00 GMT", "nan"]
)
def test_what_is_neither_is_as_if_it_were_not_there(text):
    assert retry_after_s({"Retry-After": text}, clock=clock) is None


@given(st.text())
def test_no_header_breaks_it(text):
    delay = retry_after_s({"retry-after": text}, clock=clock)
    assert delay is None or delay >= 0


def test_headers_of_any_kind_and_case():
    mail = Message()
    mail["RETRY-after"] = "3"
    for headers in ({"RETRY-AFTER": "3"}, {b"retry-after": b"3"}, httpx.Headers({"Retry-After": "3"}), mail):
        assert retry_after_s(type("Response", (), {"headers": headers})()) == 3.0


def test_an_exception_is_asked_itself_then_its_response_then_its_causes():
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response("4").raise_for_status()
    outer = RuntimeError()
    outer.__cause__ = caught.value
    assert retry_after_s(caught.value) == retry_after_s(outer) == 4.0


def test_our_rejections_say_it_themselves():
    assert retry_after_s(RateLimitedError("pay", 0.25)) == 0.25
    assert retry_after_s(CircuitOpenError("pay")) is None
    spent = BudgetExhaustedError("pay")
    spent.__cause__ = RateLimitedError("pay", 2.0)
    assert retry_after_s(spent) == 2.0


def test_of_a_group_the_longest_delay_counts():
    group = ExceptionGroup("", [RateLimitedError("a", 1.0), ValueError(), RateLimitedError("b", 3.0)])
    assert retry_after_s(group) == 3.0


@pytest.mark.parametrize("nothing", [None, 7, object(), ValueError(), ExceptionGroup("", [ValueError()]), {}])
def test_what_says_nothing_gives_none(nothing):
    assert retry_after_s(nothing) is None


@pytest.mark.parametrize("details", [b"\xff\xff", b"", "text"])
def test_trailers_that_are_broken_give_none(details):
    error = type(
        "Error", (Exception,), {"trailing_metadata": lambda _: [("grpc-status-details-bin", details)]}
    )
    assert retry_after_s(error()) is None
