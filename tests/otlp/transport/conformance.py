"""Each clause's test runs twice: it must pass with our peer, and fail by its own words with a wrong one.

A test is marked ``@pytest.mark.clause(id, wrong=sabotage)``; further arguments go to the test's `peer`. In
the second run a `ClauseViolation` is what is expected; any other error, or none, is a failure. As a script
this prints the whole table::

    python tests/otlp/transport/conformance.py
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["ClauseViolation", "must", "parameters", "rows", "run", "table"]

RIGHT, WRONG = "right", "wrong"
NOT_RUN = "no test ran"
YES = {True: "yes", False: "no"}
PROPERTY = "clause"


class ClauseViolation(AssertionError):  # noqa: N818 (what is violated is not ours)
    """Raised by `must`: the peer does not keep the clause."""


def must(kept, what):
    """Raise, unless the peer keeps the clause."""
    if not kept:
        raise ClauseViolation(what)


@dataclass(frozen=True)
class Run:
    """One of the two runs of a clause's test."""

    id: str
    verdict: str
    over: str
    wrong: object

    @property
    def is_wrong(self):
        return self.verdict == WRONG


def parameters(function):
    """Return the runs of a marked test."""
    runs = []
    for mark in getattr(function, "pytestmark", []):
        if mark.name == "clause":
            over = mark.kwargs.get("over", "http/protobuf")
            runs += [Run(mark.args[0], verdict, over, mark.kwargs.get("wrong")) for verdict in (RIGHT, WRONG)]
    return runs


def run(item, one):
    """Run a test's function, and turn its result round where the peer is wrong."""
    arguments = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
    if not one.is_wrong:
        item.obj(**arguments)
        return
    try:
        item.obj(**arguments)
    except ClauseViolation:
        return
    pytest.fail(f"the test of {one.id} does not notice a peer that breaks it", pytrace=False)


def rows(reports):
    """Return each clause from a run's reports: id, keyword, wording, tests, kept, wrong noticed, state."""
    from clauses import CLAUSES

    seen = {}
    for report in reports:
        for name, value in report.user_properties:
            if name == PROPERTY:
                clause, verdict = value
                seen.setdefault(clause, []).append((verdict, report.passed, report.nodeid))
    return [[clause.id, clause.keyword, clause.wording, *_state(clause, seen)] for clause in CLAUSES]


def _state(clause, seen):
    if not clause.binds:
        return "", "", "", f"choice: {clause.choice}"
    runs = seen.get(clause.id, [])
    names = {nodeid.partition("[")[0].rpartition("::")[2] for _, _, nodeid in runs}
    kept = _all_passed(runs, RIGHT)
    noticed = _all_passed(runs, WRONG)
    state = "green" if kept and noticed else "red: " + (_why(kept, noticed) if runs else NOT_RUN)
    return ", ".join(sorted(names)), YES[kept and bool(runs)], YES[noticed and bool(runs)], state


def _all_passed(runs, verdict):
    results = [passed for found, passed, _ in runs if found == verdict]
    return bool(results) and all(results)


def _why(kept, noticed):
    return "not kept" if not kept else "a wrong peer is not noticed" if not noticed else ""


def table(found):
    """Return the rows as a table that prints and shows itself."""
    from workbench import display

    green = sum(row[-1] == "green" for row in found)
    red = sum(row[-1].startswith("red") for row in found)
    idle = sum(row[-1].endswith(NOT_RUN) for row in found)
    title = f"OTLP 1.11: {green} of {green + red} obligations green, {red - idle} red, {idle} not run"
    columns = ["clause", "keyword", "kept", "wrong peer noticed", "state", "what a peer does", "test"]
    shown = [[*row[:2], *row[4:], *row[2:4]] for row in found]
    return display.table(columns, shown, title=title, max_rows=200)


class Collector:
    """Keeps what pytest reports of the tests' calls."""

    def __init__(self):
        self.reports = []

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.reports.append(report)


def main():
    """Run the clauses' tests, print the whole table, and return pytest's exit code."""
    collector = Collector()
    arguments = [str(Path(__file__).parent), "-q", "-m", "clause", "-p", "no:cacheprovider"]
    code = pytest.main(arguments, plugins=[collector])
    sys.stdout.write(f"\n{table(rows(collector.reports))!r}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
