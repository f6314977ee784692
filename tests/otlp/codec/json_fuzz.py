"""OTLP/JSON that is nearly right, what the official library makes of it, and why the two may disagree.

`random_text` writes an official message as JSON and damages it where it hurts: keys, types, numbers, escapes,
nesting, order, blanks. `official` reads JSON by protobuf's own mapping, once what OTLP changes is undone: ids
to base64, names of the protobuf files to unknown ones. All is decided by one `random.Random`.
"""

import base64
import copy
import decimal
import functools
import json
import random
import re

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor as Fd
from wire_fuzz import OFFICIAL, random_message

BASES = 64  # messages a signal that are damaged
LEAST, MOST = 100, 1500  # bytes of their text
DEEPEST = 30  # levels within which something is damaged
IDS = {"traceId", "spanId", "parentSpanId", "profileId"}


def reference_json(message):
    """Return the OTLP/JSON of an official message, by the official mapping and ids changed to hexadecimal."""
    document = json_format.MessageToDict(message, use_integers_for_enums=True)
    return json.dumps(_hexadecimal(document), separators=(",", ":"), ensure_ascii=False).encode()


def _hexadecimal(value):
    if isinstance(value, list):
        return [_hexadecimal(item) for item in value]
    if isinstance(value, dict):
        return {k: base64.b64decode(v).hex() if k in IDS else _hexadecimal(v) for k, v in value.items()}
    return value


def official(signal, text):
    """Return the official message that a text means; raise ValueError or ParseError where it means none."""
    document = json.loads(
        text.decode(),
        object_pairs_hook=_pairs_once,
        parse_float=_exact,
        parse_int=lambda text: _exact(text + "e0"),
    )
    if not isinstance(document, dict):
        raise NotOtlpError
    message = OFFICIAL[signal]()
    json_format.ParseDict(_adapted(document, message.DESCRIPTOR), message, ignore_unknown_fields=True)
    return message


def _exact(text):
    """Return a number, as an integer if it is whole: Python would round it first."""
    number = decimal.Decimal(text)
    whole = number and abs(number.adjusted()) < 400 and number == number.to_integral_value()
    return int(number) if whole else float(text)


class NotOtlpError(ValueError):
    """Raised for what the official mapping never sees: another value than an object, ids with blanks."""


class DuplicateKeyError(ValueError):
    """Raised for a key that an object has twice, known or not."""


def _pairs_once(pairs):
    if len({key for key, _ in pairs}) < len(pairs):
        raise DuplicateKeyError
    return dict(pairs)


def _adapted(document, descriptor):
    if not isinstance(document, dict):
        return document
    fields = {field.json_name: field for field in descriptor.fields}
    foreign = {field.name for field in descriptor.fields} - set(fields)
    return {
        ("?" + key if key in foreign else key): _adapted_field(value, fields.get(key))
        for key, value in document.items()
    }


def _adapted_field(value, field):
    if field is None:
        return value
    if field.type == Fd.TYPE_MESSAGE:
        if isinstance(value, list) and field.is_repeated:
            return [_adapted(item, field.message_type) for item in value]
        return _adapted(value, field.message_type)
    if field.json_name in IDS and isinstance(value, str):
        if not value.isascii() or any(char.isspace() for char in value):
            raise NotOtlpError
        return base64.b64encode(bytes.fromhex(value)).decode()
    return value


