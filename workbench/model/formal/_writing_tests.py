"""A counterexample as the text of a test: a file that pytest runs, in any place that has the model.

The text says the behaviour as literals. A model that a module defines is imported from there; one that a
notebook or a function defines is written out, with the constants and modules that it uses.
"""

import ast
import builtins
import enum
import json
import linecache
import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.model.formal._declaring import Declared
from workbench.model.formal._models import Model, specification
from workbench.model.formal._replaying import first_violation, name_of_test
from workbench.model.formal.domains.values import FiniteArray, FiniteMap, FiniteSet, RecordValue
from workbench.model.formal.errors import ReplayError
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


def _written_out(value: Any, imports: set[str]) -> str:
    """Return the text of a class or function that no module defines, after that of what it uses."""
    text = _text(value)
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    main = vars(__import__("__main__"))
    used = sorted(name for name in names - set(vars(builtins)) - {value.__name__} if name in main)
    lines = [_defined(name, main[name], imports) for name in used]
    return "\n".join([*filter(None, lines), "", text])


def _text(value: Any) -> str:
    """Return the text of a class or function; of a class by a function of its own, for a cell is no file."""
    functions = [each.function for each in vars(value).values() if isinstance(each, Declared)]
    for function in functions or [value]:
        code = getattr(function, "__code__", None)
        lines = "" if code is None else "".join(linecache.getlines(code.co_filename))
        for node in ast.walk(ast.parse(lines)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == value.__name__:
                decorators = (f"@{ast.get_source_segment(lines, each)}" for each in node.decorator_list)
                return "\n".join([*decorators, ast.get_source_segment(lines, node) or "", ""])
    msg = (
        f"the text of {value.__name__} is not found: give an expression for the model, test_source(model=...)"
    )
    raise ReplayError(msg)


def _defined(name: str, value: Any, imports: set[str]) -> str:
    """Return the lines that give a name its value; an import goes to the imports."""
    if isinstance(value, types.ModuleType):
        imports.add(IMPORT if name == "wb" else f"import {value.__name__} as {name}")
        return ""
    if getattr(value, "__name__", "") != name:
        return f"{name} = {_literal(value, imports)}"
    if value.__module__ == "__main__":
        return _written_out(value, imports)
    imports.add(f"from {value.__module__} import {name}")
    return ""


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
