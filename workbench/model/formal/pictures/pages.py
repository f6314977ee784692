"""The page of a verdict: what it says, the counts, what each action did, and the behaviour that shows it."""

from typing import TYPE_CHECKING

from workbench import display

if TYPE_CHECKING:
    from workbench.model.formal.verdicts import Verdict

__all__ = ["verdict_page"]

MOST_DRAWN = 40  # steps of a sequence diagram on the page
WORDS = {True: "holds", False: "violated", None: "undecided"}


def verdict_page(verdict: "Verdict") -> str:
    """Return a verdict as HTML."""
    parts = [_counts(verdict)._repr_html_()]
    if len(verdict.violations) > 1:
        parts.append(_violations(verdict)._repr_html_())
    if verdict.violations:
        first = verdict.violations[0]
        parts.append(first.table()._repr_html_())
        if len(first.trace) <= MOST_DRAWN:
            parts.append(first.sequence()._repr_mimebundle_()["text/html"])
    if verdict.statistics is not None:
        parts.append(_actions(verdict)._repr_html_())
    return "\n".join(parts)


def _counts(verdict: "Verdict") -> display.Table:
    rows: list[list[object]] = [
        ["verdict", WORDS[verdict.holds]],
        ["distinct states", f"{verdict.distinct:,}"],
        ["generated states", f"{verdict.generated:,}"],
        ["depth", f"{verdict.depth:,}"],
        ["engine", verdict.engine],
    ]
    if verdict.bound and not verdict.forgotten:
        rows.append(["ended by", verdict.bound])
    if verdict.omissions is not None:
        rows += [["not exhaustive", verdict.omissions], ["memory", verdict.omissions.saving]]
    rows += [["note", note] for note in verdict.notes]
    return display.table(["", "value"], rows, title=repr(verdict))


def _violations(verdict: "Verdict") -> display.Table:
    rows = [[each.kind, each.property, len(each.trace) - 1] for each in verdict.violations]
    return display.table(
        ["violated", "property", "actions"], rows, title="The first violation of each property"
    )


def _actions(verdict: "Verdict") -> display.Table:
    counts = verdict.statistics
    assert counts is not None  # noqa: S101 - the caller looks
    never = counts.never_enabled
    title = f"Never enabled: {', '.join(never)}" if never else "Every action was enabled somewhere"
    rows = [
        [name, f"{count:,}", "" if count else "never enabled"] for name, count in counts.successors.items()
    ]
    return display.table(["action", "successors", ""], rows, title=title, max_rows=60)