PYTHON_SPELLING = rb'"|true|false'
ENUM_FIELD = re.compile(r"(kind|code|severity_number|aggregation_temporality)$")
WE_REFUSE = [  # how our message begins, what the text has there, why the official library takes it
    ("OTLP/JSON writes enums as integers", rb'"', "names of enums, and enums in quotes, which OTLP excludes"),
    ("expected an integer, as", PYTHON_SPELLING, "Python's spellings of integers, booleans as enums"),
    ("expected a number", PYTHON_SPELLING, "Python's spellings of numbers, booleans as numbers"),
    ("expected a JSON number", rb"[^,]*\"", "Python's other spellings of numbers in quotes"),
    ("expected a JSON number", rb"I", "Python's -Infinity in unknown fields"),
    ("expected a JSON value", rb"N|I", "Python's NaN and Infinity in unknown fields"),
    ("expected an object", rb'\[|"', "arrays and strings that have no known keys, for messages"),
    ("expected base64", rb"", "characters that are no base64, which Python passes over"),
    ("expected an integer, got", rb"1e-400", "numbers that Python rounds to zero"),
    ("expected an integer, got", rb'"?-?[0-9.]{17,}', "fractions of long numbers that Python rounds away"),
    ("a surrogate without", rb"", "halves of surrogates in unknown fields"),
    ("this number is too large", rb'"', "numbers in quotes that Python reads as infinity"),
]  # fmt: skip
ENUMS_REFUSED = (
    "expected an integer",
    "this integer does not fit",
)  # Python cuts them to fit, or ignores them
THEY_REFUSE = {
    "does not have extensions": "unknown keys in brackets",
}


def reason(ours, theirs, data):
    """Return why one refuses what the other accepts, given both errors, one of them None; "" if unknown."""
    if isinstance(theirs, DuplicateKeyError):
        return "an unknown key twice"
    if theirs is not None:
        return next((why for text, why in THEY_REFUSE.items() if text in str(theirs)), "")
    found = ours.args[0]
    if found.startswith(ENUMS_REFUSED) and ENUM_FIELD.search(ours.path):
        return "enums of any number, cut to fit, and any text, ignored"
    rest = data[ours.offset :]
    return next((why for start, at, why in WE_REFUSE if found.startswith(start) and re.match(at, rest)), "")


class Raw(str):
    """JSON text that stands for itself."""

    __slots__ = ()


class Pairs(list):
    """The members of an object, in order, a key perhaps twice."""


def random_text(rng, signal):
    """Return JSON text of a message, damaged once to three times."""
    text = json.loads(_base(signal, rng.randrange(BASES)), object_pairs_hook=Pairs)
    for _ in range(rng.choice([1, 1, 2, 3])):
        _mutate(rng, list(_objects(text)))
    data = _write(rng, text, rng.choice(["", "", "", " ", "\n\t", "            "])).encode(
        "utf-8", "surrogatepass"
    )
    if rng.random() < 0.3:
        data = rng.choice([_truncate, _flip, _insert, _remove])(rng, data)
    return data


def _mutate(rng, objects):
    """Change one of the objects, the first that the change applies to."""
    change = rng.choice(MUTATIONS)
    for pairs in rng.sample(objects, min(len(objects), 12)):
        before = list(pairs)
        change(rng, pairs)
        if pairs != before:
            return


@functools.cache
def _base(signal, number):
    """Return the text of a small message: the first that is, of those that a number leads to."""
    rng = random.Random(number)
    while True:
        text = reference_json(random_message(rng, OFFICIAL[signal]))
        if LEAST < len(text) < MOST:
            return text


def _objects(value, depth=0):
    if depth > DEEPEST:
        return
    if isinstance(value, Pairs):
        yield value
    if isinstance(value, list):
        for item in value:
            yield from _objects(item[1] if isinstance(value, Pairs) else item, depth + 1)


def _write(rng, value, blank):
    if isinstance(value, Raw):
        return value
    if isinstance(value, Pairs):
        members = (f"{_quoted(rng, k)}{blank}:{blank}{_write(rng, v, blank)}" for k, v in value)
        return "{" + blank + f"{blank},{blank}".join(members) + blank + "}"
    if isinstance(value, list):
        return "[" + blank + f"{blank},{blank}".join(_write(rng, item, blank) for item in value) + blank + "]"
    if isinstance(value, str):
        return _quoted(rng, value)
    return json.dumps(value)


def _quoted(rng, text):
    if isinstance(text, Raw):
        return text
    written = json.dumps(text, ensure_ascii=rng.random() < 0.3)
    if text and text.isascii() and text.isprintable() and rng.random() < 0.02:
        written = written.replace(text[0], f"\\u{ord(text[0]):04x}", 1)
    return written


def _shuffle(rng, pairs):
    rng.shuffle(pairs)


