"""Which columns of a table a query may mean: the others need not be made.

DuckDB's own parser says what a query is (``json_serialize_sql``). Whole rows are meant by more than a star:
by ``from spans``, ``columns(...)``, a table's name where a value is expected, a natural join or a pivot; and
by every statement that the parser does not show.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from workbench.otlp.storage._extras import import_extra

__all__ = ["columns_meant"]

WHOLE_ROWS = ("STAR", "POSITIONAL_REFERENCE")  # classes of expressions
PLAIN_SOURCES = ("BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY")  # tables whose columns are used by name only


def columns_meant(connection: Any, query: str, names: Sequence[str]) -> list[str]:
    """Return the names that a query may mean, whatever their case; all of them where it may be any."""
    nodes = list(_nodes(_syntax(connection, query)))
    sources = [node for node in nodes if _is_source(node)]
    used = [node["column_names"] for node in nodes if node.get("class") == "COLUMN_REF"]
    called = {str(node.get(key, "")).lower() for node in sources for key in ("alias", "table_name")}
    takes_rows = (
        not nodes
        or any(node.get("class") in WHOLE_ROWS for node in nodes)
        or any(node["type"] not in PLAIN_SOURCES or node.get("ref_type") == "NATURAL" for node in sources)
        or any(parts[-1].lower() in called for parts in used)
    )
    if takes_rows:
        return list(names)
    used += [node.get("using_columns", []) for node in sources]
    known = {part.lower() for parts in used for part in parts}
    return [name for name in names if name.lower() in known]


def _syntax(connection: Any, query: str) -> Any:
    """Return a query's statements; nothing where one is no selection, or nested too deeply."""
    duckdb = import_extra("duckdb", "tables", "sql")
    try:
        [(text,)] = connection.execute("select json_serialize_sql(?)", [query]).fetchall()
        return json.loads(text).get("statements", [])
    except (duckdb.Error, RecursionError):
        return []


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of the syntax, outer ones first."""
    stack = [tree]
    while stack:
        found = stack.pop()
        if isinstance(found, dict):
            yield found
            stack += found.values()
        elif isinstance(found, list):
            stack += found


def _is_source(node: dict[str, Any]) -> bool:
    """Tell a table, or what stands for one behind FROM, from expressions and whole selections."""
    return "sample" in node and "query_location" in node
