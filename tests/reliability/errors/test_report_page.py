"""The report as a page: escaped, bounded, the same bytes each time."""

from workbench.reliability import ErrorReport


def test_a_page_shows_the_three_views_and_the_entries():
    page = ErrorReport.of([ValueError("a"), TimeoutError("slow")])._repr_html_()
    assert page.count("<img") == 3
    assert "TimeoutError: slow" in page
    assert page.startswith("<p>ErrorReport: 2 errors")


def test_an_empty_report_shows_that_nothing_was_counted():
    page = ErrorReport()._repr_html_()
    assert "ErrorReport: 0 errors" in page
    assert "<img" not in page


def test_messages_cannot_write_html():
    page = ErrorReport.of([ValueError("<script>alert()</script>")])._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_page_of_many_entries_stays_small_and_says_what_it_leaves_out():
    words = [f"{chr(97 + a)}{chr(97 + b)}" for a in range(26) for b in range(26)]
    page = ErrorReport.of(ValueError(word) for word in words)._repr_html_()
    assert len(page) < 100_000
    assert "656 more rows" in page


def test_the_same_errors_give_the_same_bytes_in_any_order():
    errors = [ValueError("a"), TimeoutError("slow"), KeyError("b")]
    assert ErrorReport.of(errors)._repr_html_() == ErrorReport.of(errors[::-1])._repr_html_()
