"""A counterexample as the text of a test: a file that pytest runs, in any place that has the model.

The text says the behaviour as literals. A model that a module defines is imported from there; one that a
notebook or a script defines is written out, with the constants, domains, enumerations and functions that it
uses.
"""

from typing import TYPE_CHECKING

from workbench.model.formal._models import Model, specification
from workbench.model.formal._replaying import first_violation, name_of_test
from workbench.model.formal._writing_values import Source
from workbench.model.formal.errors import ReplayError
from workbench.model.formal.verdicts import Step

if TYPE_CHECKING:
    from workbench.model.formal.verdicts import Verdict

__all__ = ["source_of_test"]

TEXT = '''\
"""{document}"""

{imports}

{model}
TRACE = [
{steps}
]


def {name}() -> None:
    """{document}"""
    wb.assert_mended({model_name}, wb.Violation({kind}, {property}, TRACE{loop}))
'''


def source_of_test(verdict: "Verdict", model: str | None = None) -> str:
    """Return the text of a test that fails as long as the model has a verdict's first violation.

    Parameters
    ----------
    verdict : Verdict
    model : str, optional
        An expression that gives the model, such as ``"wb.library.TwoPhaseCommit(rm=3)"``; needed for a model
        that a function of other values makes.

    Raises
    ------
    ReplayError
        When nothing is violated, the model's own text is needed and not found, or a value of the behaviour
        cannot be written as a literal.
    """
    violation, kind = first_violation(verdict), verdict.model
    source = Source(has_model=model is None)
    name = _called(kind, model, source)
    steps = [_step_text(step, source) for step in violation.trace]
    setup = source.definitions if model is None else f"MODEL = {model}"
    return TEXT.format(
        document=f"{specification(kind).name} does not violate {violation.kind} {violation.property}.",
        imports="\n".join(sorted(source.imports, key=lambda line: (line.split()[1], line))),
        model=f"{setup}\n" if setup else "",
        steps="\n".join(f"    {step}," for step in steps),
        name=name_of_test(verdict),
        model_name=name,
        kind=source.literal(violation.kind),
        property=source.literal(violation.property),
        loop="" if violation.loop is None else f", loop={violation.loop}",
    )


def _called(kind: type[Model], given: str | None, source: Source) -> str:
    """Return what the test calls the model; what makes it goes to the source."""
    if given is not None:
        return "MODEL"
    if "<locals>" in kind.__qualname__:
        msg = (
            f"{kind.__qualname__} is made by a function: give the call that makes it, as "
            f"test_source(model='{kind.__qualname__.partition('.')[0]}(...)')"
        )
        raise ReplayError(msg)
    if kind.__module__ != "__main__":
        source.imports.add(f"from {kind.__module__} import {kind.__qualname__.partition('.')[0]}")
        return kind.__qualname__
    source.define(kind.__name__, kind)
    return kind.__name__


def _step_text(step: Step, source: Source) -> str:
    state = {name: getattr(step.state, name) for name in specification(step.state).fields}
    return f"wb.Step({', '.join(map(source.literal, (step.action, dict(step.args), state)))})"
