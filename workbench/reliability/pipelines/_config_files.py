"""Specifications in files: YAML (1.2's truth values and numbers, no key twice) and TOML.

PyYAML reads YAML 1.1, where ``on`` is a truth value and ``1e-3`` a text; here both are what YAML 1.2 says.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from workbench.reliability.pipelines._places import Place

__all__ = ["parse_spec", "read_spec"]


def read_spec(path: str | Path) -> Any:
    """Return what a file says.

    Raises
    ------
    ConfigError
        When its name ends in none of .yaml, .yml and .toml, or it is none: it says the line.
    OSError
    """
    return parse_spec(Path(path).read_bytes(), path)


def parse_spec(content: bytes, path: str | Path) -> Any:
    """Return what the content of a file says; see `read_spec`."""
    place, kind = Place(str(path)), Path(path).suffix.lower()
    if kind not in (".yaml", ".yml", ".toml"):
        msg = f"expected a name that ends in .yaml, .yml or .toml, got {Path(path).name!r}"
        raise place.error(msg)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"it is not UTF-8: {error}"
        raise place.error(msg) from error
    return _toml(text, place) if kind == ".toml" else _yaml(text, place)


def _toml(text: str, place: Place) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"not TOML: {error}"
        raise place.error(msg) from error


def _yaml(text: str, place: Place) -> Any:
    import yaml  # noqa: PLC0415 - only where a YAML file is read

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - it is a safe one
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
        line = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        msg = f"not YAML: {line}{problem}"
        raise place.error(msg) from error


def _integer(loader: Any, node: Any) -> int:
    return int(loader.construct_scalar(node))


def _loader() -> Any:
    """Return a safe loader with the scalars of YAML 1.2's core schema."""
    import yaml  # noqa: PLC0415 - as above

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - as PyYAML has it

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        known: set[Any] = set()
        for key, _ in node.value:
            name = loader.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {name!r} is no text", key.start_mark
                )
            if name in known:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {name!r} stands twice", key.start_mark
                )
            known.add(name)
        return dict(loader.construct_mapping(node, deep=True))

    scalars = (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("null", r"~|null|Null|NULL|", "~nN\0"),
        ("int", r"[-+]?[0-9]+", "-+0123456789"),
        (
            "float",
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
            "-+0123456789.",
        ),
    )
    for name, pattern, first in scalars:
        firsts = ["" if each == "\0" else each for each in first]
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(rf"^(?:{pattern})$"), firsts)
    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    Loader.add_constructor("tag:yaml.org,2002:int", _integer)
    return Loader
