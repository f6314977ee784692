"""What Python's exceptions mean, what you register, causes, and what nobody knows."""

import asyncio
import concurrent.futures
import errno
import queue
import socket
import ssl
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import otlp
from workbench.reliability import ErrorClass, RuleError, cause_chain, classify, leaves, register, unregister

T, P, O = ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.OVERLOAD  # noqa: E741
TIMEOUT, CANCELLED = ErrorClass.TIMEOUT, ErrorClass.CANCELLED


class AppError(Exception):
    """Nothing is known of it."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionError(), T),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), T),
        (BrokenPipeError(), T),
        (TimeoutError(), TIMEOUT),
        (OSError(errno.ETIMEDOUT, "x"), TIMEOUT),
        (OSError(errno.EHOSTUNREACH, "x"), T),
        (OSError(errno.EMFILE, "x"), O),
        (OSError(errno.ENOSPC, "x"), O),
        (OSError(errno.ENOENT, "x"), P),
        (OSError(errno.ECANCELED, "x"), CANCELLED),
        (PermissionError(), P),
        (BlockingIOError(), T),
        (OSError("without a number"), T),
        (MemoryError(), O),
        (KeyError("x"), P),
        (TypeError(), P),
        (ValueError(), P),
        (ZeroDivisionError(), P),
        (NotImplementedError(), P),
        (RecursionError(), P),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "y"), P),
        (RuntimeError("who knows"), T),
        (Exception(), T),
        (KeyboardInterrupt(), CANCELLED),
        (SystemExit(), CANCELLED),
        (GeneratorExit(), CANCELLED),
        (asyncio.CancelledError(), CANCELLED),
        (concurrent.futures.CancelledError(), CANCELLED),
        (asyncio.IncompleteReadError(b"", 4), T),
        (asyncio.QueueFull(), O),
        (queue.Full(), O),
        (queue.Empty(), T),
        (concurrent.futures.BrokenExecutor(), P),
        (subprocess.TimeoutExpired("x", 1), TIMEOUT),
        (subprocess.CalledProcessError(1, "x"), P),
        (socket.gaierror(socket.EAI_AGAIN, "x"), T),
        (socket.gaierror(socket.EAI_NONAME, "x"), P),
        (socket.gaierror(socket.EAI_MEMORY, "x"), O),
        (socket.herror(2, "x"), T),
        (ssl.SSLCertVerificationError(1, "x"), P),
        (ssl.SSLError(1, "handshake failure"), P),
        (ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "x"), T),
        (ssl.SSLZeroReturnError(6, "x"), T),
        (BufferError("Local: Queue full"), O),
        (BufferError("existing exports"), P),
    ],
    ids=lambda value: f"{type(value).__module__}.{value!r}",
)
def test_python_and_its_standard_library(error, expected):
    assert classify(error) is expected


@given(st.sampled_from(sorted(errno.errorcode)))
def test_an_os_error_means_what_its_number_means_whatever_class_python_chose(number):
    assert classify(OSError(number, "x")) in {T, P, O, TIMEOUT, CANCELLED}
    assert classify(OSError(number, "x")) is classify(OSError(number, "y", "file"))


def test_programming_errors_of_every_builtin_kind_are_permanent():
    for kind in (
        LookupError,
        ArithmeticError,
        NameError,
        ImportError,
        SyntaxError,
        AssertionError,
        AttributeError,
    ):
        for each in [kind, *kind.__subclasses__()]:
            if each.__module__ == "builtins" and each is not UnicodeError:
                assert classify(each()) is P


def test_our_own_bad_input_is_permanent_and_our_own_timeouts_are_timeouts():
    assert classify(otlp.OtlpError("x")) is P
    assert classify(otlp.WaitTimeoutError(2, 1, 2.0)) is TIMEOUT


def test_an_unknown_exception_is_what_its_cause_is():
    error = AppError()
    error.__cause__ = AppError()
    error.__cause__.__cause__ = KeyError("x")
    assert classify(error) is P
    error.__cause__.__cause__ = TimeoutError()
    assert classify(error) is TIMEOUT


def test_a_known_exception_is_not_what_its_cause_is():
    error = ConnectionResetError()
    error.__cause__ = KeyError()
    assert classify(error) is T


def test_the_context_is_not_asked_as_it_may_be_the_attempt_before():
    def attempts():
        try:
            {}["x"]
        except KeyError:
            raise AppError  # noqa: B904

    with pytest.raises(AppError) as caught:
        attempts()
    assert caught.value.__context__ is not None
    assert classify(caught.value) is T


def test_causes_that_go_in_circles_end():
    first, second = AppError("1"), AppError("2")
    first.__cause__, second.__cause__ = second, first
    assert classify(first) is T
    assert cause_chain(first) == [first, second]


def test_a_long_chain_of_causes_is_followed_by_cause_chain_to_its_end():
    chain = [AppError(str(k)) for k in range(10_000)]
    for outer, inner in pairwise(chain):
        outer.__cause__ = inner
    assert cause_chain(chain[0]) == chain


def test_a_chain_deeper_than_the_stack_is_classified_too():
    root = KeyError("x")
    outer = root
    for _ in range(sys.getrecursionlimit() * 3):
        inner, outer = outer, AppError()
        outer.__cause__ = inner
    assert classify(outer) is P


# What users register


@pytest.fixture
def registered():
    """Register for the time of a test."""
    targets = []

    def add(target, rule):
        register(target, rule)
        targets.append(target)

    yield add
    for target in targets:
        unregister(target)


def test_a_registered_type_counts_with_all_derived_from_it(registered):
    class DerivedError(AppError):
        pass

    registered(AppError, ErrorClass.THROTTLED)
    assert classify(AppError()) is classify(DerivedError()) is ErrorClass.THROTTLED


def test_what_is_registered_goes_before_our_rules_even_for_derived_classes(registered):
    assert classify(ConnectionResetError()) is T
    registered(ConnectionError, P)
    assert classify(ConnectionResetError()) is P


def test_of_registered_classes_the_most_special_one_decides(registered):
    registered(OSError, P)
    registered(ConnectionError, O)
    assert classify(ConnectionResetError()) is O
    assert classify(FileNotFoundError()) is P


def test_a_name_needs_no_import(registered):
    registered("shop.payments.Declined", P)
    declined = type("Declined", (Exception,), {"__module__": "shop.payments"})
    assert classify(declined()) is P


def test_a_name_without_a_dot_is_one_of_pythons(registered):
    registered("KeyError", T)
    assert classify(KeyError()) is T


def test_a_function_may_decide_pass_on_or_point_to_another_exception(registered):
    answers = {"a": ErrorClass.OPEN, "b": None, "c": KeyError()}
    registered(TimeoutError, lambda exc: answers[exc.args[0]])
    assert [classify(TimeoutError(each)) for each in "abc"] == [ErrorClass.OPEN, TIMEOUT, P]


def test_unregistering_brings_our_rules_back(registered):
    registered(ValueError, T)
    unregister(ValueError)
    unregister(ValueError)
    assert classify(ValueError()) is P


@pytest.mark.parametrize("target", [int, 7, "not a name!", "", "a..b", object()])
def test_what_is_no_exception_class_cannot_be_registered(target):
    with pytest.raises(RuleError, match="expected an exception class"):
        register(target, P)


def test_what_is_no_rule_cannot_be_registered():
    with pytest.raises(RuleError, match="expected an ErrorClass or a function"):
        register(ValueError, "transient")


def test_a_function_that_answers_nonsense_is_named(registered):
    registered(AppError, lambda _exc: "transient")
    with pytest.raises(RuleError, match="answered 'transient'"):
        classify(AppError())


def test_many_types_do_not_stay_alive():
    import gc
    import weakref

    kinds = [weakref.ref(kind) for kind in _classified_types(5_000)]
    gc.collect()
    assert sum(kind() is not None for kind in kinds) < 4_200


def _classified_types(count):
    for number in range(count):
        kind = type(f"Cell{number}Error", (Exception,), {})
        assert classify(kind()) is T
        yield kind


# Groups

CLASSES = {
    T: ConnectionError,
    P: KeyError,
    O: MemoryError,
    TIMEOUT: TimeoutError,
    CANCELLED: asyncio.CancelledError,
}
WORST_FIRST = [P, O, TIMEOUT, T, CANCELLED]


def nested(draw_leaf):
    return st.recursive(
        draw_leaf,
        lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda e: BaseExceptionGroup("", e)),
    )


@given(nested(st.sampled_from(sorted(CLASSES, key=lambda c: c.value)).map(lambda c: CLASSES[c]())))
def test_a_group_is_the_worst_of_its_leaves_however_nested(tree):
    found = {classify(leaf) for leaf in leaves(tree)}
    assert classify(tree) is next(each for each in WORST_FIRST if each in found)


def test_cancelled_siblings_of_a_failure_do_not_count():
    group = BaseExceptionGroup("", [asyncio.CancelledError(), TimeoutError()])
    assert classify(group) is TIMEOUT
    assert classify(BaseExceptionGroup("", [asyncio.CancelledError()])) is CANCELLED


def test_a_request_to_stop_wins_over_everything():
    assert classify(BaseExceptionGroup("", [KeyError(), KeyboardInterrupt(), TimeoutError()])) is CANCELLED


def test_a_leaf_that_shares_its_cause_with_another_is_asked_as_well():
    cause = asyncio.CancelledError()
    both = [AppError("1"), AppError("2")]
    for each in both:
        each.__cause__ = cause
    assert classify(ExceptionGroup("", both)) is CANCELLED


def test_a_group_as_a_cause_is_classified_as_a_group():
    error = AppError()
    error.__cause__ = ExceptionGroup("", [TimeoutError(), KeyError()])
    assert classify(error) is P


def test_a_rule_for_exception_does_not_speak_of_groups_but_one_for_groups_does(registered):
    registered(Exception, O)
    assert classify(ExceptionGroup("", [TimeoutError()])) is O  # by its leaf
    registered(ExceptionGroup, ErrorClass.OPEN)
    assert classify(ExceptionGroup("", [TimeoutError()])) is ErrorClass.OPEN


def test_a_real_task_group_gives_the_class_of_what_failed():
    async def run():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(30))
            tasks.create_task(fail())

    async def fail():
        raise ConnectionResetError

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(run())
    assert classify(caught.value) is T
