"""The grammar says what the official descriptors say."""

import pytest
from google.protobuf.descriptor import FieldDescriptor as Fd
from wire_fuzz import OFFICIAL

from workbench.otlp.codec._grammar import GRAMMARS, Kind, Message

KINDS = {
    Kind.DOUBLE: Fd.TYPE_DOUBLE,
    Kind.FIXED64: Fd.TYPE_FIXED64,
    Kind.SFIXED64: Fd.TYPE_SFIXED64,
    Kind.INT64: Fd.TYPE_INT64,
    Kind.UINT64: Fd.TYPE_UINT64,
    Kind.FIXED32: Fd.TYPE_FIXED32,
    Kind.UINT32: Fd.TYPE_UINT32,
    Kind.INT32: Fd.TYPE_INT32,
    Kind.ENUM: Fd.TYPE_ENUM,
    Kind.SINT32: Fd.TYPE_SINT32,
    Kind.BOOL: Fd.TYPE_BOOL,
    Kind.STRING: Fd.TYPE_STRING,
    Kind.ID16: Fd.TYPE_BYTES,
    Kind.ID8: Fd.TYPE_BYTES,
    Kind.BYTES: Fd.TYPE_BYTES,
    Kind.VALUE: Fd.TYPE_MESSAGE,
    Kind.KEY_VALUES: Fd.TYPE_MESSAGE,
    Kind.INLINE: Fd.TYPE_MESSAGE,
    Kind.ROWS: Fd.TYPE_MESSAGE,
    Kind.TEXTS: Fd.TYPE_STRING,
    Kind.NUMBERS_DOUBLE: Fd.TYPE_DOUBLE,
    Kind.NUMBERS_FIXED64: Fd.TYPE_FIXED64,
    Kind.NUMBERS_INT64: Fd.TYPE_INT64,
    Kind.NUMBERS_UINT64: Fd.TYPE_UINT64,
    Kind.NUMBERS_INT32: Fd.TYPE_INT32,
}
REPEATED = {
    Kind.KEY_VALUES,
    Kind.ROWS,
    Kind.TEXTS,
    *(kind for kind in Kind if kind.name.startswith("NUMBERS")),
}


@pytest.mark.parametrize("signal", OFFICIAL)
def test_every_field_of_every_message_has_its_number_name_type_and_presence(signal):
    compare(GRAMMARS[signal], OFFICIAL[signal].DESCRIPTOR)


def compare(message, descriptor):
    assert message.name == descriptor.name
    ours = {field.number: field for field in message.fields}
    assert sorted(ours) == sorted(field.number for field in descriptor.fields)
    for theirs in descriptor.fields:
        field = ours[theirs.number]
        assert (field.name, KINDS[field.kind]) == (theirs.name, theirs.type)
        assert (field.kind in REPEATED) == theirs.is_repeated
        oneof = theirs.containing_oneof
        synthetic = oneof is not None and oneof.name == f"_{theirs.name}"
        assert field.oneof == ("" if oneof is None or synthetic else oneof.name)
        assert field.optional == synthetic
        if isinstance(field.into, Message):
            compare(field.into, theirs.message_type)
        elif theirs.message_type is not None:
            assert (
                theirs.message_type.name == {"VALUE": "AnyValue", "KEY_VALUES": "KeyValue"}[field.kind.name]
            )
