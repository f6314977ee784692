"""Functions of a model rewritten so that their operators work on terms: `a and b` becomes a call, and so on.

`if`, `while` and `assert` stay: they ask a term for its truth, which is a decision (`paths`).
"""

import ast
import functools
import itertools
from collections.abc import Callable
from typing import Any

from workbench.model.formal.compiling.frames import source_of
from workbench.model.formal.exporting.operations import OPERATIONS

__all__ = ["rewritten"]

SIGNS: dict[type, str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
PREFIX = "_exported_"
_places = itertools.count(1)


@functools.lru_cache(maxsize=1024)
def rewritten(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does with terms what another one does with values.

    Raises
    ------
    NotCompilableError
        When the function's text is not at hand.
    """
    tree, file, first_line = source_of(function)
    tree.decorator_list = []
    _unannotated(tree)
    body = _Rewriter().visit(tree)
    code = function.__code__
    around = _closure(function)
    outer = _template(tuple(around))
    outer.body = [body, ast.Return(ast.Name(tree.name, ast.Load()))]
    module = ast.Module([outer], [])
    ast.fix_missing_locations(module)
    ast.increment_lineno(module, first_line - 1)
    names = function.__globals__ | {PREFIX + name: call for name, call in OPERATIONS.items()}
    exec(compile(module, file, "exec"), names)  # noqa: S102 - the text of the model, which ran already
    made: Any = names["_around"](*around.values())
    made.__defaults__, made.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    made.exported = code
    result: Callable[..., Any] = made
    return result


def _template(names: tuple[str, ...]) -> ast.FunctionDef:
    outer = ast.parse(f"def _around({', '.join(names)}): pass").body[0]
    assert isinstance(outer, ast.FunctionDef)  # noqa: S101 - that is what was parsed
    return outer


def _unannotated(tree: ast.FunctionDef) -> None:
    tree.returns = None
    tree.args.defaults, tree.args.kw_defaults = [], [None] * len(tree.args.kwonlyargs)
    for argument in (*tree.args.args, *tree.args.kwonlyargs):
        argument.annotation = None


def _closure(function: Callable[..., Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def _operation(name: str, *args: ast.expr, at: ast.AST) -> ast.Call:
    call = ast.Call(ast.Name(PREFIX + name, ast.Load()), list(args), [])
    return ast.copy_location(call, at)


def _place() -> ast.Constant:
    """Return what tells an expression from all others."""
    return ast.Constant(next(_places))


def _later(node: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), node)


class _Rewriter(ast.NodeTransformer):
    def __init__(self) -> None:
        self.count = 0

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        name = "all_of" if isinstance(node.op, ast.And) else "any_of"
        return _operation(name, _place(), node.values[0], *map(_later, node.values[1:]), at=node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return _operation("not", node.operand, at=node) if isinstance(node.op, ast.Not) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        signs = ast.Tuple([ast.Constant(SIGNS[type(op)]) for op in node.ops], ast.Load())
        return _operation("compare", signs, node.left, *node.comparators, at=node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return _operation("if", _place(), node.test, _later(node.body), _later(node.orelse), at=node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice):
            return node
        return _operation("item", node.value, node.slice, at=node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        call = ast.Call(ast.Name(PREFIX + "call", ast.Load()), [node.func, *node.args], node.keywords)
        return ast.copy_location(call, node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehension(node)

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._comprehension(node, "collected_set")

    def _comprehension(self, node: Any, made: str = "collected") -> ast.AST:
        """Write: a list of pairs, the condition under which an element is there and the element."""
        self.generic_visit(node)
        generators: list[ast.comprehension] = []
        conditions: list[ast.expr] = []
        for each in node.generators:
            self.count += 1
            here, kept = f"{PREFIX}p{self.count}", f"{PREFIX}q{self.count}"
            target = ast.Tuple([ast.Name(here, ast.Store()), each.target], ast.Store())
            generators.append(ast.comprehension(target, _operation("pairs", each.iter, at=node), [], 0))
            under = _operation(
                "under",
                ast.Tuple([ast.Name(here, ast.Load())], ast.Load()),
                *map(_later, each.ifs),
                at=node,
            )
            possible = _operation("possible", ast.Name(kept, ast.Load()), at=node)
            once = ast.Tuple([under], ast.Load())
            generators.append(ast.comprehension(ast.Name(kept, ast.Store()), once, [possible], 0))
            conditions.append(ast.Name(kept, ast.Load()))
        joined = conditions[0] if len(conditions) == 1 else _operation("joined", *conditions, at=node)
        pair = ast.Tuple([joined, node.elt], ast.Load())
        return _operation(made, ast.ListComp(pair, generators), at=node)
