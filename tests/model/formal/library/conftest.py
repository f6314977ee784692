"""What the tests of the shipped models have in common: both engines, and a search that is not ours to begin with.

`breadth_first` knows nothing of models: states are tuples, and a function yields a state's successors. The models are
written again for it by hand, in the tests, where nobody has published a count.
"""

import pytest

import workbench.model.formal as wb


@pytest.fixture(params=["python", pytest.param("compiled", marks=pytest.mark.slow)])
def checked(request):
    """Check a model; compiled, the verdict must be the interpreted engine's, to the last step of its traces."""

    def check(model, **limits):
        interpreted = wb.check(model, engine="python", **limits)
        if request.param == "python":
            return interpreted
        compiled = wb.check(model, engine="compiled", **limits)
        assert compiled.engine == "compiled"
        assert told(compiled) == told(interpreted)
        return compiled

    return check


def told(verdict):
    violations = [(each.kind, each.property, each.trace) for each in verdict.violations]
    counts = (verdict.distinct, verdict.generated, verdict.depth, verdict.statistics)
    return verdict.holds, verdict.bound, counts, violations


@pytest.fixture
def interpreted():
    """Check a model by the interpreted engine only: a variant that fails soon is not worth compiling."""
    return lambda model, **limits: wb.check(model, engine="python", **limits)


@pytest.fixture
def counted():
    """Return what the published tables have of a verdict."""
    return lambda verdict: (verdict.distinct, verdict.generated, verdict.depth)


@pytest.fixture
def breadth_first():
    """Count (distinct, generated, depth) of plain tuples."""

    def count(initial, successors):
        initial = list(initial)
        seen, level = set(initial), set(initial)
        generated, depth = len(initial), 0
        while level:
            depth += 1
            after = [each for state in level for each in successors(state)]
            generated += len(after)
            level = set(after) - seen
            seen |= level
        return len(seen), generated, depth

    return count
