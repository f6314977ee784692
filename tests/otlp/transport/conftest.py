"""Clauses: two runs of each marked test, and the table that they make."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # clauses, conformance, peers: the tests are no package

import conformance
from peers import Peer


def pytest_configure(config):
    config.addinivalue_line("markers", "clause(id, wrong, over): an obligation of the OTLP specification")


def pytest_generate_tests(metafunc):
    runs = conformance.parameters(metafunc.function)
    if runs:
        ids = [f"{one.id}-{one.verdict}" for one in runs]
        metafunc.parametrize("peer", runs, indirect=True, ids=ids)


@pytest.fixture
def peer(request):
    """The peer of a clause's test: ours, or the one that breaks the clause."""
    one = request.param
    request.node.user_properties.append((conformance.PROPERTY, (one.id, one.verdict)))
    with Peer(one) as peer:
        yield peer


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    callspec = getattr(pyfuncitem, "callspec", None)
    one = callspec.params.get("peer") if callspec else None
    if not isinstance(one, conformance.Run):
        return None
    conformance.run(pyfuncitem, one)
    return True


def pytest_terminal_summary(terminalreporter, config):
    reports = [
        report
        for kind in ("passed", "failed")
        for report in terminalreporter.stats.get(kind, [])
        if getattr(report, "when", "") == "call"
        and any(name == conformance.PROPERTY for name, _ in report.user_properties)
    ]
    if not reports:
        return
    found = conformance.rows(reports)
    shown = conformance.table(found)
    terminalreporter.section("OTLP clauses")
    if config.get_verbosity() > 0:
        terminalreporter.write_line(repr(shown))
        return
    terminalreporter.write_line(shown.title)
    for row in found:
        if row[-1].startswith("red") and not row[-1].endswith(conformance.NOT_RUN):
            terminalreporter.write_line(f"{row[0]}  {row[1]}  {row[2]}: {row[-1]}")
