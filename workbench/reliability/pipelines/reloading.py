"""`reload`: other policies for a pipeline, while calls run.

1. The specification is read, and all policies are made: whatever is wrong is raised here, and nothing has
changed. 2. Each new policy looks for the old one of its kind and name (the n-th for the n-th). Where both say
the same, the old
   one stays; else the new one takes over what the old one has learnt (`_adopting`).
3. All functions are fused anew. Each has one place where it looks for its successor, when a call begins: that
   call goes through the old policies to its end, or through the new ones from its start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench import display
from workbench.reliability.pipelines._adopting import adopt, is_resized, resize
from workbench.reliability.pipelines._config import read_pipeline
from workbench.reliability.pipelines._config_files import read_spec
from workbench.reliability.pipelines._config_writing import Writer, kind_name, write_layer
from workbench.reliability.pipelines._labels import layer_names
from workbench.reliability.pipelines._places import Place
from workbench.reliability.pipelines.errors import ConfigError

if TYPE_CHECKING:
    from workbench.clock import Clock
    from workbench.reliability.pipeline import Pipeline
    from workbench.reliability.policy import Generator, Policy

__all__ = ["Reloaded"]

Fate = Literal["unchanged", "kept", "anew", "new", "gone"]
SAID: dict[Fate, str] = {
    "unchanged": "the same policy goes on",
    "kept": "changed; goes on with what was learnt",
    "anew": "changed; begins anew",
    "new": "was not there before",
    "gone": "is no longer there",
}


@dataclass(frozen=True, slots=True, repr=False)
class Reloaded:
    """What became of the layers.

    Attributes
    ----------
    layers : tuple of (str, str)
        The name of each layer, the first outermost, then of those that are gone, with its fate: "unchanged",
        "kept" (changed, goes on with what was learnt), "anew" (changed, begins anew), "new" or "gone".
    """

    layers: tuple[tuple[str, Fate], ...]

    @property
    def changed(self) -> bool:
        """Whether anything is different."""
        return any(fate != "unchanged" for _, fate in self.layers)

    def __repr__(self) -> str:
        return f"Reloaded({', '.join(f'{name}: {fate}' for name, fate in self.layers)})"

    def _repr_html_(self) -> str:
        rows = [(name, SAID[fate]) for name, fate in self.layers]
        return display.table(
            ("layer", "what became of it"), rows, title="Reloaded", max_rows=200
        )._repr_html_()


def reload(pipeline: "Pipeline", spec: Any, clock: "Clock | None", rng: "Generator | None") -> Reloaded:
    """Take other policies.

    Raises
    ------
    ConfigError, OSError
    """
    with pipeline._lock:  # noqa: SLF001 - its other half
        old = pipeline.policies
        name, wanted = _wanted(pipeline, spec, clock, rng)
        before = _by_kind_and_name(old)
        after = _by_kind_and_name(wanted)
        installed: list[Policy] = []
        fates: list[Fate] = []
        resized: list[tuple[Policy, Policy]] = []
        for key, new in after:
            known = next((policy for each, policy in before if each == key), None)
            policy, fate = _placed(new, known)
            if fate == "kept" and policy is known:
                resized.append((policy, new))
            installed.append(policy)
            fates.append(fate)
        pipeline._install(tuple(installed))  # noqa: SLF001 - as above
        for policy, new in resized:
            resize(policy, new)
            policy.changed()
        if name is not None:
            pipeline.name = name
        names = layer_names(tuple(installed))
        keys = [key for key, _ in after]
        gone = [label for (key, _), label in zip(before, layer_names(old), strict=True) if key not in keys]
    return Reloaded((*zip(names, fates, strict=True), *((label, "gone") for label in gone)))


def _wanted(
    pipeline: "Pipeline", spec: Any, clock: "Clock | None", rng: "Generator | None"
) -> "tuple[str | None, tuple[Policy, ...]]":
    from workbench.reliability.pipeline import Pipeline as Kind  # noqa: PLC0415 - it imports this module

    if isinstance(spec, Kind):
        return spec.name, spec.policies
    is_path = isinstance(spec, str | Path)
    if not is_path and not isinstance(spec, Mapping):
        msg = f"cannot reload from {spec!r:.80}: expected a path, a specification or a pipeline"
        raise ConfigError(msg)
    if clock is None and pipeline.policies:
        clock = pipeline.clock
    read = read_pipeline(
        read_spec(spec) if is_path else spec, clock=clock, rng=rng, source=str(spec) if is_path else ""
    )
    return (read.name if read.is_named else None), read.policies


def _by_kind_and_name(policies: "tuple[Policy, ...]") -> "list[tuple[tuple[str, str, int], Policy]]":
    found: list[tuple[tuple[str, str, int], Policy]] = []
    counts: dict[tuple[str, str], int] = {}
    for policy in policies:
        key = kind_name(policy), policy.name
        counts[key] = counts.get(key, 0) + 1
        found.append(((*key, counts[key]), policy))
    return found


def _placed(new: "Policy", known: "Policy | None") -> "tuple[Policy, Fate]":
    """Return the policy that takes a place, and how that came."""
    if known is None:
        return new, "new"
    if new is known or _is_same(new, known):
        return known, "unchanged"
    if is_resized(new, known):
        return known, "kept"
    fate: Fate = "kept" if adopt(new, known) else "anew"
    new.take_over_listeners(known)
    return new, fate


def _is_same(new: "Policy", known: "Policy") -> bool:
    """Tell whether two policies were made with the same, as far as that can be written."""
    if new.clock is not known.clock:
        return False
    try:
        said = [_written(policy) for policy in (new, known)]
    except ConfigError:
        return False
    return said[0] == said[1]


def _written(policy: "Policy") -> tuple[Any, ...]:
    writer = Writer()
    layer = write_layer(policy, Place(), writer)
    return layer, [(name, budget.parameters) for name, budget in writer.budgets.items()]
