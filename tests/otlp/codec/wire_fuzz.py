"""Messages that are nearly OTLP: official ones, taken apart on the wire and put together wrongly.

`random_message` fills the official classes with edge values. `mutate` reads a message into a tree of fields
and damages it where it hurts: lengths, tags, nesting, order, groups, splits, text. Everything is decided by
one `random.Random`, so a case is its seed.
"""

import struct

from google.protobuf.descriptor import FieldDescriptor as Fd
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.profiles.v1development.profiles_pb2 import ProfilesData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

OFFICIAL = {"traces": TracesData, "metrics": MetricsData, "logs": LogsData, "profiles": ProfilesData}
TEXTS = [
    "",
    "a",
    "service.name",
    "ü",
    "x" * 17,
    "\x00",
    "日本語",
    "y" * 127,
    "z" * 130,
    "k1",
    "k2",
    "n" * 63,
    "m" * 64,
]
INTEGERS = [0, 1, -1, 2, 127, 128, 300, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 2**53 + 1]
DOUBLES = [0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308]
DEEPEST = 6


def random_message(rng, kind, depth=0):
    """Return an official message with some of its fields set."""
    message = kind()
    _fill(rng, message, depth)
    return message


def _fill(rng, message, depth):
    for field in message.DESCRIPTOR.fields:
        is_envelope = depth < 3 and field.type == Fd.TYPE_MESSAGE
        if rng.random() < (0.9 if is_envelope else 0.45):
            _fill_field(rng, message, field, depth)


def _fill_field(rng, message, field, depth):
    if field.type == Fd.TYPE_MESSAGE:
        if field.message_type.name in ("ArrayValue", "KeyValueList") and depth > DEEPEST:
            return
        if field.is_repeated:
            for _ in range(rng.choice([0, 1, 1, 2, 3] if depth < 4 else [0, 0, 1, 2])):
                _fill(rng, getattr(message, field.name).add(), depth + 1)
        else:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _fill(rng, inner, depth + 1)
    elif field.is_repeated:
        getattr(message, field.name).extend(_scalar(rng, field) for _ in range(rng.choice([0, 1, 2, 5])))
    else:
        setattr(message, field.name, _scalar(rng, field))


def _scalar(rng, field):
    if field.type == Fd.TYPE_STRING:
        return rng.choice(TEXTS)
    if field.type == Fd.TYPE_BYTES:
        sizes = {"trace_id": 16, "profile_id": 16}.get(field.name, 8 if "id" in field.name else 3)
        return rng.randbytes(rng.choice([sizes] * 8 + [0, 1, 15]))
    if field.type == Fd.TYPE_DOUBLE:
        return rng.choice(DOUBLES)
    if field.type == Fd.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == Fd.TYPE_ENUM:
        return rng.choice([0, 1, 2, 7, -1, 2**31 - 1])
    bits = 32 if field.type in (Fd.TYPE_INT32, Fd.TYPE_UINT32, Fd.TYPE_FIXED32, Fd.TYPE_SINT32) else 64
    unsigned = field.type in (Fd.TYPE_UINT32, Fd.TYPE_UINT64, Fd.TYPE_FIXED32, Fd.TYPE_FIXED64)
    value = rng.choice(INTEGERS) % 2**bits
    return value if unsigned or value < 2 ** (bits - 1) else value - 2**bits


def varint(value, overlong=0):
    """Return the encoding of a number, with so many bytes more than needed."""
    value %= 2**64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    for _ in range(overlong):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


class Node:
    """A field on the wire: number, wire type, and its content; nested ones hold nodes."""

    def __init__(self, number, wire_type, content, kind=None):
        self.number, self.wire_type, self.content, self.kind = number, wire_type, content, kind
        self.tag_more = self.length_more = self.length_off = 0

    def encode(self):
        tag = varint(self.number << 3 | self.wire_type, self.tag_more)
        content = self.content if isinstance(self.content, bytes) else encode(self.content)
        if self.wire_type == 2:
            return tag + varint(max(0, len(content) + self.length_off), self.length_more) + content
        if self.wire_type == 3:
            return tag + content + varint(self.number << 3 | 4)
        return tag + content


def encode(nodes):
    """Return the bytes of fields."""
    return b"".join(node.encode() for node in nodes)


