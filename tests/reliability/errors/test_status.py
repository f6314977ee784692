"""Status codes of HTTP, gRPC and SQL."""

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability import (
    ErrorClass,
    StatusError,
    classify_grpc_code,
    classify_http_status,
    classify_sqlstate,
)


@given(st.integers(100, 599))
def test_every_http_status_has_a_class(status):
    assert isinstance(classify_http_status(status), ErrorClass)


def test_http_statuses_that_may_be_asked_again_are_those_of_the_rfcs():
    retryable = {status for status in range(400, 500) if classify_http_status(status).retryable}
    assert retryable == {408, 421, 425, 429}
    permanent = {status for status in range(500, 600) if not classify_http_status(status).retryable}
    assert permanent == {501, 505, 506, 508, 510, 511}


@pytest.mark.parametrize("wrong", [0, 99, 600, -1, "503", 503.0, None])
def test_what_is_no_http_status_is_refused(wrong):
    with pytest.raises(StatusError, match="from 100 to 599"):
        classify_http_status(wrong)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_code_of_grpc_has_the_same_class_by_name_and_by_number(code):
    assert classify_grpc_code(code.name) is classify_grpc_code(code.name.lower())
    assert classify_grpc_code(code.name) is classify_grpc_code(code.value[0])


def test_grpc_codes_that_may_be_asked_again():
    names = {code.name for code in grpc.StatusCode} - {"OK"}
    retryable = {name for name in names if classify_grpc_code(name).retryable}
    assert retryable == {"UNKNOWN", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "UNAVAILABLE"}


@pytest.mark.parametrize("wrong", ["OK", 0, 17, "NO_SUCH_CODE", ""])
def test_what_is_no_code_of_a_failed_call_is_refused(wrong):
    with pytest.raises(StatusError, match="expected one of CANCELLED"):
        classify_grpc_code(wrong)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("08006", ErrorClass.TRANSIENT),
        ("08P01", ErrorClass.PERMANENT),
        ("40001", ErrorClass.TRANSIENT),
        ("40P01", ErrorClass.TRANSIENT),
        ("40002", ErrorClass.PERMANENT),
        ("53100", ErrorClass.OVERLOAD),
        ("53300", ErrorClass.OVERLOAD),
        ("55P03", ErrorClass.TRANSIENT),
        ("55000", ErrorClass.PERMANENT),
        ("57014", ErrorClass.CANCELLED),
        ("57P01", ErrorClass.TRANSIENT),
        ("57P04", ErrorClass.PERMANENT),
        ("25P03", ErrorClass.TIMEOUT),
        ("23505", ErrorClass.PERMANENT),
        ("42601", ErrorClass.PERMANENT),
        ("XX000", ErrorClass.PERMANENT),
    ],
)
def test_an_sqlstate_counts_by_itself_else_by_its_class(code, expected):
    assert classify_sqlstate(code) is expected


@pytest.mark.parametrize("wrong", ["", "40", "400011", None, 40001])
def test_what_is_no_sqlstate_is_refused(wrong):
    with pytest.raises(StatusError, match="five characters"):
        classify_sqlstate(wrong)
