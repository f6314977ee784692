"""Random small models as text: every kind of field, and statements of all that an action may say."""

import importlib.util
import random

NUMBERS = [
    "s.n",
    "s.m",
    "i",
    "len(s.q)",
    "len(s.held)",
    "s.a[i]",
    "s.n // 2",
    "abs(s.n - 2)",
    "s.a.count(1)",
    "sum(s.a)",
    "max(s.n, s.m)",
    "min(s.a)",
    "(s.n + 1) % 4",
    "(s.m - s.n) % 3",
    "(s.m - s.n) // 2",
    "sum(1 for x in s.q if x > 0)",
    "len({x for x in s.a})",
    "sum({x % 2 for x in s.a})",
    "s.h if s.h is not None else 0",
    "s.q[0] if s.q else 2",
    "s.d.get('x', 1)",
    "sum(x for x in s.held)",
    "s.r.k if s.r.f else i",
]
TRUTHS = [
    "s.b",
    "not s.b",
    "{N} < {N}",
    "{N} == {N}",
    "{N} != {N}",
    "s.e == 'u'",
    "s.e in ('u', 'v')",
    "i in s.held",
    "i not in s.held",
    "1 in s.q",
    "s.h is None",
    "s.h == i",
    "'x' in s.d",
    "s.r.f",
    "any(x == i for x in s.a)",
    "all(x > 0 for x in s.q)",
    "{T} and {T}",
    "{T} or {T}",
    "0 <= {N} < 2",
    "s.r == R(k=i, f=True)",
    "s.held <= OR_ONE",
    "s.held == OR_ONE",
    "s.q == [i]",
    "s.a == [0, i]",
    "set_of(s.a) == OR_ONE",
    "s.t == (i, False)",
    "(i, True) in s.p",
]
STEPS = [
    "s.n = {N} % 4",
    "s.m = {N} % 3",
    "s.b = {T}",
    "s.e = 'u' if {T} else 'w'",
    "s.held.add(i)",
    "s.held.discard({N} % 3)",
    "s.held = KEPT",
    "s.q = s.q[:1]",
    "s.q.append({N} % 2) if len(s.q) < 2 else None",
    "s.h = None if {T} else i",
    "s.d['x'] = {N} % 2",
    "s.d.pop('x', None)",
    "s.a[i] = {N} % 3",
    "s.a[0], s.a[1] = s.a[1], s.a[0]",
    "s.r.k = i",
    "s.r = R(k={N} % 2, f={T})",
    "s.r.f = {T}",
    "s.t = (i, {T})",
    "s.p.add((i, {T}))",
    "s.p.clear()",
    "s.n, s.m = s.m, s.n % 3",
    "s.held |= OR_ONE",
    "s.held = s.held - OR_ONE",
    "wb.require({T})",
    "s.m = s.q.pop(0) if s.q and {T} else 2",
    "s.n = i if {T} else s.n",
]
WRITTEN = {"set_of(s.a)": "{x for x in s.a}", "OR_ONE": "{0, 1}", "KEPT": "{x for x in s.held if x != i}"}
FIELDS = """
import workbench.model.formal as wb

R = wb.Record(k=wb.Int(0, 1), f=bool)


class Random(wb.Model):
    n = wb.Int(0, 3)
    m = wb.Int(0, 3)
    b = wb.Bool()
    e = wb.Enum("u", "v", "w")
    held = wb.Set(range(3))
    q = wb.Seq(wb.Int(0, 1), 2)
    h = wb.Maybe(wb.Int(0, 1))
    d = wb.Map(("x", "y"), wb.Int(0, 1))
    a = wb.Array(2, wb.Int(0, 2))
    r = R
    t = wb.Tuple(wb.Int(0, 1), bool)
    p = wb.Set(wb.Tuple(wb.Int(0, 1), bool))

    def init(s):
        yield
        s.n, s.b, s.a[0] = 2, True, 1
        s.d["x"] = 1
        yield
        s.held.add(1)
        s.q.append(1)
        s.e = "v"
        yield
        s.m, s.h, s.r.f = 3, 1, True
        s.p.add((1, True))
        yield

    @wb.terminal
    def anywhere(s):
        return True
"""


def random_model(seed, folder):
    """Return a model with one or two actions."""
    rng = random.Random(seed)
    lines = [FIELDS]
    for number in range(rng.randint(1, 2)):
        lines += ["    @wb.action(i=range(2))", f"    def act{number}(s, i):"]
        lines.append(f"        wb.require({filled(rng, rng.choice(TRUTHS), 0)})")
        lines += [f"        {filled(rng, rng.choice(STEPS), 0)}" for _ in range(rng.randint(1, 3))]
    text = "\n".join(lines) + "\n"
    for short, long in WRITTEN.items():
        text = text.replace(short, long)
    file = folder / f"random_{seed}.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Random


def filled(rng, text, depth):
    """Replace what is left open by random expressions, not too deep."""
    for mark, choices, simple in (("{N}", NUMBERS, "s.n"), ("{T}", TRUTHS, "s.b")):
        while mark in text:
            chosen = filled(rng, rng.choice(choices), depth + 1) if depth < 3 else simple
            text = text.replace(mark, f"({chosen})", 1)
    return text
