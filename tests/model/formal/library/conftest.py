"""What the tests of the shipped models share: both engines, and a search that knows nothing of models."""

import pytest
from agreement import checked_by_both

import workbench.model.formal as wb


@pytest.fixture(params=["python", pytest.param("compiled", marks=pytest.mark.slow)])
def checked(request):
    """Check a model; compiled, the verdict must be the interpreted engine's, down to the traces."""
    if request.param == "compiled":
        return checked_by_both
    return lambda model, **limits: wb.check(model, engine="python", **limits)


@pytest.fixture
def interpreted():
    """Check a model by the interpreted engine only: a variant that fails soon is not worth compiling."""
    return lambda model, **limits: wb.check(model, engine="python", **limits)


@pytest.fixture
def compiled():
    """Check a model by the compiled engine only: it has too many states for the other."""
    return lambda model, **limits: wb.check(model, engine="compiled", **limits)


@pytest.fixture
def counted():
    """Return what the published tables have of a verdict."""
    return lambda verdict: (verdict.distinct, verdict.generated, verdict.depth)


@pytest.fixture
def breadth_first():
    """Count (distinct, generated, depth) of hashable states; those not `within` are generated, no more."""

    def count(initial, successors, within=lambda _state: True):
        initial = list(initial)
        seen, level = set(initial), set(initial)
        generated, depth = len(initial), 0
        while level:
            depth += 1
            after = [each for state in level for each in successors(state)]
            generated += len(after)
            level = {each for each in after if within(each)} - seen
            seen |= level
        return len(seen), generated, depth

    return count


@pytest.fixture
def reaches(interpreted):
    """Return the shortest behaviour to where a predicate of the model holds; None if there is none."""

    def look(model, name):
        class Looking(model):
            @wb.invariant
            def never(s):
                return not getattr(s, name)()

        first = interpreted(Looking, stop_at_first=True)
        verdict = first if first.property in ("never", None) else interpreted(Looking)
        found = [each for each in verdict.violations if each.property == "never"]
        return found[0].trace if found else None

    return look
