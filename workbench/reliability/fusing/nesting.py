"""How deep blocks are nested: CPython compiles no more than 20 of them within each other.

A pipeline of many layers goes deeper than that. What lies too deep becomes a function within the function,
where counting begins anew; it costs one more call, so it is done only where it must be.
"""

import ast

__all__ = ["MOST_BLOCKS", "block_depth", "in_function"]

MOST_BLOCKS = 12  # within a layer, which has up to 5 of its own

LOOPS_AND_CONTEXTS = (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def block_depth(statements: list[ast.stmt]) -> int:
    """Return how many blocks are nested in some statements, as CPython counts them."""
    return max((_depth(statement) for statement in statements), default=0)


def in_function(
    statements: list[ast.stmt], number: int, result: str, *, asynchronous: bool
) -> list[ast.stmt]:
    """Return statements that define a function of others, and call it; both assign the same result."""
    prefix, awaiting = ("async ", "await ") if asynchronous else ("", "")
    text = f"{prefix}def within_{number}():\n    return {result}\n{result} = {awaiting}within_{number}()"
    definition, call = ast.parse(text).body
    definition.body[0:0] = statements  # type: ignore[attr-defined]
    return [definition, call]


def _depth(node: ast.AST) -> int:
    if isinstance(node, FUNCTIONS):
        return 0
    if isinstance(node, ast.Try):
        return _try_depth(node)
    within = max(map(_depth, ast.iter_child_nodes(node)), default=0)
    return within + isinstance(node, LOOPS_AND_CONTEXTS)


def _try_depth(node: ast.Try) -> int:
    """Return the depth of a `try`: a handler is a block, and one more where it names its exception."""
    depth = block_depth(node.body) + bool(node.handlers)
    for handler in node.handlers:
        depth = max(depth, block_depth(handler.body) + 1 + (handler.name is not None))
    depth = max(depth, block_depth(node.orelse))
    return max(depth, block_depth(node.finalbody)) + bool(node.finalbody)
