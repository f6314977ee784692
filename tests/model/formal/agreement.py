"""Both engines on one model: what they say must be equal, down to the traces."""

import workbench.model.formal as wb


def checked_by_both(model, **options):
    """Check by each engine, compare everything, and return the verdict of the compiled one."""
    one = wb.check(model, engine="python", **options)
    other = wb.check(model, engine="compiled", **options)
    assert (one.engine, other.engine) == ("python", "compiled")
    assert summary(other) == summary(one)
    return other


def summary(verdict):
    """Return all that a verdict says, but for the engine."""
    return {
        "holds": verdict.holds,
        "distinct": verdict.distinct,
        "generated": verdict.generated,
        "depth": verdict.depth,
        "bound": verdict.bound,
        "violations": [(each.kind, each.property, each.trace, each.loop) for each in verdict.violations],
        "statistics": verdict.statistics,
    }
