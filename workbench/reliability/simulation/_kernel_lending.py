"""A world lent to the parts of a kernel: one address, where they would be given hundreds of numbers.

A tuple of arrays is, to the compiler, seven numbers an array, which each call of a part packs and unpacks;
that was most of what there was to compile. `lend` puts them on the stack of the kernel, and parts read what
they need: `lent.calls` is an array, without an owner (see `unowned`), and tuples within are lent likewise.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, models, register_model

__all__ = ["lend"]

_intrinsic: Any = intrinsic  # whose arguments only the compiler sees
_code: Any = cgutils


class Lent(types.Type):
    """The type of a named tuple of arrays that lies elsewhere."""

    def __init__(self, whole: Any) -> None:
        self.whole = whole
        super().__init__(f"Lent({whole})")


@register_model(Lent)
class LentModel(models.PrimitiveModel):
    """An address."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, manager.lookup(kind.whole).get_value_type().as_pointer())  # type: ignore[no-untyped-call]


@_intrinsic
def lend(_context: Any, whole: Any) -> Any:
    """Return a named tuple of arrays as one address; it is valid as long as the function that lends it."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = _code.alloca_once(builder, arguments[0].type)
        builder.store(arguments[0], place)
        return place

    return Lent(whole)(whole), generate


@infer_getattr
class LentFields(AttributeTemplate):
    """What the fields of a lent tuple are."""

    key = Lent

    def generic_resolve(self, lent: Any, name: str) -> Any:  # type: ignore[override]
        """Return the type of a field."""
        if name not in lent.whole.fields:
            return None
        kind = lent.whole.types[lent.whole.fields.index(name)]
        return Lent(kind) if isinstance(kind, types.BaseNamedTuple) else kind


@lower_getattr_generic(Lent)  # type: ignore[no-untyped-call]
def _read_field(target: Any, builder: Any, lent: Any, address: Any, name: str) -> Any:
    number = lent.whole.fields.index(name)
    kind, place = lent.whole.types[number], _code.gep_inbounds(builder, address, 0, number)
    if isinstance(kind, types.BaseNamedTuple):
        return place
    return _read_array(target, builder, kind, place)


def _read_array(target: Any, builder: Any, kind: Any, place: Any) -> Any:
    """Read an array's address and lengths; they do not change."""
    stored = target.make_array(kind)(target, builder, ref=place)
    made = target.make_array(kind)(target, builder)
    nothing = ir.Constant(made.meminfo.type, None)
    made.meminfo = made.parent = nothing
    for name in ("nitems", "itemsize", "data", "shape", "strides"):
        setattr(made, name, getattr(stored, name))
    return made._getvalue()  # noqa: SLF001 - Numba's own way to say it
