"""The messages of a signal as OTLP/JSON has them: one flat description of every field, for both kernels.

The grammar (`_grammar`) says which fields there are; here are added what it leaves to its own kernels,
attributes and their values, and how JSON writes each: hexadecimal ids, 64-bit integers as strings, names in
lowerCamelCase.

Source: OpenTelemetry Protocol specification, "JSON Protobuf Encoding"; protobuf's "ProtoJSON format".
"""

from dataclasses import dataclass
from functools import cache

from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec._grammar import GRAMMARS, Field, Kind, Message

__all__ = ["Shape", "ShapeField", "shapes_of"]

K = Kind
VARINT_TYPE, FIXED64_TYPE, LENGTH_TYPE, FIXED32_TYPE = 0, 1, 2, 5
WIRE_TYPES = {
    codes.BOOL: VARINT_TYPE,
    codes.VARINT: VARINT_TYPE,
    codes.ZIGZAG: VARINT_TYPE,
    codes.FIXED64: FIXED64_TYPE,
    codes.DOUBLE: FIXED64_TYPE,
    codes.FIXED32: FIXED32_TYPE,
}
# Kind -> operation, bits, signed; no bits where it is no integer
SCALARS: dict[Kind, tuple[int, int, bool]] = {
    K.DOUBLE: (codes.DOUBLE, 0, True),
    K.FIXED64: (codes.FIXED64, 64, False),
    K.SFIXED64: (codes.FIXED64, 64, True),
    K.INT64: (codes.VARINT, 64, True),
    K.UINT64: (codes.VARINT, 64, False),
    K.FIXED32: (codes.FIXED32, 32, False),
    K.UINT32: (codes.VARINT, 32, False),
    K.INT32: (codes.VARINT, 32, True),
    K.ENUM: (codes.VARINT, 32, True),
    K.SINT32: (codes.ZIGZAG, 32, True),
    K.BOOL: (codes.BOOL, 0, False),
    K.STRING: (codes.TEXT, 0, False),
    K.TEXTS: (codes.TEXT, 0, False),
    K.ID16: (codes.HEX, 0, False),
    K.ID8: (codes.HEX, 0, False),
    K.BYTES: (codes.BASE64, 0, False),
}
LISTS: dict[Kind, Kind] = {
    K.NUMBERS_DOUBLE: K.DOUBLE,
    K.NUMBERS_FIXED64: K.FIXED64,
    K.NUMBERS_INT64: K.INT64,
    K.NUMBERS_UINT64: K.UINT64,
    K.NUMBERS_INT32: K.INT32,
}
REPEATED = {K.ROWS, K.KEY_VALUES, K.TEXTS, *LISTS}


@dataclass(frozen=True, slots=True)
class ShapeField:
    """A field: how it is called in both formats, what its value is, and what it excludes."""

    number: int
    name: str
    op: int
    target: str = ""  # the key of a message
    repeated: bool = False
    present: bool = False  # zero is not the same as absent
    oneof: str = ""
    bits: int = 0
    signed: bool = False
    enum: bool = False

    @property
    def json_name(self) -> str:
        """The field's name in JSON."""
        first, *rest = self.name.split("_")
        return first + "".join(word.capitalize() for word in rest)

    @property
    def wire_type(self) -> int:
        """How the field is written to protobuf: lists of numbers are packed."""
        return LENGTH_TYPE if self.repeated else WIRE_TYPES.get(self.op, LENGTH_TYPE)


@dataclass(frozen=True, slots=True)
class Shape:
    """A message: its key, and its fields by number."""

    key: str
    fields: tuple[ShapeField, ...]


def _message(number: int, name: str, target: str, *, repeated: bool = False, oneof: str = "") -> ShapeField:
    return ShapeField(number, name, codes.MESSAGE, target, repeated=repeated, present=True, oneof=oneof)


def _value(number: int, name: str, kind: Kind) -> ShapeField:
    op, bits, signed = SCALARS[kind]
    return ShapeField(number, name, op, present=True, oneof="value", bits=bits, signed=signed)


VALUE, KEY_VALUE, ARRAY, MAP = "AnyValue", "KeyValue", "ArrayValue", "KeyValueList"
ATTRIBUTES = (
    Shape(
        VALUE,
        (
            _value(1, "string_value", K.STRING),
            _value(2, "bool_value", K.BOOL),
            _value(3, "int_value", K.INT64),
            _value(4, "double_value", K.DOUBLE),
            _message(5, "array_value", ARRAY, oneof="value"),
            _message(6, "kvlist_value", MAP, oneof="value"),
            _value(7, "bytes_value", K.BYTES),
            _value(8, "string_value_strindex", K.INT32),
        ),
    ),
    Shape(
        KEY_VALUE,
        (
            ShapeField(1, "key", codes.TEXT),
            _message(2, "value", VALUE),
            ShapeField(3, "key_strindex", codes.VARINT, bits=32, signed=True),
        ),
    ),
    Shape(ARRAY, (_message(1, "values", VALUE, repeated=True),)),
    Shape(MAP, (_message(1, "values", KEY_VALUE, repeated=True),)),
)


@cache
def shapes_of(signal: str) -> tuple[Shape, ...]:
    """Return the messages of a signal, the outermost first."""
    shapes: dict[Message, Shape] = {}
    _add(GRAMMARS[signal], shapes)
    keys = {message: shape.key for message, shape in shapes.items()}
    outermost = keys[GRAMMARS[signal]]
    return (*sorted(shapes.values(), key=lambda shape: shape.key != outermost), *ATTRIBUTES)


def _add(message: Message, shapes: dict[Message, Shape]) -> str:
    """Add a message and those within it, and return its key."""
    if message not in shapes:
        fields = tuple(_field(field, shapes) for field in message.fields)
        shapes[message] = Shape(f"{message.name} {len(shapes)}", fields)
    return shapes[message].key


def _field(field: Field, shapes: dict[Message, Shape]) -> ShapeField:
    repeated = field.kind in REPEATED
    if isinstance(field.into, Message):
        target = _add(field.into, shapes)
        return _message(field.number, field.name, target, repeated=repeated, oneof=field.oneof)
    if field.kind in (K.KEY_VALUES, K.VALUE):
        target = KEY_VALUE if repeated else VALUE
        return _message(field.number, field.name, target, repeated=repeated)
    op, bits, signed = SCALARS[LISTS.get(field.kind, field.kind)]
    return ShapeField(
        field.number,
        field.name,
        op,
        repeated=repeated,
        present=field.optional or bool(field.oneof),
        oneof=field.oneof,
        bits=bits,
        signed=signed,
        enum=field.kind == K.ENUM,
    )
