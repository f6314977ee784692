"""A trace as a picture; see `timeline`."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from workbench.display._columns import check_lengths, flags, integers, strings
from workbench.display._picture import Picture
from workbench.display._trace import Trace, outline
from workbench.display._units import duration_text, plural
from workbench.display._waterfall import Waterfall, blank_waterfall
from workbench.display.errors import DisplayError

__all__ = ["timeline"]

LEAST_WIDTH = 480


def timeline(  # noqa: PLR0913 - columns of a trace
    *,
    start_ns: ArrayLike,
    duration_ns: ArrayLike,
    parent: ArrayLike,
    label: Sequence[str],
    group: Sequence[str],
    error: ArrayLike | None = None,
    critical: ArrayLike | None = None,
    title: str = "",
    width: int = 960,
    max_rows: int = 120,
) -> Picture:
    """Draw a trace as a waterfall.

    Rows stand depth first, children by start time. A trace of more than ``max_rows`` spans is folded:
    siblings of one name and group become one row, then the deepest leaves go into their parent as
    ``+N spans below``; spans with an error or on the critical path go last. The picture says what was
    folded.

    Parameters
    ----------
    start_ns, duration_ns : (n,) int64, nanoseconds
        Start on any clock, and duration, not negative.
    parent : (n,) int
        Row of the parent, -1 for a root; several roots are allowed.
    label : n strings
        Names of the spans.
    group : n strings
        What gives a span its colour, usually its service.
    error, critical : (n,) bool, optional
        Spans that failed; spans on the critical path.
    title : str
    width : int, pixels
    max_rows : int

    Returns
    -------
    Picture

    Raises
    ------
    DisplayError
        If columns differ in length or type, a duration is negative, a parent is no row, or parents form a
        cycle.

    Notes
    -----
    Costs ``O(n log n)``; folding costs up to the square of the number of children of one span.

    Examples
    --------
    >>> timeline(start_ns=[0, 2_000], duration_ns=[9_000, 5_000], parent=[-1, 0], label=["GET /", "SELECT"],
    ...          group=["web", "db"])
    timeline of 2 spans in 2 groups, 9.00 µs

    """
    _check_sizes(width, max_rows)
    trace = _trace(start_ns, duration_ns, parent, label, group, error, critical)
    words = f"timeline of {_summary(trace)}"
    if len(trace) == 0:
        return Picture(blank_waterfall(title, words, width), words)
    sheet = Waterfall(trace, outline(trace, max_rows), width, title, _summary(trace))
    return Picture(sheet.svg(words), words, tuple(sheet.tips()))


def _trace(  # noqa: PLR0913 - columns of a trace
    start_ns: ArrayLike,
    duration_ns: ArrayLike,
    parent: ArrayLike,
    label: Sequence[str],
    group: Sequence[str],
    error: ArrayLike | None,
    critical: ArrayLike | None,
) -> Trace:
    starts, durations = integers("start_ns", start_ns), integers("duration_ns", duration_ns)
    failed, on_path = flags("error", error, len(starts)), flags("critical", critical, len(starts))
    parents, labels, groups = integers("parent", parent), strings("label", label), strings("group", group)
    check_lengths(
        start_ns=starts,
        duration_ns=durations,
        parent=parents,
        label=labels,
        group=groups,
        error=failed,
        critical=on_path,
    )
    return Trace(starts, durations, parents, labels, groups, failed, on_path)


def _check_sizes(width: int, max_rows: int) -> None:
    if width < LEAST_WIDTH:
        msg = f"width is {width}, expected at least {LEAST_WIDTH} pixels for names and bars side by side"
        raise DisplayError(msg)
    if max_rows < 2:
        msg = f"max_rows is {max_rows}, expected at least 2"
        raise DisplayError(msg)


def _summary(trace: Trace) -> str:
    if len(trace) == 0:
        return "no spans"
    groups, errors = len(set(trace.group)), sum(trace.error)
    parts = [
        f"{plural(len(trace), 'span')} in {plural(groups, 'group')}",
        duration_text(trace.end - trace.begin),
    ]
    return ", ".join([*parts, plural(errors, "error")] if errors else parts)
