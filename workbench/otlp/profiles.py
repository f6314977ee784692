"""`Profiles`: profiles with their samples, and the dictionary that all of them refer to."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.otlp._attributes import value_column
from workbench.otlp._profile_attributes import followed_values
from workbench.otlp._schema import Signal
from workbench.otlp.codec._codes import PLAIN, TYPE_MASK
from workbench.otlp.telemetry import Telemetry

__all__ = ["Profiles"]

Numbers = npt.NDArray[np.int64]


class Profiles(Telemetry):
    """Immutable profiles (v1development) with their samples, stacks, locations, functions and mappings.

    A record is a profile; ``profiles["key"]`` is an attribute of it, its scope or its resource, as for other
    signals, wherever the dictionary holds key and value. Samples refer to stacks, stacks to locations,
    locations to functions, and names to the table ``strings``; ``profiles.samples()`` follows the references.
    """

    __slots__ = ()
    signal: ClassVar[Signal] = "profiles"

    def strings(self) -> list[str]:
        """Return the string table that all names refer to."""
        found: list[str] = self.tables["strings"]["text"].to_pylist()
        return found

    def sample_types(self) -> pa.Table:
        """Return for each profile what its samples measure: type and unit, as ``cpu`` and ``nanoseconds``."""
        strings = self.strings()
        return pa.table(
            {name: pa.array(self._named(strings, name), pa.string()) for name in ("type", "unit")}
        )

    def _named(self, strings: list[str], name: str) -> list[str | None]:
        numbers = self._columns().columns[f"profiles.sample_type.{name}_strindex"]
        return [_at(strings, number) for number in numbers.tolist()]

    def samples(self) -> pa.Table:
        """Return a row a sample: its profile, its stack as text (``leaf;...;root``), its value.

        The value is the sum of a sample's values, or the number of its timestamps where it has no values.
        """
        star, tables = self._columns(), self.tables
        stacks = self._stack_texts()
        rows = star.columns["samples.stack_index"].tolist()
        starts = star.columns["samples.values.start"]
        values = _sums(star.columns["samples.values"], starts)
        times = np.diff(star.columns["samples.timestamps_unix_nano.start"])
        return pa.table(
            {
                "profile": tables["samples"]["parent_id"],
                "stack": pa.array([_at(stacks, row) for row in rows], pa.string()),
                "value": pa.array(np.where(np.diff(starts) > 0, values, times)),
            }
        )

    def _stack_texts(self) -> list[str]:
        frames = self._frame_names()
        lists = self.tables["stacks"]["location_indices"].to_pylist()
        return [";".join(_at(frames, location) or "?" for location in found) for found in lists]

    def _frame_names(self) -> list[str]:
        """Return each location's function, inlined ones after their callers, or its address."""
        star, strings = self._columns(), self.strings()
        functions = star.columns["functions.name_strindex"].tolist()
        names: list[list[str]] = [[] for _ in range(star.rows["locations"])]
        lines = zip(
            star.columns["location_lines.parent"].tolist(),
            star.columns["location_lines.function_index"].tolist(),
            strict=True,
        )
        for location, function in lines:
            name = _at(strings, functions[function]) if 0 <= function < len(functions) else None
            names[location].append(name or "?")
        addresses = star.columns["locations.address"].tolist()
        return [";".join(found) or hex(address) for found, address in zip(names, addresses, strict=True)]

    def attributes(self) -> pa.Table:
        """Return the dictionary's attributes: key, value as one column of text or numbers, and unit."""
        star, strings = self._columns(), self.strings()
        kinds, values = followed_values(
            star, star.columns["attributes.value.type"], star.columns["attributes.value.value"]
        )
        named: dict[str, Any] = {
            name: pa.array([_at(strings, at) for at in star.columns[f"attributes.{name}_strindex"].tolist()])
            for name in ("key", "unit")
        }
        value = value_column(star, kinds & (TYPE_MASK | PLAIN), values)
        return pa.table({"key": named["key"], "value": value, "unit": named["unit"]})

    def _times(self) -> pa.ChunkedArray:
        return self.records["time_unix_nano"]

    def _facts(self) -> Iterator[str]:
        yield display.plural(len(self), "profile")
        yield display.plural(self._columns().rows["samples"], "sample")
        yield display.plural(self._columns().rows["stacks"], "stack")

    def _summary(self) -> display.Table:
        counts = np.bincount(self._columns().columns["samples.parent"], minlength=len(self)).tolist()
        types = self.sample_types().to_pylist()
        rows = [
            (kind["type"] or "", kind["unit"] or "", count) for kind, count in zip(types, counts, strict=True)
        ]
        return display.table(["type", "unit", "samples"], rows, title=repr(self))


def _at(found: list[str], number: int) -> str | None:
    """Return an entry of a dictionary's table; None where the reference leads nowhere."""
    return found[number] if 0 <= number < len(found) else None


def _sums(values: Numbers, starts: Numbers) -> Numbers:
    ends = np.concatenate([[0], np.cumsum(values)])
    return ends[starts[1:]] - ends[starts[:-1]]
