"""Where in a specification something stands, to say so in errors."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.reliability.pipelines.errors import ConfigError

__all__ = ["Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or none, and a path of keys in it."""

    source: str = ""
    path: str = ""

    def key(self, name: object) -> "Place":
        """Return the place of a key within this one."""
        return Place(self.source, f"{self.path}.{name}" if self.path else str(name))

    def item(self, number: int) -> "Place":
        """Return the place of an item within this one."""
        return Place(self.source, f"{self.path}[{number}]")

    def error(self, problem: str) -> ConfigError:
        """Return the error of a problem here."""
        return ConfigError(problem, source=self.source, path=self.path)

    def mapping(self, value: Any, allowed: Iterable[str], what: str) -> Mapping[str, Any]:
        """Return a mapping that has allowed keys only.

        Raises
        ------
        ConfigError
        """
        if not isinstance(value, Mapping):
            msg = f"expected {what} as a mapping, got {value!r:.80}"
            raise self.error(msg)
        known = list(allowed)
        for key in value:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f", did you mean {near[0]!r}?" if near else ""
                msg = f"{what} has no key {key!r}{hint or ','} it has {', '.join(known)}"
                raise self.error(msg)
        return value
