"""Layers as templates: what a policy does around a call, once for sync and async, fused into one function.

A layer is a function of its policy and of what it surrounds::

    def limited(q, proceed):
        p, s, clock = q.parameters, q.memory, q.clock
        now = entry_time(clock)
        wait_s = take(p, s, now, 1.0)
        if wait_s > 0.0:
            raise q.refusal(wait_s)
        result = proceed()

Its first statement takes what it needs from the policy, once, when the function is made. The compiler
understands these forms; everything else is copied as it stands, with names of its own:

- ``result = proceed()`` becomes the next layer within, or the call itself.
- ``now = entry_time(clock)`` reads the clock, or reuses what a layer around read if no time can have passed.
- ``x = in_world(sync, async_)(...)`` calls the one, or awaits the other.
- ``x = with_call(f)`` calls `f` with the function that is called and all its arguments.
- ``def again(): ...`` is a function of its own, an async one in the async world: for layers that proceed
  more than once at a time, or later.
- a call of a transition becomes its body (`transitions`), under the policy's lock where it needs one.
- a name in capitals that the layer has as a constant becomes its value; branches that it rules out disappear.
  `ASYNC` is one of every layer: whether what is called is awaited.
"""

import ast
import itertools
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, CoroutineType
from typing import Any

from workbench.reliability.fusing.calling import Calling
from workbench.reliability.fusing.decorated import refuse_coroutine
from workbench.reliability.fusing.nesting import MOST_BLOCKS, block_depth, in_function
from workbench.reliability.fusing.transitions import (
    FusingError,
    Renaming,
    function_tree,
    is_whole,
    nested_names,
    place_transition,
    stored_names,
)
from workbench.reliability.machines._transition import is_transition

__all__ = ["Layer", "entry_time", "fuse", "in_world", "with_call"]

Statements = list[ast.stmt]
Proceed = Callable[[], Any]
RESULT, POLICY, PROCEED, ENTRY, WORLD, CALL = "result", "q", "proceed", "entry_time", "in_world", "with_call"


def entry_time(_clock: Any) -> float:
    """Stand for the time at which the call came to this layer."""
    raise FusingError(ENTRY)


def in_world(_sync: Any, _async: Any) -> Any:
    """Stand for a call in the sync world, and an awaited one in the async world."""
    raise FusingError(WORLD)


def with_call(_function: Any) -> Any:
    """Stand for a call with the function that is called, and all its arguments."""
    raise FusingError(CALL)


@dataclass(frozen=True, slots=True)
class Layer:
    """One policy's template, its constants, and whether time may pass before the call proceeds.

    `clock` tells clocks apart: layers of one pipeline with equal numbers share a reading.
    """

    template: Callable[[Any, Proceed], Any]
    constants: tuple[tuple[str, Any], ...] = ()
    waits: bool = False
    clock: int = 0


@dataclass(slots=True)
class _Fusing:
    """What is known while a pipeline is fused: the world, what is taken once, the globals that are needed."""

    calling: Calling
    asynchronous: bool
    taken: Statements = field(default_factory=list)
    namespace: dict[str, Any] = field(default_factory=dict)


_known: dict[tuple[Any, ...], tuple[CodeType, dict[str, Any]]] = {}
_numbers = itertools.count()  # of sources: two threads that fuse at once must not share one


def fuse(
    layers: tuple[Layer, ...],
    policies: tuple[Any, ...],
    link: Any,
    *,
    function: Any = None,
    asynchronous: bool,
) -> Any:
    """Return the one function that layers become, the first outermost.

    Parameters
    ----------
    layers, policies
        As many of both: what is done, and the objects it is done with.
    asynchronous : bool
        Whether what is called is awaited.
    function : callable, optional
        What is called within; without, it is the first argument of each call.
    link : object
        Its `current` is None, or the function that takes the place of the one returned here.
    """
    calling = Calling.of(function)
    key = (layers, asynchronous, calling)
    if key not in _known:
        _known[key] = _compile(layers, calling, asynchronous=asynchronous)
    code, namespace = _known[key]
    scope: dict[str, Any] = dict(namespace)
    exec(code, scope)  # noqa: S102 - it was made from our own functions
    return scope["make"](function, link, *policies)


def _compile(
    layers: tuple[Layer, ...], calling: Calling, *, asynchronous: bool
) -> tuple[CodeType, dict[str, Any]]:
    fusing = _Fusing(calling, asynchronous)
    body = _layers(fusing, layers, 0, None)
    source = ast.unparse(ast.fix_missing_locations(_factory(fusing, body, len(layers))))
    names = " > ".join(layer.template.__name__ for layer in layers)
    place = f"<fused {next(_numbers)}: {names}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    return compile(source, place, "exec"), fusing.namespace