def parse(data, descriptor):
    """Return the fields of a sound message as nodes."""
    nodes, at = [], 0
    while at < len(data):
        tag, at = _read(data, at)
        number, wire_type = tag >> 3, tag & 7
        field = descriptor.fields_by_number.get(number)
        if wire_type == 0:
            start = at
            _, at = _read(data, at)
            nodes.append(Node(number, 0, data[start:at]))
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
            nodes.append(Node(number, wire_type, data[at : at + size]))
            at += size
        else:
            size, at = _read(data, at)
            content, at = data[at : at + size], at + size
            if field is not None and field.type == Fd.TYPE_MESSAGE:
                content = parse(content, field.message_type)
            nodes.append(Node(number, 2, content, field))
    return nodes


def _read(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def mutate(rng, data, descriptor):
    """Return a message, damaged once to three times, mostly in its structure."""
    nodes = parse(data, descriptor)
    for _ in range(rng.choice([1, 1, 2, 3])):
        every = list(_levels(nodes))
        rng.choice(MUTATIONS)(rng, rng.choice(every) if every else nodes)
    data = encode(nodes)
    if rng.random() < 0.25 and data:
        data = rng.choice([_truncate, _flip, _insert, _remove])(rng, data)
    return data


def _levels(nodes):
    yield nodes
    for node in nodes:
        if isinstance(node.content, list):
            yield from _levels(node.content)


def _pick(rng, nodes):
    return rng.choice(nodes) if nodes else None


def _duplicate(rng, nodes):
    if nodes:
        nodes.insert(rng.randrange(len(nodes) + 1), rng.choice(nodes))


def _shuffle(rng, nodes):
    rng.shuffle(nodes)


def _drop(rng, nodes):
    if nodes:
        del nodes[rng.randrange(len(nodes))]


def _split(rng, nodes):
    """Write a nested message as two, which parsers merge where it is singular."""
    nested = [at for at, node in enumerate(nodes) if isinstance(node.content, list)]
    if nested:
        at = rng.choice(nested)
        node = nodes[at]
        cut = rng.randrange(len(node.content) + 1)
        nodes.insert(
            rng.randrange(at + 1, len(nodes) + 1), Node(node.number, 2, node.content[cut:], node.kind)
        )
        nodes[at] = Node(node.number, 2, node.content[:cut], node.kind)


def _lengthen_tag(rng, nodes):
    if node := _pick(rng, nodes):
        node.tag_more = rng.choice([1, 1, 2, 3, 4, 5, 9])


def _lengthen_length(rng, nodes):
    if node := _pick(rng, nodes):
        node.length_more = rng.choice([1, 1, 2, 3, 4, 5, 9])


def _wrong_length(rng, nodes):
    if node := _pick(rng, nodes):
        node.length_off = rng.choice([-1, 1, 2, 127, 2**31, 2**31 - 1, 2**32, 2**63, -3])


def _lengthen_number(rng, nodes):
    numbers = [node for node in nodes if node.wire_type == 0]
    if numbers:
        value = rng.choice(INTEGERS)
        rng.choice(numbers).content = varint(value, rng.choice([1, 2, 4, 10 - len(varint(value)), 11]))


def _other_number(rng, nodes):
    numbers = [node for node in nodes if node.wire_type == 0]
    if numbers:
        odd = [b"\xff" * 9 + b"\x02", b"\xff" * 9 + b"\x7f", b"\xff" * 10, b"\x80", varint(2**32 + 1)]
        rng.choice(numbers).content = rng.choice([*odd, varint(rng.choice(INTEGERS))])


def _unknown(rng, nodes):
    wire_type = rng.choice([0, 1, 2, 5])
    content = {0: varint(rng.choice(INTEGERS)), 1: bytes(8), 2: b"abc", 5: bytes(4)}[wire_type]
    number = rng.choice([4, 9, 15, 16, 17, 31, 32, 50, 1000, 2**29 - 1])
    nodes.insert(rng.randrange(len(nodes) + 1), Node(number, wire_type, content))


def _group(rng, nodes):
    inner = b""
    for _ in range(rng.choice([0, 1, 2, 3, 98, 101])):
        inner = (
            Node(rng.choice([1, 5, 0, 77]), 3, inner).encode() if rng.random() < 0.9 else inner + b"\x08\x01"
        )
    nodes.insert(rng.randrange(len(nodes) + 1), Node(rng.choice([1, 2, 3, 30]), 3, inner))


def _group_ends(rng, nodes):
    nodes.insert(rng.randrange(len(nodes) + 1), Node(rng.choice([1, 5, 2**20]), 4, b""))


def _wire_type(rng, nodes):
    if node := _pick(rng, nodes):
        node.wire_type = rng.choice([0, 1, 2, 5, 6, 7, 3])
        if node.wire_type in (2, 3):
            return
        content = node.content if isinstance(node.content, bytes) else encode(node.content)
        node.content = (content + bytes(8))[: {0: 1, 1: 8, 5: 4}.get(node.wire_type, 1)]


def _number(rng, nodes):
    if node := _pick(rng, nodes):
        node.number = rng.choice([0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 15, 2**29 - 1, 2**29])


def _break_text(rng, nodes):
    texts = [node for node in nodes if node.wire_type == 2 and isinstance(node.content, bytes)]
    if texts:
        bad = [
            b"\xff",
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xe2\x82",
            b"a" * 30 + b"\x80",
            b"\xf0\x8f\xbf\xbf",
        ]
        rng.choice(texts).content = rng.choice(bad)


def _fine_text(rng, nodes):
    texts = [node for node in nodes if node.wire_type == 2 and isinstance(node.content, bytes)]
    if texts:
        rng.choice(texts).content = rng.choice(TEXTS).encode()


def _unpack(rng, nodes):
    """Write packed numbers one by one."""
    packed = [
        at for at, node in enumerate(nodes) if node.kind is not None and isinstance(node.content, bytes)
    ]
    packed = [at for at in packed if nodes[at].kind.is_repeated and nodes[at].kind.type != Fd.TYPE_STRING]
    if packed:
        at = rng.choice(packed)
        node = nodes.pop(at)
        if node.kind.type in (Fd.TYPE_DOUBLE, Fd.TYPE_FIXED64):
            parts = [
                Node(node.number, 1, node.content[i : i + 8]) for i in range(0, len(node.content) - 7, 8)
            ]
        else:
            parts, place = [], 0
            while place < len(node.content):
                after = place + 1
                while after < len(node.content) and node.content[after - 1] & 0x80:
                    after += 1
                parts.append(Node(node.number, 0, node.content[place:after]))
                place = after
        nodes[at:at] = parts


def _nest(rng, nodes):
    """Put a value deep into arrays and maps, around the parsers' limit."""
    content = b"\x18\x01"
    for _ in range(rng.choice([1, 3, 20, 45, 46, 47, 48, 49, 50, 60])):
        if rng.random() < 0.8:
            content = encode([Node(5, 2, encode([Node(1, 2, content)]))])
        else:
            pair = encode([Node(1, 2, b"k"), Node(2, 2, content)])
            content = encode([Node(6, 2, encode([Node(1, 2, pair)]))])
    pair = [Node(1, 2, b"k"), Node(2, 2, content)]
    nodes.insert(rng.randrange(len(nodes) + 1), Node(rng.choice([1, 2, 5, 9]), 2, pair))


def _bytes_for_message(rng, nodes):
    nested = [node for node in nodes if isinstance(node.content, list)]
    if nested:
        rng.choice(nested).content = rng.randbytes(rng.randrange(12))


def _swap_double(rng, nodes):
    words = [node for node in nodes if node.wire_type == 1]
    if words:
        rng.choice(words).content = struct.pack("<d", rng.choice(DOUBLES))


MUTATIONS = [
    _duplicate, _duplicate, _shuffle, _drop, _split, _split, _lengthen_tag, _lengthen_length,
    _wrong_length, _lengthen_number, _other_number, _unknown, _unknown, _group, _group_ends, _wire_type,
    _number, _break_text, _fine_text, _fine_text, _unpack, _nest, _bytes_for_message, _swap_double,
]  # fmt: skip


def _truncate(rng, data):
    return data[: rng.randrange(len(data))]


def _flip(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _insert(rng, data):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice([1, 2, 9])) + data[at:]


def _remove(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice([1, 2, 9]) :]
