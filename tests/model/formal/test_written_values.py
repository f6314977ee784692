"""The text of a test gives every kind of value again, from a module, a script or a notebook."""

import enum
import runpy

import pytest

import workbench.model.formal as wb

SCRIPT = """
import enum
import workbench.model.formal as wb

class Color(enum.Enum):
    RED = 1
    GREEN = 2

class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2

class Word(str, enum.Enum):
    A = "a"
    B = "b"

class Sign(enum.Enum):
    PLUS = "+"
    def other(self):
        return self

Node = wb.Symmetric(2)
Message = wb.Record(kind=Color, sender=Node, n=wb.Int(-2, 2))
Inner = wb.Tuple(wb.Maybe(Level), wb.Map(("k",), wb.Seq(bool, 2)), wb.Array(Node, wb.Set(range(2))))
LIMIT = float("inf")

class Kinds(wb.Model):
    n = wb.Int(-1, 3)
    color = wb.Enum(Color)
    level = wb.Enum(Level)
    word = wb.Enum(Word)
    sign = wb.Enum(Sign)
    sent = wb.Set(Message)
    inner = Inner
    free = wb.Value()
    text = wb.Enum("", '"', "\\\\", "é\\n")

    @wb.action(level=tuple(Level), found=(frozenset({1}),))
    def up(s, level, found):
        wb.require(s.n < 3 < LIMIT)
        s.n += 1
        s.color, s.level, s.word, s.sign = Color.GREEN, level, Word.B, Sign.PLUS.other()
        s.sent.add(Message(kind=Color.GREEN, sender=1, n=-2))
        s.inner = (level, {"k": [True]}, [{1}, set()])
        s.free = (1.5, -LIMIT, None, b"x", found, Color.RED)
        s.text = "é\\n"

    @wb.invariant
    def few(s):
        return s.n < 1

found = wb.check(Kinds, engine="python")
text = found.test_source()
"""


def failure_of(text):
    names = {}
    exec(compile(text, "test_written.py", "exec"), names)
    with pytest.raises(AssertionError) as failed:
        next(value for name, value in names.items() if name.startswith("test_"))()
    return str(failed.value)


def test_a_script_may_use_enumerations_domains_and_every_kind_of_value(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    text = runpy.run_path(str(script), run_name="__main__")["text"]
    assert "Node = wb.Symmetric(2)" in text
    assert "Message = wb.Record(kind=wb.Enum(Color.RED, Color.GREEN), sender=Node, n=wb.Int(-2, 2))" in text
    assert "def other(self):" in text
    said = failure_of(text)
    assert "Kinds violates invariant few" in said
    assert "n=1" in said
    assert "free=(1.5, -inf, None, b'x', frozenset({1}), <Color.RED: 1>)" in said


class Switch(enum.IntEnum):
    """A member of it is a number too."""

    OFF = 0
    ON = 1


class Infinite(wb.Model):
    """Comes to a value that has no literal, by a constant of an enumeration."""

    at = wb.Enum(Switch)
    value = wb.Value()

    @wb.action(to=tuple(Switch))
    def turn(s, to):
        s.at, s.value = to, float("inf")

    @wb.invariant
    def is_finite(s):
        return s.value is None


def test_a_model_of_a_module_is_imported_with_its_enumerations():
    text = wb.check(Infinite, engine="python").test_source()
    lines = [line for line in text.splitlines() if line.startswith(("from", "import"))]
    assert lines == [
        f"from {__name__} import Infinite",
        f"from {__name__} import Switch",
        "import workbench.model.formal as wb",
    ]
    assert "value=inf" in failure_of(text)


def test_a_constant_that_no_module_defines_is_refused():
    class Local(enum.Enum):
        ONE = 1

    model = type("Made", (Infinite,), {"kind": wb.Enum(Local)})
    verdict = wb.check(model, engine="python")
    with pytest.raises(
        wb.ReplayError, match=r"<Local.ONE: 1> cannot be written in a test: no module defines"
    ):
        verdict.test_source("Infinite")