FACTORY = """
def make({made_with}):
    {prefix}def call({parameters}):
        if link.current is not None:
            return {awaiting}link.current({arguments})
        {checking}
        return result
    return call
"""
CHECKING = "if type(result) is CoroutineType: refuse_coroutine(result, function)"


def _factory(fusing: _Fusing, body: Statements, count: int) -> ast.Module:
    calling = fusing.calling
    checking = ""
    if calling.varies and not fusing.asynchronous:
        checking = CHECKING
        fusing.namespace |= {"CoroutineType": CoroutineType, "refuse_coroutine": refuse_coroutine}
    text = FACTORY.format(
        made_with=", ".join(["function", "link", *(f"q_{number}" for number in range(count))]),
        prefix="async " if fusing.asynchronous else "",
        awaiting="await " if fusing.asynchronous else "",
        parameters=calling.parameters,
        arguments=calling.renewed,
        checking=checking,
    )
    module = ast.parse(text)
    make: Any = module.body[0]
    make.body[0].body[1:1] = body
    make.body[0:0] = fusing.taken
    return module


def _layers(
    fusing: _Fusing, layers: tuple[Layer, ...], number: int, entry: tuple[int, str] | None
) -> Statements:
    """Return the statements of a layer and all within it; `entry` is a clock and the name of its reading."""
    if number == len(layers):
        call = ast.parse(f"function({fusing.calling.arguments})", mode="eval").body
        value = ast.Await(call) if fusing.asynchronous else call
        return [ast.Assign([ast.Name(RESULT, ast.Store())], value)]
    found = _Placing(fusing, layers, number, entry).statements()
    if number > 0 and block_depth(found) > MOST_BLOCKS:
        return in_function(found, number, RESULT, asynchronous=fusing.asynchronous)
    return found


