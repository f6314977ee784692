"""A behaviour as a sequence diagram.

Where the model has processes, each has a lifeline; so has each other field that the behaviour changes. An
action of a process is a box on its lifeline, and what it changes elsewhere an arrow. What was put into a set
or a sequence of another process arrives where it is taken out. A record with a sender and a receiver, put
into any set or sequence, is an arrow between those two. Without processes, each field has a lifeline, and
each action a box on those that it changes.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from workbench import display
from workbench.model.formal._models import Specification, specification
from workbench.model.formal.domains.collections import Record, Seq
from workbench.model.formal.domains.sets import Set
from workbench.model.formal.pictures.changes import Change, changes_along, path_text
from workbench.model.formal.pictures.processes import Processes, processes_of
from workbench.model.formal.pictures.step_tables import title_of
from workbench.model.formal.verdicts import Violation

__all__ = ["sequence_of"]

SENDERS = ("sender", "source", "src", "frm", "from_")
RECEIVERS = ("receiver", "target", "destination", "dest", "dst", "to")
MOST_FIELDS = 6  # lifelines of fields; more share one
MOST_PROCESSES = 16  # lifelines of processes; of more, those that do nothing are left out
SHARED = "shared"


def sequence_of(violation: Violation) -> display.Picture:
    """Draw a behaviour as a sequence diagram."""
    declared = specification(violation.trace[0].state)
    drawing = _Drawing(declared, violation)
    drawing.begin()
    for row in range(1, len(violation.trace)):
        drawing.step(row)
    idle = drawing.leave_out_idle()
    footnote = "; ".join(filter(None, (idle, drawing.footnote)))
    last = {len(violation.trace) - 1} if violation.loop is None else set()
    return display.sequence(
        lifelines=drawing.lifelines,
        rows=[step.label for step in violation.trace],
        boxes=drawing.boxes,
        arrows=[(*arrow,) for arrow in drawing.arrows],
        loop=None if violation.loop is None else violation.loop + 1,
        mark=last,
        title=title_of(violation),
        footnote=footnote,
    )


@dataclass
class _Drawing:
    """A diagram while it is made."""

    declared: Specification
    violation: Violation
    boxes: list[tuple[int, str, str]] = field(default_factory=list)
    arrows: list[list[Any]] = field(default_factory=list)
    _on_the_way: dict[tuple[Any, ...], list[tuple[Hashable, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.processes: Processes = processes_of(self.declared)
        self.changes = changes_along(self.declared, [step.state for step in self.violation.trace])
        self.owners = self._owners()
        called = [self.processes.called(key) for key in self.processes.keys]
        self.lifelines = [*called, *dict.fromkeys(self.owners.values())]

    def _owners(self) -> dict[str, str]:
        """Return the lifeline of each field that is no process's and changes."""
        changed = {each.field for made in self.changes for each in made} - self.processes.fields
        mail = {name for name in changed if self._is_mail(name)}
        fields = [name for name in self.declared.fields if name in changed - mail]
        if not self.processes.keys and not fields:
            fields = list(self.declared.fields)[:MOST_FIELDS]
        return {name: name if len(fields) <= MOST_FIELDS else SHARED for name in fields}

    def _is_mail(self, name: str) -> bool:
        """Tell whether a field holds messages between processes: then it is arrows, and no lifeline."""
        domain: Any = self.declared.fields[name]
        while hasattr(domain, "keys") and hasattr(domain, "of"):
            domain = domain.of
        return bool(self.processes.keys) and _ends(getattr(domain, "of", None)) is not None

    @property
    def _shown_fields(self) -> list[str]:
        """The processes' fields that change; all of them when none does."""
        mine = [name for name in self.declared.fields if self._mine(name)]
        changed = {each.field for made in self.changes for each in made}
        return [name for name in mine if name in changed] or mine

    @property
    def footnote(self) -> str:
        """Say which fields are not drawn."""
        drawn = {*self.owners, *self._shown_fields}
        rest = [name for name in self.declared.fields if name not in drawn and not self._is_mail(name)]
        return f"not drawn, for they never change: {', '.join(rest)}" if rest else ""

    def begin(self) -> None:
        """Draw the initial state."""
        shown = self.declared.show(self.declared.freeze(self.violation.trace[0].state))
        state = self.violation.trace[0].state
        for key in self.processes.keys:
            parts = [(name, getattr(state, name)[key]) for name in self._shown_fields]
            domains = {name: self.declared.fields[name].of for name, _ in parts}  # type: ignore[attr-defined]
            texts = [f"{name} {domains[name].show(domains[name].freeze(value))}" for name, value in parts]
            only = len(texts) == 1
            self._box(0, self.processes.called(key), texts[0].partition(" ")[2] if only else ", ".join(texts))
        for lifeline in dict.fromkeys(self.owners.values()):
            parts_of = [name for name, owner in self.owners.items() if owner == lifeline]
            alone = len(parts_of) == 1
            text = shown[parts_of[0]] if alone else ", ".join(f"{name} {shown[name]}" for name in parts_of)
            self._box(0, lifeline, text)

    def leave_out_idle(self) -> str:
        """Leave out processes that nothing happens to, where there are many; return what to say of them."""
        called = [self.processes.called(key) for key in self.processes.keys]
        busy = {lifeline for row, lifeline, _ in self.boxes if row}
        busy |= {end for arrow in self.arrows for end in arrow[1:3]}
        idle = {name for name in called if name not in busy} if len(called) > MOST_PROCESSES else set()
        self.lifelines = [name for name in self.lifelines if name not in idle]
        self.boxes = [box for box in self.boxes if box[1] not in idle]
        if not idle:
            return ""
        return f"not drawn, for nothing happens to them: {len(idle)} of {len(called)} processes"

    def _mine(self, name: str) -> bool:
        return name in self.processes.fields

    def _box(self, row: int, lifeline: str, text: str) -> None:
        self.boxes.append((row, lifeline, text))

    def step(self, row: int) -> None:
        """Draw one step."""
        step = self.violation.trace[row]
        actor = self.processes.actor(step)
        by_lifeline: dict[str, list[Change]] = {}
        for change in self.changes[row]:
            self._arrive(row, change)
            if not self._send_mail(row, change):
                by_lifeline.setdefault(self._lifeline(change, actor), []).append(change)
        if actor is None:
            for lifeline, made in by_lifeline.items():
                self._box(row, lifeline, self._text(lifeline, made))
            return
        mine = self.processes.called(actor)
        own = by_lifeline.pop(mine, [])
        self._box(row, mine, self._text(mine, own) if own else (step.action or ""))
        for lifeline, made in by_lifeline.items():
            self._send(row, mine, lifeline, made)

    def _lifeline(self, change: Change, actor: Hashable | None) -> str:
        """Return where a change happens; in a channel between two processes, at the other end."""
        if not self._mine(change.field):
            return self.owners[change.field]
        ends = [key for key in change.path[:2] if key in self.processes.keys]
        domain: Any = self.declared.fields[change.field]
        between = len(ends) == 2 and getattr(domain.of, "keys", None) == self.processes.keys
        other = next((key for key in ends if key != actor), ends[0])
        taken = bool(change.removed) and actor in ends
        return self.processes.called((actor if taken else other) if between else change.path[0])

    def _text(self, lifeline: str, made: list[Change]) -> str:
        """Return what became of a lifeline, without what the lifeline's name says already."""
        alone = len(self._shown_fields) == 1
        parts = []
        for each in made:
            path = path_text(each.path[1:] if self._mine(each.field) else each.path)
            name = "" if lifeline == each.field or (alone and self._mine(each.field)) else each.field
            parts.append(f"{name}{path} {each.short}".strip())
        return ", ".join(parts)

    def _send(self, row: int, source: str, target: str, made: list[Change]) -> None:
        place = len(self.arrows)
        self.arrows.append([row, source, target, self._text(target, made), row])
        if target not in self.owners.values():
            self._expect(place, made)

    def _send_mail(self, row: int, change: Change) -> bool:
        """Draw messages that have a sender and a receiver; tell whether they were such."""
        ends = _ends(getattr(change.domain, "of", None)) if isinstance(change.domain, Set | Seq) else None
        if ends is None or not self.processes.keys:
            return False
        for element in change.added:
            record: Any = change.domain.of.thaw(element)  # type: ignore[attr-defined]
            source, target = (record.part(end) for end in ends)
            if source in self.processes.keys and target in self.processes.keys and source != target:
                rest = ", ".join(f"{record.part(name)}" for name in record.names if name not in ends)
                place = len(self.arrows)
                called = self.processes.called
                self.arrows.append([row, called(source), called(target), rest or change.field, row])
                self._on_the_way.setdefault((change.field, change.path), []).append((element, place))
        return True

    def _expect(self, place: int, made: list[Change]) -> None:
        for change in made:
            waiting = self._on_the_way.setdefault((change.field, change.path), [])
            waiting.extend((element, place) for element in change.added)

    def _arrive(self, row: int, change: Change) -> None:
        """Let what is taken out arrive here."""
        waiting = self._on_the_way.get((change.field, change.path), [])
        for element in change.removed:
            found = next((each for each in waiting if each[0] == element), None)
            if found is not None:
                waiting.remove(found)
                self.arrows[found[1]][4] = row


def _ends(domain: Any) -> tuple[str, str] | None:
    """Return the names of the fields of a record that say from whom and to whom it is."""
    if not isinstance(domain, Record):
        return None
    sender = next((name for name in SENDERS if name in domain.names), None)
    receiver = next((name for name in RECEIVERS if name in domain.names), None)
    return (sender, receiver) if sender and receiver else None
