"""Telemetry asked by SQL: DuckDB over the live tables.

Every table is there by its name. That of the records (``spans``, ``logs``, ``metrics``, ``profiles``) has its
own columns, with structs as ``status.code``, and a column for each attribute of the record, its scope and its
resource, as ``traces["http.route"]`` has it. Its ``id`` is what children call ``parent_id``. Ids are
hexadecimal digits, durations nanoseconds, times UTC without saying so (DuckDB would show them in the
machine's zone); all other columns are the tables' own memory. A name with a dot is written in double quotes.
"""

import difflib
import re
from collections.abc import Container, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._schema import LAYOUTS
from workbench.otlp.storage._extras import import_extra
from workbench.otlp.storage._plain_columns import with_hexadecimal_ids, with_plain_times
from workbench.otlp.storage._sql_columns import columns_meant
from workbench.otlp.storage.errors import SqlError
from workbench.otlp.storage.sql_result import SqlResult

if TYPE_CHECKING:
    import duckdb

    from workbench.otlp.telemetry import Telemetry

__all__ = ["run_sql", "to_duckdb"]

WORD = re.compile(r"\w+")


def to_duckdb(telemetry: "Telemetry", connection: Any = None) -> "duckdb.DuckDBPyConnection":
    """Return a connection with a view for each table, in which records have their attributes as columns."""
    duckdb = _duckdb("to_duckdb")
    found = _connect(duckdb) if connection is None else connection
    if not isinstance(found, duckdb.DuckDBPyConnection):
        msg = f"expected a DuckDB connection, got {found!r}"
        raise TypeError(msg)
    keys = _keys_by_name(telemetry)
    for name in telemetry.tables:
        _register(found, telemetry, name, keys)
    return found


def run_sql(telemetry: "Telemetry", query: Any) -> SqlResult:
    """Return what a query over the tables finds.

    Raises
    ------
    SqlError
        When DuckDB refuses it; lists the tables, and columns of near names.
    """
    duckdb = _duckdb("sql")
    if not isinstance(query, str):
        msg = f"expected a query as a str, got {query!r}"
        raise TypeError(msg)
    with _connect(duckdb) as connection:
        words, keys = set(WORD.findall(query.lower())), _keys_by_name(telemetry)
        meant = {name: keys[name] for name in columns_meant(connection, query, list(keys))}
        for name in telemetry.tables:
            if name in words:
                _register(connection, telemetry, name, meant)
        try:
            relation = connection.sql(query)
            table = pa.table({}) if relation is None else relation.to_arrow_table()
        except duckdb.Error as error:
            raise SqlError(_explained(telemetry, str(error))) from error
    return SqlResult(table.rename_columns(_told_apart(table.column_names)))


def _keys_by_name(telemetry: "Telemetry") -> dict[str, str]:
    """Return the keys by their names in DuckDB, for which names that differ in case alone are one."""
    keys = telemetry.keys()
    return dict(zip(_told_apart(keys), keys, strict=True))


def _told_apart(names: list[str]) -> list[str]:
    """Give a name that repeats, whatever its case, the first number that makes it another: name, name_1."""
    taken = {name.lower() for name in names}
    met: set[str] = set()
    told: list[str] = []
    for name in names:
        new = _numbered(name, taken) if name.lower() in met else name
        met.add(name.lower())
        taken.add(new.lower())
        told.append(new)
    return told


def _numbered(name: str, taken: Container[str]) -> str:
    numbered = (f"{name}_{number}" for number in count(1))
    return next(new for new in numbered if new.lower() not in taken)


def _duckdb(what: str) -> Any:
    return import_extra("duckdb", "tables", what)


def _connect(duckdb: Any) -> Any:
    """Return a database in memory that sees no variables of Python's."""
    return duckdb.connect(config={"python_enable_replacements": False})


def _records(telemetry: "Telemetry") -> str:
    return LAYOUTS[telemetry.signal].records


def _register(connection: Any, telemetry: "Telemetry", name: str, keys: Mapping[str, str]) -> None:
    is_records = name == _records(telemetry)
    table = _flat(telemetry, keys) if is_records else telemetry.tables[name]
    connection.register(name, with_plain_times(with_hexadecimal_ids(table)))


def _flat(telemetry: "Telemetry", keys: Mapping[str, str]) -> pa.Table:
    """Return some columns of the records, by their names, and those that say where they belong."""
    records = telemetry.records
    ids = {f"{struct}.id": pc.struct_field(records[struct], "id") for struct in ("resource", "scope")}
    chosen = {name: telemetry[key] for name, key in keys.items() if key != "id" and key not in ids}
    return pa.table({"id": records["id"], **ids, **chosen})


def _explained(telemetry: "Telemetry", reason: str) -> str:
    reason = reason.split("\n", maxsplit=1)[0].strip()
    quoted = re.search(r'column "([^"]+)"', reason)
    near = difflib.get_close_matches(quoted[1], telemetry.keys(), n=5, cutoff=0.5) if quoted else []
    hint = f"; columns of {_records(telemetry)} with near names: {', '.join(near)}" if near else ""
    return f"{reason}{hint}; tables: {', '.join(telemetry.tables)}"
