"""A packed value with its interchangeable parts renamed, as text: what `permuted` does with a frozen one."""

from functools import singledispatchmethod
from typing import Any

from workbench.model.formal.compiling.coercing import rank, unranked
from workbench.model.formal.compiling.frames import Body
from workbench.model.formal.compiling.layouts import (
    ArrayLayout,
    BoolLayout,
    EnumLayout,
    IntLayout,
    Layout,
    MapLayout,
    MaybeLayout,
    PartsLayout,
    SeqLayout,
    SetLayout,
    layout_of,
)
from workbench.model.formal.compiling.places import below, bits_of, element, read, word_places, write
from workbench.model.formal.compiling.values import Place
from workbench.model.formal.domains.scalars import Bool, Int
from workbench.model.formal.domains.symmetric import Symmetric, symmetric_in
from workbench.model.formal.errors import NotCompilableError

__all__ = ["IMAGE_BITS", "Renaming"]

IMAGE_BITS = 4  # of each value's image, in the word of a permutation


class Renaming:
    """A renaming that is known at run time: for each domain, the variable that holds its permutation."""

    def __init__(self, body: Body, images: dict[Symmetric, str]) -> None:
        self.body, self.images = body, images

    def put(self, target: Place, source: Place) -> None:
        """Write the renamed value of one place to another place, of another state."""
        layout = source.layout
        if layout.small:
            text = read(self.body, source)
            write(self.body, target, self.body.keep(self._renamed(layout, text)))
        elif not symmetric_in([layout.domain]):
            for (_, to), (_, word) in zip(word_places(target), word_places(source), strict=True):
                write(self.body, to, read(self.body, word))
        else:
            for _, word in word_places(target):
                write(self.body, word, "0")
            self._put(layout, target, source)

    @singledispatchmethod
    def _put(self, layout: Any, target: Place, source: Place) -> None:
        """Write the renamed parts of a value of more than a word; there is nothing at the target yet."""
        del target, source
        msg = f"{layout.domain!r} is renamed by the interpreted engine only"
        raise NotCompilableError(msg)

    @_put.register
    def _(self, layout: ArrayLayout, target: Place, source: Place) -> None:
        self._put_elements(layout, target, source, getattr(layout.domain, "index", None))

    @_put.register
    def _(self, layout: MapLayout, target: Place, source: Place) -> None:
        self._put_elements(layout.slots, target, source, layout.domain.index)

    def _put_elements(self, layout: ArrayLayout, target: Place, source: Place, index: Any) -> None:
        for number in range(layout.count):
            to = self.body.keep(self._image(index, str(number))) if index in self.images else str(number)
            self.put(element(target, layout, 0, to), element(source, layout, 0, str(number)))

    @_put.register
    def _(self, layout: MaybeLayout, target: Place, source: Place) -> None:
        there = BoolLayout(Bool())
        with self.body.block(f"if {read(self.body, below(source, 0, there))} != 0:"):
            write(self.body, below(target, 0, there), "1")
            self.put(below(target, layout.above, layout.of), below(source, layout.above, layout.of))

    @_put.register
    def _(self, layout: PartsLayout, target: Place, source: Place) -> None:
        for part, offset in zip(layout.parts, layout.offsets, strict=True):
            self.put(below(target, offset, part), below(source, offset, part))

    @_put.register
    def _(self, layout: SeqLayout, target: Place, source: Place) -> None:
        length = IntLayout(Int(0, (1 << layout.length_bits) - 1))
        count = self.body.keep(read(self.body, below(source, 0, length)))
        write(self.body, below(target, 0, length), count)
        for number in range(layout.domain.most):
            places = (element(each, layout.elements, layout.above, str(number)) for each in (target, source))
            with self.body.block(f"if {number} < {count}:"):
                self.put(*places)

    @_put.register
    def _(self, layout: SetLayout, target: Place, source: Place) -> None:
        bits = ArrayLayout(layout.domain, BoolLayout(Bool()), len(layout.domain.elements))
        number = self.body.fresh()
        with (
            self.body.block(f"for {number} in range({bits.count}):"),
            self.body.block(f"if {read(self.body, element(source, bits, 0, number))} != 0:"),
        ):
            write(self.body, element(target, bits, 0, self._number(layout, number)), "1")

    def _number(self, layout: SetLayout, number: str) -> str:
        """Return which bit of a set stands for the renamed element of another bit."""
        of = layout_of(layout.domain.of, "a set's element")
        if not _is_ranked(of):
            msg = f"{layout.domain!r} is renamed by the interpreted engine only"
            raise NotCompilableError(msg)
        element_bits = self.body.keep(unranked(number, of))
        return self.body.keep(rank(self.body.keep(self._renamed(of, element_bits)), of))

    def _image(self, domain: Symmetric, value: str) -> str:
        return f"(({self.images[domain]} >> ({value} * {IMAGE_BITS})) & {(1 << IMAGE_BITS) - 1})"

    def _renamed(self, layout: Layout, text: str) -> str:
        """Return the text of a renamed value of at most a word."""
        return self._text(layout, self.body.keep(text)) if symmetric_in([layout.domain]) else text

    @singledispatchmethod
    def _text(self, layout: Any, text: str) -> str:
        del text
        msg = f"{layout.domain!r} is renamed by the interpreted engine only"
        raise NotCompilableError(msg)

    @_text.register
    def _(self, layout: IntLayout, text: str) -> str:
        return self._image(layout.domain, text)  # type: ignore[arg-type]

    @_text.register
    def _(self, layout: MaybeLayout, text: str) -> str:
        inner = self._part(layout.of, text, layout.above)
        return f"((1 | ({inner} << {layout.above})) * ({text} & 1))"

    @_text.register
    def _(self, layout: ArrayLayout, text: str) -> str:
        return self._elements(layout, text, getattr(layout.domain, "index", None))

    @_text.register
    def _(self, layout: MapLayout, text: str) -> str:
        return self._elements(layout.slots, text, layout.domain.index)

    def _elements(self, layout: ArrayLayout, text: str, index: Any) -> str:
        parts = []
        for number in range(layout.count):
            part = self._part(layout.of, text, layout.offset(number))
            to = self._image(index, str(number)) if index in self.images else str(number)
            parts.append(f"({part} << ({to} * {layout.of.bits}))")
        return self.body.keep(" | ".join(parts))

    @_text.register
    def _(self, layout: PartsLayout, text: str) -> str:
        placed = zip(layout.parts, layout.offsets, strict=True)
        parts = [f"({self._part(part, text, offset)} << {offset})" for part, offset in placed]
        return self.body.keep(" | ".join(parts))

    @_text.register
    def _(self, layout: SeqLayout, text: str) -> str:
        count = self.body.keep(bits_of(text, 0, layout.length_bits))
        parts = [count]
        for number in range(layout.domain.most):
            offset = layout.above + layout.elements.offset(number)
            part = self._part(layout.elements.of, text, offset)
            parts.append(f"(({part} * ({number} < {count})) << {offset})")
        return self.body.keep(" | ".join(parts))

    @_text.register
    def _(self, layout: SetLayout, text: str) -> str:
        made, number = self.body.fresh(), self.body.fresh()
        self.body.emit(f"{made} = 0")
        with (
            self.body.block(f"for {number} in range({len(layout.domain.elements)}):"),
            self.body.block(f"if ({text} >> {number}) & 1 != 0:"),
        ):
            self.body.emit(f"{made} |= 1 << {self._number(layout, number)}")
        return made

    def _part(self, layout: Layout, text: str, offset: int) -> str:
        return self._renamed(layout, bits_of(text, offset, layout.bits))


def _is_ranked(layout: Layout) -> bool:
    """Tell whether the number of a value among those of its domain is known from its bits."""
    if isinstance(layout, PartsLayout):
        return all(_is_ranked(part) for part in layout.parts)
    if isinstance(layout, MaybeLayout | ArrayLayout):
        return _is_ranked(layout.of)
    return isinstance(layout, IntLayout | BoolLayout | EnumLayout)
