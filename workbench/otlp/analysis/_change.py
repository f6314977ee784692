"""One change between two sets of traces, and which change explains which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

__all__ = ["CHANGES", "Change", "ranked"]

SHARE_OF_CAUSE = 0.25  # of the impact of what it explains


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different after.

    Attributes
    ----------
    service, name : str
        The operation that changed; for calls, the one that makes them.
    what : str
        slower, faster, more errors, fewer errors, new call, call gone, more calls, fewer calls, more traffic
        or less traffic.
    before, after : float
        Median self time in ms, own errors a span, or calls by one call of the caller (shares of the traces,
        for traffic).
    contribution : float
        To the change of the mean latency of a trace in ms; for errors, of the share of failing traces. Of a
        slower operation it is its own part: calls that became more frequent are a change of their own.
    impact : float
        Its size, relative to the mean latency before, or as that share.
    effect : float
        Cliff's delta, -1 to 1; for errors the difference of the shares of traces.
    q : float
        p-value, corrected for the number of tests.
    call : str
        The call path, where that is what changed.
    explained_by : str
        Service further down whose own change explains this one; empty without any.
    """

    service: str
    name: str
    what: str
    before: float
    after: float
    contribution: float
    impact: float
    effect: float
    q: float
    call: str = ""
    explained_by: str = ""

    def __str__(self) -> str:
        where = f"{self.call or f'{self.service} {self.name}'}: {self.what}"
        return f"{where}, {self.figures}, {self.shown_contribution}"

    @property
    def is_worse(self) -> bool:
        """Whether traces are slower, or fail more often, because of it."""
        return self.contribution > 0 or self.what == "new call"

    @property
    def shown_name(self) -> str:
        """The operation, and what it calls, where that is what changed."""
        return f"{self.name} > {self.call.rpartition(' > ')[2]}" if self.call else self.name

    @property
    def figures(self) -> str:
        """Before and after, with their unit."""
        if self.what in ("slower", "faster"):
            return f"self time {self.before:.3g} -> {self.after:.3g} ms"
        if self.what in ("more errors", "fewer errors"):
            return f"errors {self.before:.1%} -> {self.after:.1%}"
        if self.what in ("more traffic", "less traffic"):
            return f"{self.before:.1%} -> {self.after:.1%} of traces"
        return f"{self.before:.3g} -> {self.after:.3g} per call"

    @property
    def shown_contribution(self) -> str:
        """The contribution with its unit."""
        if self.what in ("more errors", "fewer errors"):
            return f"{100 * self.contribution:+.1f} % of traces"
        return f"{self.contribution:+.3g} ms a trace"


CHANGES = pa.schema(
    {
        name: pa.string() if name in {"service", "name", "what", "call", "explained_by"} else pa.float64()
        for name in Change.__dataclass_fields__
    }
)


def ranked(changes: Sequence[Change], below: Mapping[str, set[str]]) -> tuple[Change, ...]:
    """Return the changes with what explains them, by impact, the unexplained first.

    `below` has for each service those further down the calls.
    """
    explained = []
    for change in changes:
        causes = [cause for cause in changes if _may_cause(cause, change, below[change.service])]
        cause = max(causes, key=lambda found: found.impact, default=None)
        explained.append(replace(change, explained_by=cause.service if cause else ""))
    return tuple(
        sorted(explained, key=lambda change: (bool(change.explained_by), -change.impact, change.service))
    )


def _may_cause(cause: Change, change: Change, below: set[str]) -> bool:
    if cause.impact < SHARE_OF_CAUSE * change.impact or (change.is_worse and not cause.is_worse):
        return False
    same_operation = (cause.service, cause.name) == (change.service, change.name)
    return cause.service in below or bool(change.call and same_operation and "errors" in cause.what)
