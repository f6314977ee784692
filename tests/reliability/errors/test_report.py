"""Many errors in one report."""

import gc
import pickle
import threading
import weakref

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability import CallSite, Cause, ErrorClass, ErrorReport, ReportError
from workbench.reliability.errors._call_sites import innermost
from workbench.reliability.errors._causes import masked


def caught(call, *arguments):
    with pytest.raises(BaseException) as found:
        call(*arguments)
    return found.value


def read_order(number):
    orders = {}
    return orders[f"order {number}"]


def pay(peer):
    try:
        connect(peer)
    except ConnectionResetError as error:
        raise PaymentError from error


def connect(peer):
    message = f"peer {peer} reset"
    raise ConnectionResetError(message)


class PaymentError(RuntimeError):
    """Raised from the cause that counts."""


def test_errors_are_counted_by_class_by_cause_and_by_call_site():
    report = ErrorReport.of([*(caught(read_order, k) for k in range(5)), caught(pay, "10.0.0.1")])
    assert len(report) == 6
    assert report.by_class() == {ErrorClass.PERMANENT: 5, ErrorClass.TRANSIENT: 1}
    assert report.by_cause() == {
        Cause("KeyError", "'order <num>'"): 5,
        Cause("ConnectionResetError", "peer <ip> reset"): 1,
    }
    places = {site.function: count for site, count in report.by_call_site().items()}
    assert places == {"read_order": 5, "connect": 1}
    site = next(iter(report.by_call_site()))
    assert site == CallSite(__file__, read_order.__code__.co_firstlineno + 2, "read_order")


def test_the_call_site_is_users_code_where_a_library_raised():
    import json

    found = caught(lambda: json.loads("{"))
    (site,) = ErrorReport.of([found]).by_call_site()
    assert (site.file, site.function) == (__file__, "<lambda>")


def test_an_exception_that_was_never_raised_has_no_call_site():
    (site,) = ErrorReport.of([ValueError()]).by_call_site()
    assert str(site) == "unknown"


def test_where_the_root_cause_arose_in_a_library_the_line_that_led_there_is_named():
    import urllib.request

    found = caught(urllib.request.urlopen, "http://127.0.0.1:1/")
    outer = caught(reraise, found)
    (site,) = ErrorReport.of([outer]).by_call_site()
    assert (site.file, site.function) == (__file__, "reraise")


def reraise(error):
    raise RuntimeError from error.reason


def test_where_every_frame_is_a_librarys_the_innermost_is_named():
    frames = [CallSite("/usr/lib/python3.11/json/a.py", 1, "f"), CallSite("/x/site-packages/b.py", 2, "g")]
    assert innermost(frames) == frames[1]
    assert innermost([]) == CallSite("", 0, "")


def test_a_cell_of_a_notebook_has_the_same_name_in_every_run():
    assert innermost([CallSite("/tmp/ipykernel_123/3947.py", 2, "<module>")]).file == "cell 3947"
    assert innermost([CallSite("/tmp/ipykernel_999/3947.py", 2, "<module>")]).file == "cell 3947"


def test_a_group_counts_as_its_leaves():
    group = ExceptionGroup(
        "both", [TimeoutError("a"), ExceptionGroup("in", [KeyError("b"), TimeoutError("a")])]
    )
    report = ErrorReport.of([group])
    assert report.by_class() == {ErrorClass.TIMEOUT: 2, ErrorClass.PERMANENT: 1}


def test_collecting_goes_on_after_an_error_or_lets_it_rise():
    report = ErrorReport()
    with report.collecting():
        read_order(1)
    with pytest.raises(KeyError), report.collecting(reraise=True):
        read_order(2)
    with report.collecting() as same:
        assert same is report
    assert len(report) == 2


def test_collecting_does_not_hold_up_a_request_to_stop():
    report = ErrorReport()
    with pytest.raises(KeyboardInterrupt), report.collecting():
        raise KeyboardInterrupt
    assert len(report) == 0


def test_nothing_of_the_exceptions_is_kept():
    class FatError(Exception):
        pass

    error = FatError()
    report = ErrorReport.of([error])
    gone = weakref.ref(error)
    del error
    gc.collect()
    assert gone() is None
    assert len(report) == 1


