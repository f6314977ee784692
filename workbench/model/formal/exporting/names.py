"""Names in an exported text: those of the model where the other language allows them, and each only once."""

import re
from collections.abc import Hashable

__all__ = ["Names"]


class Names:
    """Gives each thing a name that no other thing has.

    Examples
    --------
    >>> names = Names(frozenset({"init"}))
    >>> names.of("tm", "init"), names.of("rm", "init"), names.of("tm", "init")
    ('init_2', 'init_3', 'init_2')
    """

    def __init__(self, reserved: frozenset[str], prefixes: tuple[str, ...] = ()) -> None:
        self.used = set(reserved)
        self.prefixes = prefixes  # with which no name may begin
        self.given: dict[Hashable, str] = {}

    def of(self, kind: Hashable, wanted: str) -> str:
        """Return the name of a thing that is known by a kind and the name that it would like."""
        key = kind, wanted
        if key not in self.given:
            self.given[key] = self._fresh(re.sub(r"\W", "_", wanted, flags=re.ASCII))
        return self.given[key]

    def _fresh(self, name: str) -> str:
        name = name if name[:1].isalpha() and not name.startswith(self.prefixes) else f"v{name}"
        number, found = 1, name
        while found in self.used:
            number += 1
            found = f"{name}_{number}"
        self.used.add(found)
        return found
