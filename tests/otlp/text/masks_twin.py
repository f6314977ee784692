"""The masks once more, as regular expressions and the standard library's IPv6 addresses."""

import ipaddress
import re

KINDS = ("time", "uuid", "mac", "ip", "hex", "num", "id")

END = rb"(?![A-Za-z0-9_])"
DATE = rb"\d{4}-\d\d-\d\d"
SECONDS = rb":\d\d(?:[.,]\d++)?+"
ZONE = rb"(?:Z|[+-]\d\d:\d\d|[+-]\d\d\d\d)?+"
SPACED_ZONE = rb"(?:[ ][+-]\d\d:\d\d" + END + rb"|[ ][+-]\d\d\d\d" + END + rb")"
CLOCK = rb"\d\d:\d\d(?:" + SECONDS + rb")?+"
X = rb"[0-9A-Fa-f]"
PATTERNS = {
    "time": rb"(?>%b[T ]%b(?>%b|%b))%b|%b%b|\d\d:\d\d%b%b"
    % (DATE, CLOCK, SPACED_ZONE, ZONE, END, DATE, END, SECONDS, END),
    "uuid": rb"%b{8}-%b{4}-%b{4}-%b{4}-%b{12}%b" % (X, X, X, X, X, END),
    "mac": rb"%b{2}(?P<pair>[:-])%b{2}(?:(?P=pair)%b{2}){4}(?!(?P=pair)%b)%b" % (X, X, X, X, END),
    "ip": rb"\d{1,3}+(?:\.\d{1,3}+){3}(?!\.\d)%b" % END,
    "hex": rb"0[xX]%b+%b|(?=[0-9A-Fa-f]*\d)(?=[0-9A-Fa-f]*[A-Fa-f])%b{8,}%b" % (X, END, X, END),
    "num": rb"\d++(?:[.,]\d++)*+(?:[eE][+-]?\d++)?+(?=[A-Za-z]{0,3}%b)" % END,
    "id": rb"(?=\w*[A-Za-z])(?=\w*\d\w*\d)\w{6,}+",
}


def ip6_at(text, at):
    """Return where an IPv6 address ends that begins here, or None."""
    run = re.compile(rb"[0-9A-Fa-f:]+").match(text, at)
    if run is None:
        return None
    found = run[0][:-1] if re.search(rb".[^:]:$", run[0]) else run[0]
    end = at + len(found)
    if not re.search(rb"\d", found) or re.compile(rb"\w").match(text, end):
        return None
    try:
        ipaddress.IPv6Address(found.decode())
    except ValueError:
        return None
    return end


def part_at(text, at, kinds):
    """Return the kind and the end of the part that begins at a place where no word goes on."""
    for kind in kinds:
        hit = re.compile(PATTERNS[kind], re.ASCII).match(text, at)
        if hit:
            return kind, hit.end()
        end = ip6_at(text, at) if kind == "ip" else None
        if end:
            return kind, end
    return None


def mask(text, kinds=KINDS):
    """Return a text (bytes) with its parts masked, and those parts."""
    kinds = [kind for kind in KINDS if kind in kinds]
    out, parts, at = b"", [], 0
    while at < len(text):
        word_before = at > 0 and re.fullmatch(rb"\w", text[at - 1 : at], re.ASCII)
        kind, end = _found(text, at, kinds, word_before)
        if kind is None:
            out += text[at : at + 1]
            at += 1
        else:
            out += b"<%b>" % kind.encode()
            parts.append((kind, text[at:end]))
            at = end
    return out, parts


def _found(text, at, kinds, word_before):
    said = re.compile(rb"<(%b)>" % "|".join(kinds).encode()).match(text, at) if kinds else None
    if said:
        return said[1].decode(), said.end()
    if word_before:
        return None, at
    if re.compile(rb"[+-]\d").match(text, at):
        found = part_at(text, at + 1, kinds)
        return found if found and found[0] == "num" else (None, at)
    starts = rb"[A-Za-z0-9_]" if text[at - 1 : at] == b":" and at > 0 else rb"[A-Za-z0-9_]|::"
    if re.compile(starts).match(text, at):
        return part_at(text, at, kinds) or (None, at)
    return None, at
