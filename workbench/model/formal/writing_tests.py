"""A counterexample as the text of a test: a file that pytest runs, in any place that has the model.

The text says the behaviour as literals. A model that a module defines is imported from there; one that a
notebook or a function defines is written out, with the constants and modules that it uses.
"""

import ast
import builtins
import enum
import inspect
import json
import textwrap
import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.model.formal.domains.values import FiniteArray, FiniteMap, FiniteSet, RecordValue
from workbench.model.formal.errors import ReplayError
from workbench.model.formal.models import Model, specification
from workbench.model.formal.replaying import first_violation, name_of_test
from workbench.model.formal.verdicts import Step

if TYPE_CHECKING:
    from workbench.model.formal.verdicts import Verdict

__all__ = ["source_of_test"]

IMPORT = "import workbench.model.formal as wb"
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
    imports = {IMPORT}
    name, setup = _setup(kind, model, imports)
    steps = [_step_text(step, imports) for step in violation.trace]
    return TEXT.format(
        document=f"{specification(kind).name} does not violate {violation.kind} {violation.property}.",
        imports="\n".join(sorted(imports, key=lambda line: line.split()[1])),
        model=f"{setup}\n" if setup else "",
        steps="\n".join(f"    {step}," for step in steps),
        name=name_of_test(verdict),
        model_name=name,
        kind=_literal(violation.kind, imports),
        property=_literal(violation.property, imports),
        loop="" if violation.loop is None else f", loop={violation.loop}",
    )


def _setup(kind: type[Model], given: str | None, imports: set[str]) -> tuple[str, str]:
    """Return what the test calls the model, and the lines that make it."""
    name = specification(kind).name
    if given is not None:
        return "MODEL", f"MODEL = {given}"
    if "<locals>" in kind.__qualname__:
        msg = (
            f"{kind.__qualname__} is made by a function: give the call that makes it, as "
            f"test_source(model='{kind.__qualname__.partition('.')[0]}(...)')"
        )
        raise ReplayError(msg)
    if kind.__module__ != "__main__":
        top = kind.__qualname__.partition(".")[0]
        imports.add(f"from {kind.__module__} import {top}")
        return kind.__qualname__, ""
    return name, _written_out(kind, imports)


def _written_out(kind: type[Model], imports: set[str]) -> str:
    """Return the text of a model that no module defines, with what it uses."""
    try:
        text = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):
        msg = f"the text of {kind.__name__} is not found: give an expression for it, test_source(model=...)"
        raise ReplayError(msg) from None
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    main = vars(__import__("__main__"))
    used = sorted(name for name in names - set(vars(builtins)) - {kind.__name__} if name in main)
    lines = [_defined(name, main[name], imports) for name in used]
    return "\n".join([*filter(None, lines), "", "", text])


def _defined(name: str, value: Any, imports: set[str]) -> str:
    """Return the line that gives a name its value; an import goes to the imports."""
    if isinstance(value, types.ModuleType):
        imports.add(IMPORT if name == "wb" else f"import {value.__name__} as {name}")
        return ""
    module = getattr(value, "__module__", None)
    if module not in (None, "__main__") and getattr(value, "__qualname__", "") == name:
        imports.add(f"from {module} import {name}")
        return ""
    return f"{name} = {_literal(value, imports)}"


def _step_text(step: Step, imports: set[str]) -> str:
    state = {name: getattr(step.state, name) for name in specification(step.state).fields}
    return f"wb.Step({', '.join(_literal(each, imports) for each in (step.action, dict(step.args), state))})"


def _literal(value: Any, imports: set[str]) -> str:  # noqa: PLR0911 - a table of types
    """Return a value as text that gives it again, in a form that its domain takes."""
    if isinstance(value, FiniteSet | FiniteArray | list):
        return f"[{_joined(value, imports)}]"
    if isinstance(value, RecordValue):
        return _literal({name: value.part(name) for name in value.names}, imports)
    if isinstance(value, FiniteMap | Mapping):
        pairs = (f"{_literal(key, imports)}: {_literal(part, imports)}" for key, part in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, enum.Enum) and type(value).__module__ != "__main__":
        imports.add(f"from {type(value).__module__} import {type(value).__qualname__.partition('.')[0]}")
        return f"{type(value).__qualname__}.{value.name}"
    if type(value) is tuple:
        return f"({_joined(value, imports)}{',' if len(value) == 1 else ''})"
    if type(value) is frozenset:
        return f"frozenset([{_joined(sorted(value, key=repr), imports)}])"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int | float | bytes):
        return repr(value)
    msg = f"{value!r} cannot be written as a literal in a test"
    raise ReplayError(msg)


def _joined(values: Iterable[Any], imports: set[str]) -> str:
    return ", ".join(_literal(value, imports) for value in values)
