"""Refinement: everything that a concrete model does, an abstract one does too, seen through a mapping.

The mapping gives, for each state of the concrete model, the state of the abstract one that it stands for.
Each initial state must stand for an initial one; each step for a step of the abstract model, or for none: it
leaves the abstract state as it is (it *stutters*).

Source: M. Abadi, L. Lamport, The existence of refinement mappings, TCS 82 (1991). Liveness is not looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.model.formal._engines import Engine, explored_graph
from workbench.model.formal._explorations import Edges, Limits, initial_states
from workbench.model.formal._models import Frozen, Model, Specification, specification
from workbench.model.formal._statistics import statistics_of
from workbench.model.formal._traces import path_to, steps_along
from workbench.model.formal._watching import Progress, watching
from workbench.model.formal.errors import DomainError, FormalError, ModelError
from workbench.model.formal.interpreting.steps import Broken, successors
from workbench.model.formal.pictures.partitions import inner_edges
from workbench.model.formal.verdicts import Step, Verdict, Violation

__all__ = ["refines"]

KIND = "refinement"


def refines(  # noqa: PLR0913 - each has its default
    concrete: Any,
    abstract: Any,
    mapping: Any,
    *,
    engine: Engine = "auto",
    max_states: int | None = None,
    max_depth: int | None = None,
    timeout_s: float | None = None,
    progress: Progress = False,
) -> Verdict:
    """Check that a model refines another.

    Parameters
    ----------
    concrete, abstract : class
        Derived from `Model`.
    mapping : callable
        A function of the concrete state; returns the abstract one (a `Model`), or a mapping of its fields.
    engine, max_states, max_depth, timeout_s, progress
        As for `check`, for the concrete model.

    Returns
    -------
    Verdict
        Of the concrete model. A violation is a shortest behaviour whose last step is none of the abstract
        model's; `notes` say what it does to the abstract state.

    Raises
    ------
    ModelError
        When one of them is no model, or the mapping no function.
    FormalError
        When the mapping fails, or returns what is no state of the abstract model.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> detailed, wanted = wb.library.TwoPhaseCommit(rm=2), wb.library.TransactionCommit(rm=2)
    >>> wb.refines(detailed, wanted, lambda s: {"rms": s.rms}).holds
    True
    """
    declared, target = specification(concrete), specification(abstract)
    if not callable(mapping):
        msg = f"the mapping must be a function of the concrete state, got {mapping!r}"
        raise ModelError(msg)
    with watching(progress, max_states) as watch:
        edges = explored_graph(declared, Limits(max_states, max_depth, timeout_s), engine, watch)
    seen = _Mapped(declared, target, mapping, edges)
    found, note = seen.wrong_start() or seen.wrong_step() or (None, "")
    explored = edges.explored
    return Verdict(
        model=declared.model,
        holds=False if found else (None if explored.bound else True),
        distinct=explored.distinct,
        generated=explored.generated,
        depth=explored.depth,
        violations=(found,) if found else (),
        bound=explored.bound,
        statistics=statistics_of(declared, explored),
        engine=explored.engine,
        notes=(note,) if note else (),
    )


@dataclass
class _Mapped:
    """The concrete model's states, and the abstract states that they stand for, numbered."""

    declared: Specification
    target: Specification
    mapping: Callable[[Any], Any]
    edges: Edges
    images: list[Frozen] = field(default_factory=list)

    def __post_init__(self) -> None:
        states = self.edges.explored.states
        numbers: dict[Frozen, int] = {}
        self.of = np.empty(len(states), np.int64)
        for number in range(len(states)):
            self.of[number] = numbers.setdefault(self._image(states[number]), len(numbers))
        self.images = list(numbers)

    def _image(self, state: Frozen) -> Frozen:
        """Return the abstract state that a concrete one stands for."""
        live = self.declared.thaw(state)
        try:
            given = self.mapping(live)
        except Exception as error:
            msg = f"the mapping raised {type(error).__name__}: {error} (in {live!r})"
            raise FormalError(msg) from error
        values = (
            given if isinstance(given, Mapping) else {n: getattr(given, n, None) for n in self._fields(given)}
        )
        if set(values) != set(self.target.fields):
            wanted = f"{', '.join(self.target.fields)} of {self.target.name}"
            msg = f"the mapping returned {given!r}; it must give {wanted}"
            raise FormalError(msg)
        try:
            return tuple(domain.freeze(values[name]) for name, domain in self.target.fields.items())
        except DomainError as error:
            what = f"{given!r}, which is no state of {self.target.name}"
            msg = f"the mapping returned {what}: {error} (in {live!r})"
            raise FormalError(msg) from None

    def _fields(self, given: Any) -> list[str]:
        return list(specification(given).fields) if isinstance(given, Model) else []

    def wrong_start(self) -> tuple[Violation, str] | None:
        """Return an initial state that stands for none, and what to say of it."""
        allowed = set(self.target.initial())
        for number in range(initial_states(self.edges.explored)):
            image = self.images[self.of[number]]
            if image not in allowed:
                start = Step(None, {}, self.declared.thaw(self.edges.explored.states[number]))
                note = f"{self._shown(image)} is no initial state of {self.target.name}"
                return Violation(KIND, self._name, [start]), note
        return None

    def wrong_step(self) -> tuple[Violation, str] | None:
        """Return a shortest behaviour to a step that stands for none, and what to say of it."""
        sources, targets, labels = inner_edges(self.edges)
        before, after = self.of[sources], self.of[targets]
        moved = np.flatnonzero(before != after)
        pairs = np.stack([before[moved], after[moved]], axis=1)
        unique, first = np.unique(pairs, axis=0, return_index=True)
        following: dict[int, set[Frozen]] = {}
        for place in np.argsort(first):
            source, target = unique[place].tolist()
            if source not in following:
                following[source] = self._following(self.images[source])
            if self.images[target] not in following[source]:
                edge = int(moved[first[place]])
                return self._violation(
                    int(sources[edge]), int(targets[edge]), int(labels[edge]), source, target
                )
        return None

    def _following(self, image: Frozen) -> set[Frozen]:
        return {after for _, after in successors(self.target, image) if not isinstance(after, Broken)}

    def _violation(
        self, state: int, after: int, label: int, source: int, target: int
    ) -> tuple[Violation, str]:
        explored = self.edges.explored
        steps = steps_along(self.declared, [explored.states[number] for number in path_to(explored, state)])
        taken = self.declared.instances[label]
        last = Step(taken.action.name, dict(taken.arguments), self.declared.thaw(explored.states[after]))
        ends = f"from {self._shown(self.images[source])} to {self._shown(self.images[target])}"
        return Violation(KIND, self._name, [*steps, last]), f"no action of {self.target.name} leads {ends}"

    def _shown(self, image: Frozen) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.target.show(image).items())

    @property
    def _name(self) -> str:
        return f"{self.declared.name} refines {self.target.name}"