def _duplicate(rng, pairs):
    if pairs:
        pairs.insert(rng.randrange(len(pairs) + 1), copy.deepcopy(rng.choice(pairs)))


def _drop(rng, pairs):
    if pairs:
        del pairs[rng.randrange(len(pairs))]


def _rename(rng, pairs):
    if pairs:
        at = rng.randrange(len(pairs))
        key, value = pairs[at]
        snake = "".join("_" + char.lower() if char.isupper() else char for char in key)
        pairs[at] = (rng.choice([snake, key.upper(), key + "x", key[:-1], "", "[a.b]", "ü" + key]), value)


def _unknown(rng, pairs):
    key = rng.choice(["x", "unknownField", "service.name", '"\\', "trace_state", "é", "name2", "y" * 40])
    pairs.insert(rng.randrange(len(pairs) + 1), (key, _any(rng, 0)))


def _any(rng, depth):
    kind = rng.choice(["scalar", "scalar", "list", "object"]) if depth < 4 else "scalar"
    if kind == "list":
        return [_any(rng, depth + 1) for _ in range(rng.randrange(3))]
    if kind == "object":
        return Pairs(
            (rng.choice(["a", "key", "value"]) + str(i), _any(rng, depth + 1))
            for i in range(rng.randrange(3))
        )
    return rng.choice(SCALARS)


SCALARS = [
    None, True, False, 0, -1, 1.5, "", "x", "12", "ü\n", Raw("-0.5E+3"), Raw('"\\ud83d\\ude00"'),
    Raw("1e999"),
]  # fmt: skip
WRONG = [
    None, True, False, 0, 7, -1, 1.5, "", "x", "12", [], Pairs(), [None], [1], ["a"],
    Pairs([("key", "k")]), [Pairs()],
    [[]], Raw("nul"), Raw("NaN"), Raw("Infinity"), Raw("tru"), Raw("'a'"), Raw(""),
]  # fmt: skip
NUMBERS = [
    "0", "-0", "1", "1.0", "1e3", "1E+3", "10e-1", "1.5", "1e-1", "1.50e1", "0e5", "-1", "255",
    "2147483647", "2147483648",
    "-2147483648", "-2147483649", "4294967295", "4294967296", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "1" + "0" * 30, "1e400", "-1e400", "1e-400", "0." + "3" * 40, "3." + "0" * 30,
    "179769313486231580793728971405301e276", "2.2250738585072011e-308", "4.9e-324", "9007199254740993e0",
    "01", "1.",
    ".5", "+1", "1e", "--1", "1_000", "0x10", "1 ", "Infinity", "-Infinity", "NaN", "nan", "inf", "1e3.0",
    "100000000000000000000e-2", "12345678901234567890e-1",
]  # fmt: skip
LONG = ("9007199254740993e0", "12345678901234567890e-1")  # Python rounds them when they are in quotes
STRINGS = [
    '"\\x"', '"\\u12"', '"\\ud800"', '"\\udc00x"', '"\\ud800\\u0041"', '"\\ud83d\\ude00"', '"\\u0000"',
    '"\x01"', '"a\nb"',
    '"\\b\\f\\n\\r\\t\\/\\"\\\\"', '"\udfff"', '"' + "z" * 300 + '"', '"' + "ü" * 100 + '"', '"abc',
    "\"'\"", '"\\',
    '"' + "a" * 31 + '\\n"', '"\\u00e9' + "a" * 40 + '"',
]  # fmt: skip
TOKENS = [
    "0af7651916cd43dd8448eb211c80319c",
    "ABCDEF",
    "abc",
    "zz",
    "",
    "ab cd",
    "0x12",
    "a" * 33,
    "é1",
    "AbC=",
    "a" * 62,
]
BASE64 = [
    "",
    "YQ==",
    "YQ",
    "YWI=",
    "YWI",
    "YWJj",
    "-_-_",
    "+/+/",
    "+_-/",
    "YQ=",
    "Y",
    "YQ===",
    "Y Q=",
    "YR==",
    "Y=Q=",
    "éé",
]


