"""``workbench doctor``: what is here, what is missing, and the command that mends it."""

import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import typer

__all__ = ["Check", "doctor", "examine"]

Status = Literal["ok", "missing", "old", "off"]

DISTRIBUTION = "reliability-workbench"
EVERYTHING = "all"  # the extra that repeats the others
OLDEST_PYTHON = (3, 11)
VECTOR_FEATURES = ("sse4.2", "avx2", "avx512f", "avx512bw", "avx512vbmi", "neon", "sve")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table: what was looked at, what was found, and the command that mends it."""

    name: str
    found: str
    status: Status = "ok"
    mend: str = ""
    needed: bool = True


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Look at Python, packages, CPU and kernels; exit with 1 if something needed is missing."""
    checks = list(examine())
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks]))
    else:
        _print(checks)
    raise typer.Exit(int(any(check.needed and check.status != "ok" for check in checks)))


def examine() -> Iterator[Check]:
    """Yield what there is to know of this installation, most basic first."""
    yield _python()
    yield from _packages()
    yield from _cpu()
    yield _kernel_cache()
    yield _browser()


def _python() -> Check:
    found = f"{platform.python_version()} ({platform.python_implementation()}, {platform.system()})"
    if sys.version_info < OLDEST_PYTHON:
        return Check("Python", found, "old", "install Python 3.11 or newer")
    return Check("Python", found)


def _packages() -> Iterator[Check]:
    """Yield a line for the library's own packages and for each extra, naming those not as they should be."""
    groups: dict[str, list[str]] = {}
    for line in _requirements():
        groups.setdefault(_extra(line), []).append(line)
    groups.pop(EVERYTHING, None)
    yield from (_group(extra, lines) for extra, lines in groups.items())


def _requirements() -> list[str]:
    try:
        return importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # run from a source tree
        return []


def _extra(line: str) -> str:
    """Return the extra that a requirement belongs to, empty for a dependency of the library itself."""
    _, _, condition = line.partition("extra ==")
    return condition.strip().strip("'\"")


def _group(extra: str, lines: list[str]) -> Check:
    name = f"packages [{extra}]" if extra else "packages"
    bad = [found for line in lines if (found := _shortcoming(line))]
    if not bad:
        return Check(name, f"{len(lines)} of {len(lines)}")
    found = f"{len(lines) - len(bad)} of {len(lines)}: {', '.join(bad)}"
    status: Status = "missing" if any(text.startswith("no ") for text in bad) else "old"
    what = f"{DISTRIBUTION}[{extra}]" if extra else DISTRIBUTION
    return Check(name, found, status, f"pip install --upgrade '{what}'", needed=not extra)


def _shortcoming(line: str) -> str:
    """Return what is wrong with a required package, empty if nothing is."""
    from packaging.requirements import Requirement

    wanted = Requirement(line)
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return f"no {wanted.name}"
    if wanted.specifier.contains(version, prereleases=True):
        return ""
    return f"{wanted.name} {version}, not {wanted.specifier}"


def _cpu() -> Iterator[Check]:
    import llvmlite.binding
    import numba

    features = llvmlite.binding.get_host_cpu_features()
    vector = [name for name in VECTOR_FEATURES if features.get(name)]
    yield Check("CPU", f"{platform.machine()}, {llvmlite.binding.get_host_cpu_name()}")
    yield Check("vector features", ", ".join(vector) or "none")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Check("threads", f"{usable} usable of {os.cpu_count()}, Numba uses {numba.get_num_threads()}")


def _kernel_cache() -> Check:
    from workbench import kernels

    known = kernels.load_kernels()
    ready = sum(kernel.is_cached() for kernel in known)
    found = f"{ready} of {len(known)} kernels compiled"
    if ready < len(known):
        return Check("kernel cache", found, "off", "workbench warm", needed=False)
    return Check("kernel cache", found)


def _browser() -> Check:
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return Check("browser for tests", path)
    return Check("browser for tests", "-", "missing", "apt-get install chromium", needed=False)


def _print(checks: list[Check]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table("", "found", "", "to mend it")
    for check in checks:
        colour = "green" if check.status == "ok" else "red" if check.needed else "yellow"
        shown.add_row(
            escape(check.name), escape(check.found), f"[{colour}]{check.status}[/]", escape(check.mend)
        )
    Console().print(shown)
