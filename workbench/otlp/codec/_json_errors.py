"""What the JSON kernels found wrong, as errors that say what, where and what would be right."""

import re

from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec._json_block import Fault
from workbench.otlp.errors import MalformedError, OtlpError, TruncatedError

__all__ = ["json_error", "wire_error"]

SHOWN = 24  # bytes of the text that a message quotes

EXPECTED = {
    codes.EXPECTED_OBJECT: 'expected an object, as {"key": ...}',
    codes.EXPECTED_ARRAY: "expected an array, as [...]",
    codes.EXPECTED_STRING: "expected a string in double quotes",
    codes.EXPECTED_INTEGER: 'expected an integer, as 12 or "12"',
    codes.EXPECTED_NUMBER: 'expected a number, as 1.5 or "1.5", or "NaN", "Infinity", "-Infinity"',
    codes.EXPECTED_BOOL: "expected true or false",
    codes.EXPECTED_KEY: "expected a member's key in double quotes",
    codes.EXPECTED_COLON: "expected a colon after the key",
    codes.EXPECTED_MEMBER_END: "expected a comma or the object's closing brace",
    codes.EXPECTED_ELEMENT_END: "expected a comma or the array's closing bracket",
    codes.EXPECTED_VALUE: "expected a JSON value",
    codes.BAD_NUMBER: "expected a JSON number, as -1.5e3: no leading zeros, digits on either side of a point",
    codes.ENUM_NAME: "OTLP/JSON writes enums as integers, not as names and not in quotes; expected one, as 2",
}
WRONG = {
    codes.BAD_ESCAPE: 'no escape; those are \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with 4 hex digits',
    codes.LONE_SURROGATE: "a surrogate without its other half; both must be escaped, as \\ud83d\\ude00",
    codes.CONTROL_CHARACTER: "a control character in a string; it must be escaped, as \\n or \\u0000",
    codes.NOT_UTF8: "these bytes are not UTF-8, as JSON must be",
    codes.DUPLICATE: "the key of this field was there before in the same object; it may be there once",
    codes.SECOND_OF_ONEOF: "another field was there that excludes this one; only one of them may be set",
    codes.NULL_ELEMENT: "null cannot be an element of an array; leave it out",
    codes.BAD_HEX: "expected hexadecimal digits, two for each byte of the id",
    codes.BAD_BASE64: "expected base64, in the standard or the URL-safe alphabet",
    codes.OUT_OF_RANGE: "this integer does not fit the field's type",
    codes.NOT_WHOLE: "expected an integer, got a number with a fraction",
    codes.DOUBLE_RANGE: 'this number is too large for a double; infinity is written "Infinity"',
    codes.TOO_DEEP: (
        f"this is nested too deeply: at most {codes.MOST_MESSAGES} messages in each other, "
        f"{codes.MOST_NESTING} levels in an unknown field"
    ),
    codes.TRAILING: "expected nothing after the document's closing brace",
}
WIRE = {
    codes.BAD_WIRE: "these bytes are not a field of a protobuf message",
    codes.BAD_TEXT: "this text is not UTF-8, as protobuf's strings must be",
    codes.TOO_DEEP: f"this is nested too deeply: at most {codes.MOST_MESSAGES} messages in each other",
}
LONGEST_TOKEN = 64
WORDS = (b"true", b"false", b"null", b'"NaN"', b'"Infinity"', b'"-Infinity"')
CUT_OFF = re.compile(
    rb'"?-?[0-9]*([.][0-9]*)?([eE][+-]?[0-9]*)?'  # a number, in quotes or not
    rb"|\\(u[0-9a-fA-F]{0,4}(\\(u[0-9a-fA-F]{0,4})?)?)?"  # an escape, or two
)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def json_error(code: int, data: bytes, fault: Fault, offset: int) -> OtlpError:
    """Return the error for a fault in JSON text, which is `offset` bytes behind the start of the input."""
    at = fault.at
    text = bytes(data[at : at + SHOWN])
    if at >= len(data) or _is_cut_off(bytes(data[at : at + LONGEST_TOKEN])):
        msg = f"the JSON text ends inside a document: {EXPECTED.get(code) or WRONG[code]}"
        return TruncatedError(msg, offset=offset + at, path=fault.path)
    if code in EXPECTED:
        msg = f"{EXPECTED[code]}, got {_shown(text)}"
        if at == 0 and text.startswith(BYTE_ORDER_MARK):
            msg = "a byte order mark is no JSON; the text must start with its first brace"
    else:
        msg = f"{WRONG[code]} ({_shown(text)})"
    return MalformedError(msg, offset=offset + at, path=fault.path)


def _is_cut_off(text: bytes) -> bool:
    """Tell whether a text that is wrong ends where it may have gone on: it is all that is left."""
    if len(text) == LONGEST_TOKEN:
        return False
    if any(word.startswith(text) and word != text for word in WORDS) or CUT_OFF.fullmatch(text):
        return True
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start == 0 and error.reason == "unexpected end of data"
    return False


def wire_error(code: int, fault: Fault, offset: int) -> OtlpError:
    """Return the error for a fault in protobuf, which is `offset` bytes behind the start of the input."""
    return MalformedError(WIRE[code], offset=offset + fault.at, path=fault.path)


def _shown(text: bytes) -> str:
    return repr(text.decode(errors="replace")) + ("..." if len(text) == SHOWN else "")