def _wrong_type(rng, pairs):
    if pairs:
        at = rng.randrange(len(pairs))
        pairs[at] = (pairs[at][0], copy.deepcopy(rng.choice(WRONG)))


def _replace(rng, pairs, fits, values):
    fitting = [at for at, (_, value) in enumerate(pairs) if fits(value)]
    if fitting:
        at = rng.choice(fitting)
        pairs[at] = (pairs[at][0], rng.choice(values))


def _is_number(value):
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and value.lstrip("-").isdigit())


def _number(rng, pairs):
    written = rng.choice(NUMBERS)
    _replace(
        rng, pairs, _is_number, [Raw(written)] if written in LONG else [Raw(written), Raw(f'"{written}"')]
    )


def _numbers(rng, pairs):
    lists = [value for _, value in pairs if isinstance(value, list) and not isinstance(value, Pairs)]
    if lists:
        chosen = rng.choice(lists)
        chosen.insert(
            rng.randrange(len(chosen) + 1),
            rng.choice([Raw(rng.choice(NUMBERS)), copy.deepcopy(rng.choice(WRONG))]),
        )


def _string(rng, pairs):
    _replace(rng, pairs, lambda value: isinstance(value, str), [Raw(text) for text in STRINGS])


def _identity(rng, pairs):
    named = [at for at, (key, _) in enumerate(pairs) if key in IDS]
    if named:
        at = rng.choice(named)
        pairs[at] = (pairs[at][0], rng.choice(TOKENS))


def _bytes(rng, pairs):
    named = [at for at, (key, _) in enumerate(pairs) if key in ("bytesValue", "originalPayload")]
    if named:
        at = rng.choice(named)
        pairs[at] = (pairs[at][0], rng.choice(BASE64))


def _enum(rng, pairs):
    named = [
        at
        for at, (key, _) in enumerate(pairs)
        if key in ("kind", "code", "severityNumber", "aggregationTemporality")
    ]
    if named:
        at = rng.choice(named)
        names = ["SPAN_KIND_SERVER", "STATUS_CODE_OK", "2", True, 2.0, Raw("2.5"), 77, -1, 2**31, None]
        pairs[at] = (pairs[at][0], rng.choice(names))


def _second_of_oneof(rng, pairs):
    scalars = [("stringValue", "s"), ("intValue", "3"), ("asInt", 3), ("asDouble", 0.5), ("boolValue", False)]
    messages = [("gauge", Pairs()), ("sum", Pairs()), ("arrayValue", Pairs())]
    values = [*scalars, *messages, ("stringValue", None), ("asInt", None)]
    pairs.insert(rng.randrange(len(pairs) + 1), copy.deepcopy(rng.choice(values)))


def _nest(rng, pairs):
    value = Pairs([("intValue", 1)])
    for _ in range(rng.choice([1, 3, 20, 43, 44, 45, 46, 47, 48, 49, 50, 60])):
        if rng.random() < 0.8:
            value = Pairs([("arrayValue", Pairs([("values", [value])]))])
        else:
            value = Pairs([("kvlistValue", Pairs([("values", [Pairs([("key", "k"), ("value", value)])])]))])
        if rng.random() < 0.002:
            value = Pairs([("unknown", value)])
    pairs[:] = [pair for pair in pairs if pair[0] != "attributes"]
    pairs.append(("attributes", [Pairs([("key", "deep"), ("value", value)])]))


MUTATIONS = [
    _shuffle, _shuffle, _duplicate, _drop, _rename, _rename, _unknown, _unknown, _wrong_type, _wrong_type,
    _number,
    _number, _number, _numbers, _string, _string, _identity, _bytes, _enum, _second_of_oneof, _nest,
]  # fmt: skip


def _truncate(rng, data):
    return data[: rng.randrange(len(data))]


def _flip(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _insert(rng, data):
    at = rng.randrange(len(data) + 1)
    tokens = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"0",
        b"-",
        b"e9",
        b"null",
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
    ]
    return data[:at] + rng.choice(tokens) + data[at:]


def _remove(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice([1, 2, 9]) :]
