"""An `ErrorReport` as HTML: bars by class, by root cause and by call site, and the most frequent entries."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workbench import display

if TYPE_CHECKING:
    from workbench.reliability.errors.report import ErrorReport

__all__ = ["report_page"]

MOST_BARS, MOST_ROWS = 12, 20
COLUMNS = ("class", "root cause", "call site", "count", "share", "example")
MOST_EXAMPLE = 80


def report_page(report: "ErrorReport") -> str:
    """Return the report as HTML."""
    if not len(report):
        return display.table(COLUMNS, [], title=repr(report))._repr_html_()
    charts = (
        _chart("By class", [(each.value, count) for each, count in report.by_class().items()]),
        _chart("By root cause", report.by_cause().items()),
        _chart("By call site", report.by_call_site().items()),
    )
    return f"{_entries(report)}{''.join(f'<div>{chart}</div>' for chart in charts)}"


def _chart(title: str, counts: Iterable[tuple[object, int]]) -> str:
    """Return bars of the largest counts, and one of all others together where there are more."""
    shown = [(str(name), count) for name, count in counts]
    rest = shown[MOST_BARS:]
    if rest:
        shown = [*shown[:MOST_BARS], (f"{len(rest):,} others", sum(count for _, count in rest))]
    picture = display.bars([name for name, _ in shown], [count for _, count in shown], title=title)
    return picture._repr_mimebundle_()["text/html"]


def _entries(report: "ErrorReport") -> str:
    total = len(report)
    rows = [
        (
            entry.error_class.value,
            entry.cause,
            entry.site,
            entry.count,
            f"{entry.count / total:.1%}",
            _cut(entry.example),
        )
        for entry in report.entries()
    ]
    return display.table(COLUMNS, rows, title=repr(report), max_rows=MOST_ROWS)._repr_html_()


def _cut(text: str) -> str:
    return text if len(text) <= MOST_EXAMPLE else text[: MOST_EXAMPLE - 1] + "…"
