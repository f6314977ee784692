"""Values, domains and definitions as text that gives them again, for a test that is a file of its own."""

import ast
import enum
import json
import linecache
import math
import symtable
import types
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.model.formal._declaring import Declared
from workbench.model.formal.domains.collections import Array, Map, Record, Seq, Tuple
from workbench.model.formal.domains.domain import Domain
from workbench.model.formal.domains.scalars import Bool, Enum, Int, Maybe, Value
from workbench.model.formal.domains.sets import Set
from workbench.model.formal.domains.symmetric import Symmetric
from workbench.model.formal.domains.values import FiniteArray, FiniteMap, FiniteSet, RecordValue
from workbench.model.formal.errors import ReplayError

__all__ = ["Source"]

IMPORT = "import workbench.model.formal as wb"


class Source:
    """The text of a test while it is made.

    Attributes
    ----------
    imports : set of str
        Lines that import what modules define.
    """

    def __init__(self, *, has_model: bool) -> None:
        self.imports = {IMPORT}
        self._has_model = has_model  # and all that it uses; else someone else makes it
        self._defined: dict[str, str] = {}
        self._main: Mapping[str, Any] = vars(__import__("__main__"))

    @property
    def definitions(self) -> str:
        """What has to be defined, each after what it uses."""
        return "\n".join(filter(None, self._defined.values()))

    def define(self, name: str, value: Any) -> None:
        """Give a name its value, once; an import goes to the imports."""
        if name in self._defined:
            return
        if isinstance(value, types.ModuleType):
            said = value.__name__ if name == value.__name__ else f"{value.__name__} as {name}"
            self.imports.add(IMPORT if name == "wb" else f"import {said}")
        elif getattr(value, "__name__", "") != name:
            text = f"{name} = {self._domain(value) if isinstance(value, Domain) else self.literal(value)}"
            self._defined[name] = text
        elif value.__module__ != "__main__":
            self.imports.add(f"from {value.__module__} import {name}")
        else:
            self._write_out(name, value)

    def _write_out(self, name: str, value: Any) -> None:
        """Write a class or function that no module defines, after what it uses."""
        text = _text(value)
        if not text and isinstance(value, enum.EnumMeta):
            text = self._enumeration(value)
        if not text:
            msg = f"the text of {name} is not found: give an expression for the model, test_source(model=...)"
            raise ReplayError(msg)
        for used in sorted(_used_from_outside(text) - {name}):
            if used in self._main:
                self.define(used, self._main[used])
        self._defined.setdefault(name, f"\n{text}")

    def _enumeration(self, value: enum.EnumMeta) -> str:
        """Return a call that makes an enumeration: a class in a cell of a notebook has no text of its own."""
        self.imports.add("import enum")
        kind = next(each.__name__ for each in value.__mro__ if each.__module__ == "enum")
        mixed: type = value._member_type_  # type: ignore[attr-defined]
        typed = f", type={mixed.__name__}" if kind == "Enum" and mixed is not object else ""
        members: Mapping[str, Any] = value.__members__
        pairs = {name: member.value for name, member in members.items()}
        return f"{value.__name__} = enum.{kind}({self.literal(value.__name__)}, {self.literal(pairs)}{typed})"

    def literal(self, value: Any) -> str:  # noqa: PLR0911 - a table of types
        """Return a value as text that gives it again, in a form that its domain takes.

        Raises
        ------
        ReplayError
            When there is none.
        """
        if isinstance(value, enum.Enum):
            return self._member(value)
        if isinstance(value, FiniteSet | FiniteArray | list):
            return f"[{self._joined(value)}]"
        if isinstance(value, RecordValue):
            return self.literal({name: value.part(name) for name in value.names})
        if isinstance(value, FiniteMap | Mapping):
            pairs = (f"{self.literal(key)}: {self.literal(part)}" for key, part in value.items())
            return "{" + ", ".join(pairs) + "}"
        if type(value) is tuple:
            return f"({self._joined(value)}{',' if len(value) == 1 else ''})"
        if type(value) is frozenset:
            return f"frozenset([{self._joined(sorted(value, key=repr))}])"
        if type(value) is str:
            return json.dumps(value, ensure_ascii=False)
        if type(value) is float and not math.isfinite(value):
            return f'float("{value!r}")'
        if value is None or type(value) in (bool, int, float, bytes, range):
            return repr(value)
        msg = f"{value!r} cannot be written as a literal in a test"
        raise ReplayError(msg)

    def _member(self, value: enum.Enum) -> str:
        kind = type(value)
        top = kind.__qualname__.partition(".")[0]
        if kind.__module__ != "__main__" and "<locals>" not in kind.__qualname__:
            self.imports.add(f"from {kind.__module__} import {top}")
        elif self._main.get(kind.__qualname__) is kind and self._has_model:
            self.define(kind.__qualname__, kind)
        else:
            msg = f"{value!r} cannot be written in a test: no module defines {kind.__qualname__}"
            raise ReplayError(msg)
        return f"{kind.__qualname__}.{value.name}"

    def _joined(self, values: Iterable[Any]) -> str:
        return ", ".join(map(self.literal, values))

    def _domain(self, domain: Any) -> str:  # noqa: PLR0911 - a table of domains
        """Return a domain as it would be declared; a part that has a name, by its name."""
        match domain:
            case Symmetric():
                return f"wb.Symmetric({len(domain)})"
            case Int():
                return f"wb.Int({domain.low}, {domain.high})"
            case Bool() | Value():
                return f"wb.{type(domain).__name__}()"
            case Enum():
                return f"wb.Enum({self._joined(domain.members)})"
            case Maybe() | Set():
                return f"wb.{type(domain).__name__}({self._part(domain.of)})"
            case Array() | Map():
                keys = self.literal(domain.keys) if domain.index is None else self._part(domain.index)
                return f"wb.{type(domain).__name__}({keys}, {self._part(domain.of)})"
            case Seq():
                return f"wb.Seq({self._part(domain.of)}, {domain.most})"
            case Tuple():
                return f"wb.Tuple({', '.join(map(self._part, domain.parts))})"
            case Record():
                fields = (f"{name}={self._part(part)}" for name, part in domain.fields.items())
                return f"wb.Record({', '.join(fields)})"
            case _:
                msg = f"{domain!r} cannot be written in a test"
                raise ReplayError(msg)

    def _part(self, domain: Any) -> str:
        named = next((name for name, value in self._main.items() if value is domain), None)
        if named is None:
            return self._domain(domain)
        self.define(named, domain)
        return named


def _used_from_outside(text: str) -> set[str]:
    """Return the names that a text uses and does not give itself: no parameters, no fields."""
    whole = symtable.symtable(text, "<test>", "exec")
    found = {each.get_name() for each in whole.get_symbols() if each.is_referenced()}
    found -= {each.get_name() for each in whole.get_symbols() if each.is_assigned()}
    inner = list(whole.get_children())
    while inner:
        table = inner.pop()
        found |= {each.get_name() for each in table.get_symbols() if each.is_global()}
        inner += table.get_children()
    return found


def _text(value: Any) -> str:
    """Return the text of a class or function; of a class by a function of its own, for a cell is no file."""
    functions = [
        each.function if isinstance(each, Declared) else each
        for each in ([value] if isinstance(value, types.FunctionType) else vars(value).values())
    ]
    for function in functions:
        code = getattr(function, "__code__", None)
        lines = "" if code is None else "".join(linecache.getlines(code.co_filename))
        for node in ast.walk(ast.parse(lines)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == value.__name__:
                decorators = (f"@{ast.get_source_segment(lines, each)}" for each in node.decorator_list)
                return "\n".join([*decorators, ast.get_source_segment(lines, node) or "", ""])
    return ""