class _Placing:
    """Turns one layer's template into statements."""

    def __init__(
        self, fusing: _Fusing, layers: tuple[Layer, ...], number: int, entry: tuple[int, str] | None
    ) -> None:
        self.fusing, self.layers, self.number, self.entry = fusing, layers, number, entry
        self.layer = layers[number]
        self.suffix = f"_{number}"
        self.placed = 0

    def statements(self) -> Statements:
        tree = function_tree(self.layer.template)
        body = _folded(tree.body, {"ASYNC": self.fusing.asynchronous, **dict(self.layer.constants)})
        names = (stored_names(body) | nested_names(body)) - {RESULT}
        own = {name: ast.Name(name + self.suffix, ast.Load()) for name in names}
        own[POLICY] = ast.Name(f"{POLICY}{self.suffix}", ast.Load())
        renaming = Renaming(own)  # type: ignore[arg-type]
        taken, *rest = [renaming.visit(statement) for statement in body]
        self.fusing.taken.append(taken)
        return self.block(rest)

    def block(self, body: Statements) -> Statements:
        return [placed for statement in body for placed in self.statement(statement)]

    def statement(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        """Yield what stands for a statement, forms replaced within it."""
        self.within(statement)
        if isinstance(statement, ast.FunctionDef) and self.fusing.asynchronous:
            yield self.with_globals(ast.AsyncFunctionDef(**dict(ast.iter_fields(statement))))
            return
        call = getattr(statement, "value", None)
        if not isinstance(statement, ast.Assign | ast.Expr) or not isinstance(call, ast.Call):
            yield self.with_globals(statement)
            return
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name == PROCEED:
            entry = None if self.layer.waits else self.entry
            yield from _layers(self.fusing, self.layers, self.number + 1, entry)
        elif name == ENTRY:
            yield from self.entry_time(target, call.args[0])
        elif name == CALL:
            yield self.with_call(self.with_globals(statement), call)
        elif isinstance(call.func, ast.Call) and getattr(call.func.func, "id", "") == WORLD:
            yield self.with_globals(self.in_world(statement, call))
        elif is_transition(found := self.template_global(name)):
            yield from self.transition(found, call, target)
        else:
            yield self.with_globals(statement)

    def within(self, statement: ast.stmt) -> None:
        """Place all blocks of a statement; what the clock said in one of them is not known after it."""
        for part in (statement, *getattr(statement, "handlers", [])):
            for name in ("body", "orelse", "finalbody"):
                if getattr(part, name, None):
                    entry = self.entry
                    setattr(part, name, self.block(getattr(part, name)))
                    self.entry = entry

    def with_call(self, statement: Any, call: ast.Call) -> ast.stmt:
        given = ast.parse(f"call(function, {self.fusing.calling.arguments})", mode="eval").body
        given.func = call.args[0]  # type: ignore[attr-defined]
        statement.value = given
        return statement

    def entry_time(self, target: ast.expr | None, clock: ast.expr) -> Iterator[ast.stmt]:
        if not isinstance(target, ast.Name):
            msg = f"{self.layer.template.__name__}: entry_time must be assigned to a name"
            raise FusingError(msg)
        if self.entry is not None and self.entry[0] == self.layer.clock:
            value: ast.expr = ast.Name(self.entry[1], ast.Load())
        else:
            read = f"read{self.suffix}"  # two steps: CPython 3.11 is slow to call methods that are slots
            yield ast.Assign([ast.Name(read, ast.Store())], ast.Attribute(clock, "now", ast.Load()))
            value = ast.Call(ast.Name(read, ast.Load()), [], [])
            self.entry = (self.layer.clock, target.id)
        yield ast.Assign([target], value)

    def in_world(self, statement: Any, call: ast.Call) -> ast.stmt:
        choice: Any = call.func
        call.func = choice.args[self.fusing.asynchronous]
        if self.fusing.asynchronous:
            statement.value = ast.Await(call)
        return statement

    def transition(self, function: Any, call: ast.Call, target: ast.expr | None) -> Iterator[ast.stmt]:
        tree = function_tree(function)
        self.placed += 1
        whole = is_whole(tree)
        body = place_transition(tree, call.args, target, f"{self.suffix}_{self.placed}")
        body = [self.with_globals(statement, function.__globals__, whole=True) for statement in body]
        if whole:
            yield from body
        else:
            lock = ast.parse(f"{POLICY}{self.suffix}.lock", mode="eval").body
            yield ast.With([ast.withitem(lock)], body)

    def template_global(self, name: str) -> Any:
        return self.layer.template.__globals__.get(name)

    def with_globals(
        self, statement: ast.stmt, scope: dict[str, Any] | None = None, *, whole: bool = False
    ) -> ast.stmt:
        """Give the global names of a statement names of their own, known to the fused function.

        The blocks of a statement have theirs already, unless it is taken as a `whole`.
        """
        scope = self.layer.template.__globals__ if scope is None else scope
        renamed: dict[str, ast.expr] = {}
        blocks = [] if whole else _taken_out(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id in scope and node.id not in renamed:
                value = scope[node.id]
                if isinstance(value, int | float):
                    renamed[node.id] = ast.Constant(value)
                    continue
                alias = f"{node.id}_g{id(value):x}"
                self.fusing.namespace[alias] = value
                renamed[node.id] = ast.Name(alias, ast.Load())
        statement = Renaming(renamed).visit(statement)
        for part, name, block in blocks:
            setattr(part, name, block)
        return statement


def _taken_out(statement: ast.stmt) -> list[tuple[ast.AST, str, Statements]]:
    """Take out the blocks of a statement: their names are in place; arguments may be named like globals."""
    parts = (statement, *getattr(statement, "handlers", []))
    names = ("body", "orelse", "finalbody")
    found = [(part, name, getattr(part, name, None)) for part in parts for name in names]
    blocks = [(part, name, block) for part, name, block in found if block]
    for part, name, _ in blocks:
        setattr(part, name, [])
    return blocks


def _folded(body: Statements, constants: dict[str, Any]) -> Statements:
    """Return statements with constants in place of their names, without the branches that these rule out."""
    folding = _Folding(constants)
    found: Statements = []
    for statement in body:
        placed = folding.visit(statement)
        found += placed if isinstance(placed, list) else [placed]
    return found


class _Folding(ast.NodeTransformer):
    def __init__(self, constants: dict[str, Any]) -> None:
        self.constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.constants[node.id]) if node.id in self.constants else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        decided = isinstance(node.op, ast.Or)  # the value that decides it
        left = [value for value in node.values if not (_is(value, not decided))]
        if any(_is(value, decided) for value in left):
            return ast.Constant(decided)
        return (
            ast.Constant(not decided)
            if not left
            else left[0]
            if len(left) == 1
            else ast.BoolOp(node.op, left)
        )

    def visit_If(self, node: ast.If) -> ast.stmt | Statements:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node


def _is(value: ast.expr, truth: bool) -> bool:  # noqa: FBT001 - the truth asked for
    return isinstance(value, ast.Constant) and value.value is truth