def test_an_exception_that_cannot_say_its_message_does_not_end_the_report():
    class BrokenError(Exception):
        def __str__(self):
            raise ZeroDivisionError

    (cause,) = ErrorReport.of([BrokenError()]).by_cause()
    assert cause.message == "<no message: ZeroDivisionError>"


def test_threads_may_add_at_once():
    report = ErrorReport(capacity=3)
    errors = [[ValueError(chr(97 + k % 7)) for k in range(200)] for _ in range(4)]
    threads = [threading.Thread(target=lambda e=e: [report.add(x) for x in e]) for e in errors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert report == ErrorReport.of((x for e in errors for x in e), capacity=3)
    assert len(report) == 800


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order 4711 not found", "order <num> not found"),
        ("in 1.25 s, 3,000 rows", "in <num> s, <num> rows"),
        ("at 2025-03-01T12:00:00.123Z", "at <time>"),
        ("at 12:30:45.5 today", "at <time> today"),
        ("user 6fa459ea-ee8a-3ca4-894e-db77e160355e", "user <uuid>"),
        ("connect 127.0.0.1:5432 refused", "connect <ip> refused"),
        ("<object at 0x7f3a5c1d2e80>", "<object at <hex>>"),
        ("commit 9f8e7d6c5b4a", "commit <hex>"),
        ("deface facade", "deface facade"),
        ("", ""),
    ],
)
def test_what_differs_from_time_to_time_is_masked(text, expected):
    assert masked(text) == expected


@given(st.text())
def test_masking_twice_changes_nothing(text):
    assert masked(masked(text)) == masked(text)


def test_tables_hold_every_entry_most_first():
    report = ErrorReport.of([*(caught(read_order, k) for k in range(5)), ValueError("x")])
    table = report.to_arrow()
    assert table.column_names == [
        "error_class",
        "cause_type",
        "cause_message",
        "file",
        "line",
        "function",
        "count",
        "example",
    ]
    assert table["count"].to_pylist() == [5, 1]
    assert table["example"].to_pylist() == ["'order 0'", "x"]
    assert table["line"].to_pylist()[1] is None
    assert report.to_pandas().equals(table.to_pandas())


def test_a_cause_is_drawn_with_its_package_and_class():
    assert str(Cause("sqlalchemy.exc.TimeoutError", "slow")) == "sqlalchemy.TimeoutError: slow"
    assert str(Cause("KeyError", "")) == "KeyError"


def test_colours_of_a_terminal_are_no_part_of_a_message():
    assert list(ErrorReport.of([ValueError("\x1b[1;31mred\x1b[0m")]).by_cause()) == [
        Cause("ValueError", "red")
    ]


@given(st.text(), st.text())
def test_any_message_goes_into_a_table_and_onto_a_page(first, second):
    report = ErrorReport.of([ValueError(first), KeyError(second), OSError("\udc80")])
    assert report.to_arrow().num_rows == len(report.entries())
    report._repr_html_().encode()


def test_an_empty_report_has_a_table_of_the_same_types():
    empty = ErrorReport().to_arrow()
    assert empty.schema == ErrorReport.of([ValueError()]).to_arrow().schema
    assert empty.num_rows == 0
    assert isinstance(empty, pa.Table)


def test_the_repr_is_one_line_of_counts():
    assert repr(ErrorReport()) == "ErrorReport: 0 errors"
    report = ErrorReport.of([caught(read_order, 1), TimeoutError(), TimeoutError()])
    assert repr(report) == "ErrorReport: 3 errors: 2 timeout, 1 permanent; 2 causes, 2 call sites"


def test_a_report_survives_pickle():
    report = ErrorReport.of([ValueError(str(k)) for k in "abcdefgh"], capacity=2)
    found = pickle.loads(pickle.dumps(report))
    assert found == report
    found.add(ValueError())
    assert found != report


def test_a_report_holds_at_least_one_entry():
    with pytest.raises(ReportError, match="at least one"):
        ErrorReport(0)
